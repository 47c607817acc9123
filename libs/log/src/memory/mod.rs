//! Logs in memory: a fast one for tests and measurements, and a seeded faulty one.
//!
//! [`FaultyPartition`] is the model of what can go wrong between a writer and a log, pure and stepped by its caller;
//! [`FaultyLog`] runs the same model behind the [`Log`](crate::Log) trait.

mod faults;
mod faulty;
mod log;
mod partition;

pub use faults::Faults;
pub use faulty::FaultyLog;
pub use log::{MemoryLog, MemoryOptions};
pub use partition::{FaultyPartition, ReaderId, WriterId};
