//! The projector behind a real server, over a log that the real command role writes.
#![expect(clippy::unwrap_used, reason = "tests")]

mod crashes;
mod damage;
mod fold;
mod held;
mod history;
mod malformed;
mod operating;
mod past;
mod queries;
mod redaction;
mod system;
mod transfer;
mod versions;
mod waiting;
