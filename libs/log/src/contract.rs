//! The contract between the log and everything above it.

use crate::{Entry, LogError, Offset, Partition};
use async_trait::async_trait;
use bytes::Bytes;

/// An ordered log of opaque entries.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// How many partitions the log has: fixed when it was made.
    fn partitions(&self) -> u32;

    /// Opens the writing side of a partition. Entries given to one appender keep their order.
    fn appender(&self, partition: Partition) -> Result<Box<dyn Appender>, LogError>;

    /// Reads a partition from `from` (inclusive) on, then live. A `from` beyond the end waits for the log to get there.
    async fn reader(&self, partition: Partition, from: Offset) -> Result<Box<dyn Reader>, LogError>;

    /// The offset after the last readable entry: everything answered before this call lies below it.
    async fn end(&self, partition: Partition) -> Result<Offset, LogError>;
}

/// The writing side of one partition.
#[async_trait]
pub trait Appender: Send + Sync {
    /// Hands an entry over and returns at once. `Err`: certainly not appended. `Ok`: it will be appended once, late, or
    /// never, and only reading it back tells.
    fn append(&self, entry: Bytes) -> Result<(), LogError>;

    /// Waits until an entry handed over is known to have failed, or its outcome can no longer be learnt here; never returns
    /// before. A failure is reported once, also if nobody waited when it happened; several that happened since the last
    /// call are reported as one. The entry may in rare cases still turn up later (a lost connection, a crashed disk write):
    /// only reading tells. The appender can be used on. Cancel-safe.
    async fn failed(&self) -> LogError;
}

/// The reading side of one partition.
#[async_trait]
pub trait Reader: Send {
    /// Waits for at least one entry and returns up to `max` (at least one, even for 0), in order, each once. Cancel-safe:
    /// nothing is lost when the future is dropped.
    async fn next(&mut self, max: usize) -> Result<Vec<Entry>, LogError>;
}
