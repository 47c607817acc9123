//! The command role as its callers meet it: through gRPC, over a log in memory.

#![expect(clippy::unwrap_used, reason = "tests")]

mod among;
mod bulk;
mod cluster;
mod commands;
mod fixture;
mod held;
mod laws;
mod pressure;
mod raw;
mod refusals;
mod restart;
mod server;
mod timers;
