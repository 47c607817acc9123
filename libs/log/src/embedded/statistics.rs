//! How the log is doing.

use super::Identity;
use crate::{LogError, Offset};
use std::path::PathBuf;

/// What does not work now. Empty when all is well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why appends are refused now.
    pub appends: Option<LogError>,
    /// Damage that a reader met, the first since the log was opened.
    pub damage: Option<LogError>,
}

impl Health {
    /// Whether all is well.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.appends.is_none() && self.damage.is_none()
    }
}

/// One partition's figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionStatistics {
    /// The offset after its last entry, and so its number of entries.
    pub end: Offset,
    /// Bytes in files.
    pub file_bytes: u64,
    /// Bytes not in files yet: in the write-ahead log and in memory.
    pub memory_bytes: u64,
}

/// The log's figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStatistics {
    /// What the log is.
    pub identity: Identity,
    /// Where it is.
    pub path: PathBuf,
    /// Per partition.
    pub partitions: Vec<PartitionStatistics>,
    /// Entries waiting for the writer.
    pub queued: usize,
    /// Bytes free on its disk, if that could be learnt.
    pub available_bytes: Option<u64>,
    /// Appends are refused while less than this is free.
    pub reserve_bytes: u64,
    /// What the database beneath it uses; none while that is being opened again.
    pub store: Option<pactum_store::Statistics>,
}

impl LogStatistics {
    /// Entries in all partitions.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.end).sum()
    }

    /// Bytes in all partitions, as stored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.file_bytes + partition.memory_bytes).sum()
    }
}
