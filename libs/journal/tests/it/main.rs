//! The journal from outside: its writer as a table, simulated over a hostile log, and run for real over the logs there are.

mod bank;
mod bulk;
mod driver;
mod embedded;
mod follower;
mod gated;
mod model;
mod simulation;
mod writer;
