//! The command role: takes commands over gRPC, decides them one after another per program, and answers what the log holds.
//!
//! - [`machine`]: the state machine of a partition: its programs, their sequences and request ids, over the domain's model.
//! - [`role`]: a journal for each partition; starting, stopping, status.
//! - `edge`: from a request to an envelope and from an answer to a response, the same for every method.
//! - `services`: the contract's services, thin.
//! - `peers`: one of several instances over one log: who should own which partition, and whether it is still there.
//! - `route`: from any instance to the owner.
//!
//! A command is a request at the edge (ids minted, content hashed, caller known), an [`Envelope`] on its way, a decision
//! in the [`ProgramsMachine`], and one record in the log.

pub mod answer;
mod edge;
pub mod envelope;
pub mod machine;
mod memory;
mod meters;
mod peers;
pub mod role;
mod route;
mod services;
mod slot;

pub use answer::{Answer, Done, Refusal, Resource};
pub use envelope::{Envelope, Trace};
pub use machine::ProgramsMachine;
pub use peers::{Detection, Peers};
pub use role::{CommandOptions, CommandRole, CommandStatus};
