//! Faults on real brokers and processes under load, and the checker of what clients saw.
//!
//! - [`history`]: what clients saw: requests, answers, times of one monotonic clock.
//! - [`load`]: seeded clients that ask real endpoints over gRPC and write a history.
//! - [`mod@check`]: the history against the log: nothing lost, doubled, reordered or wrongly refused; no old read.
//! - [`scenario`]: named fault runs: a cluster of real processes, a load, and steps that break things.
//! - [`report`]: what the runs came to.

pub mod check;
pub mod cli;
mod content;
pub mod history;
pub mod load;
pub mod process;
pub mod report;
pub mod scenario;
mod wire;

pub use check::{Findings, Kind, LogContents, check};
pub use history::History;
pub use load::{Load, LoadOptions};
