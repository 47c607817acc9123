//! The ordered log: one small trait, so that a simulated log can stand in for a real one.
//!
//! What a log gives, per partition: entries at growing offsets, and readers that see a prefix which never changes. What it
//! does not give: an append may come late, twice, out of order or never, and its sender may not learn which. Everything
//! that must hold in spite of that (claims, terms, validity, read-back) lives above, once, in `pactum-journal`.
//!
//! - [`Log`], [`Appender`], [`Reader`]: the contract; [`conformance`] is what every implementation must pass.
//! - [`embedded`]: durable, in one process, over RocksDB.
//! - [`kafka`]: durable and replicated, on Apache Kafka, for many processes.
//! - [`memory`]: a log in memory, a seeded faulty one, and the pure model of the faults for step-by-step simulation.

pub mod conformance;
pub mod embedded;
pub mod kafka;
pub mod memory;

mod contract;
mod entry;
mod error;
mod failure;
mod sync;
mod tail;

pub use contract::{Appender, Log, Reader};
pub use entry::{Entry, Offset, Partition};
pub use error::LogError;
