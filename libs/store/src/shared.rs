//! What the databases of a process share, so that their memory has one bound.

use rocksdb::{Cache, WriteBufferManager};
use std::fmt;

/// How much memory the databases of a process may use together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedOptions {
    /// For blocks read from files, with their indexes and filters.
    pub block_cache_bytes: usize,
    /// For rows written and not yet in files. Over this, the database that is being written flushes.
    pub write_buffer_bytes: usize,
}

impl Default for SharedOptions {
    fn default() -> Self {
        Self { block_cache_bytes: 32 * 1024 * 1024, write_buffer_bytes: 64 * 1024 * 1024 }
    }
}

/// The shared memory. Make one per process and give it to every database; clones are the same.
#[derive(Clone)]
pub struct Shared {
    pub(crate) cache: Cache,
    pub(crate) write_buffers: WriteBufferManager,
    pub(crate) options: SharedOptions,
}

impl Shared {
    /// Sets the bounds.
    #[must_use]
    pub fn new(options: SharedOptions) -> Self {
        Self {
            cache: Cache::new_lru_cache(options.block_cache_bytes),
            // No stalls: a writer that waits for a flush would hold up the log. The bound is soft for as long as that takes.
            write_buffers: WriteBufferManager::new_write_buffer_manager(options.write_buffer_bytes, false),
            options,
        }
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new(SharedOptions::default())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}
