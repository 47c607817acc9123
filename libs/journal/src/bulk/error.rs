//! Why a bulk writer gave up. What it had confirmed until then stays.

use std::time::Duration;

use pactum_log::{LogError, Offset, Partition};

use crate::entry::EntryError;
use crate::error::GenesisError;

/// Why a bulk writer gave up. What it had confirmed until then stays in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulkError {
    /// The log cannot take the records, and waiting does not help.
    #[error("cannot write partition {partition}")]
    Log {
        /// Which one.
        partition: Partition,
        /// Why.
        source: LogError,
    },
    /// Nothing was confirmed for too long, for all that was tried.
    #[error("partition {partition} confirmed nothing for {waited:?}")]
    Stalled {
        /// Which one.
        partition: Partition,
        /// How long it was tried.
        waited: Duration,
        /// The last failure.
        source: LogError,
    },
    /// An entry that cannot be decoded.
    #[error("cannot read the entry at offset {offset} of partition {partition}")]
    Entry {
        /// Which partition.
        partition: Partition,
        /// Where it is.
        offset: Offset,
        /// Why.
        source: EntryError,
    },
    /// The partition belongs to another log, or to one laid out otherwise.
    #[error("partition {partition} does not fit")]
    Genesis {
        /// Which one.
        partition: Partition,
        /// Why.
        source: GenesisError,
    },
    /// Another writer took the partition, or was there already.
    #[error("{owner:?} claimed partition {partition} at offset {offset}: something else writes to this log")]
    Taken {
        /// Which one.
        partition: Partition,
        /// Where its claim is.
        offset: Offset,
        /// What the claim says of its owner.
        owner: String,
    },
    /// A record took effect that this writer did not write there.
    #[error("the record at offset {offset} of partition {partition} took effect and was not written here")]
    NotOurs {
        /// Which partition.
        partition: Partition,
        /// Where it is.
        offset: Offset,
    },
}
