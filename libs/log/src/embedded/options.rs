//! How an embedded log is opened.

use crate::tail::Limits;
use pactum_store::Shared;

/// The most partitions an embedded log can have: each costs memory, and one process gains nothing from more.
pub const MOST_PARTITIONS: u32 = 256;

/// How an embedded log is opened.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// How many partitions. Fixed when the log is made; another number later is an error.
    pub partitions: u32,
    /// Make the log if there is none.
    pub create: bool,
    /// The largest entry, in bytes.
    pub max_entry_bytes: usize,
    /// Entries waiting for the writer, at most; more are refused as busy.
    pub queue_entries: usize,
    /// Bytes waiting for the writer, at most; more are refused as busy.
    pub queue_bytes: usize,
    /// The newest entries of each partition kept in memory for live readers, at most.
    pub tail_entries: usize,
    /// The newest bytes of each partition kept in memory for live readers, at most.
    pub tail_bytes: usize,
    /// Appends are refused as full while less than this is free on the disk, so that what runs in the background always
    /// has room to finish.
    pub reserve_bytes: u64,
    /// Entries that are not in files yet (only in the write-ahead log and memory), about at most, in bytes.
    pub write_buffer_bytes: usize,
    /// Memory shared with the other databases of the process.
    pub shared: Shared,
    /// Open the log although acknowledged entries are missing from its end: an operator's decision, when there is no backup.
    pub accept_loss: bool,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            partitions: 1,
            create: true,
            max_entry_bytes: 1024 * 1024,
            queue_entries: 64 * 1024,
            queue_bytes: 32 * 1024 * 1024,
            tail_entries: 16 * 1024,
            tail_bytes: 4 * 1024 * 1024,
            reserve_bytes: 256 * 1024 * 1024,
            write_buffer_bytes: 16 * 1024 * 1024,
            shared: Shared::default(),
            accept_loss: false,
        }
    }
}

impl EmbeddedOptions {
    pub(super) fn tail(&self) -> Limits {
        Limits { entries: self.tail_entries, bytes: self.tail_bytes }
    }

    /// The queue takes at least one entry of the largest size, whatever was asked for.
    pub(super) fn queue(&self) -> Limits {
        Limits { entries: self.queue_entries.max(1), bytes: self.queue_bytes.max(self.max_entry_bytes) }
    }

    pub(super) fn store(&self) -> pactum_store::Options {
        pactum_store::Options {
            shared: self.shared.clone(),
            rebuildable: false,
            create: true,
            accept_loss: self.accept_loss,
            write_buffer_bytes: self.write_buffer_bytes,
            ..pactum_store::Options::default()
        }
    }
}
