//! Why a log could not do what it was asked.

use crate::Partition;

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
