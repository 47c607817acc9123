//! The ordered log: one small trait, so that a simulated log can stand in for a real one.
//!
//! What a log gives, per partition: entries at growing offsets, and readers that see a prefix which never changes. What it
//! does not give: an append may come late, twice, out of order or never, and its sender may not learn which. Everything
//! that must hold in spite of that (claims, terms, validity, read-back) lives above, once, in `pactum-journal`.

use async_trait::async_trait;
use bytes::Bytes;

/// The number of a partition, from 0.
pub type Partition = u32;

/// A place in a partition. Offsets grow; they need not be contiguous.
pub type Offset = u64;

/// One entry as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where the log put it.
    pub offset: Offset,
    /// What its sender wrote.
    pub bytes: Bytes,
}

/// Why the log could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The log has no such partition.
    #[error("partition {partition} does not exist; the log has {partitions}")]
    NoSuchPartition {
        /// The partition asked for.
        partition: Partition,
        /// How many the log has.
        partitions: u32,
    },
    /// The entry is larger than the log takes.
    #[error("an entry of {bytes} bytes is over the log's limit of {limit}")]
    TooLarge {
        /// The entry's size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The queue in front of the log is full; try again shortly.
    #[error("the log's append queue is full")]
    Busy,
    /// No room on the disk (or over a quota). Nothing is lost; appends work again once there is room.
    #[error("no space left for the log: {0}")]
    Full(String),
    /// The log cannot be reached or written now, for another reason.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// Stored bytes are damaged or missing. Never returned as data.
    #[error("the log is corrupt: {0}")]
    Corrupt(String),
    /// The log was closed by this process.
    #[error("the log is closed")]
    Closed,
}

/// An ordered log of opaque entries.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// How many partitions the log has: fixed when it was made.
    fn partitions(&self) -> u32;

    /// Opens the writing side of a partition. Entries given to one appender keep their order.
    fn appender(&self, partition: Partition) -> Result<Box<dyn Appender>, LogError>;

    /// Reads a partition from `from` (inclusive) on, then live.
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

    /// Waits until an entry handed over is known to have failed; never returns before. Cancel-safe.
    async fn failed(&self) -> LogError;
}

/// The reading side of one partition.
#[async_trait]
pub trait Reader: Send {
    /// Waits for at least one entry and returns up to `max`, in order, each once. Cancel-safe: nothing is lost when the
    /// future is dropped.
    async fn next(&mut self, max: usize) -> Result<Vec<Entry>, LogError>;
}
