//! What the databases of a process share, so that what they cache has one bound.

use rocksdb::Cache;
use std::fmt;

/// How much memory the databases of a process may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedOptions {
    /// For blocks read from files, with their indexes and filters.
    pub block_cache_bytes: usize,
}

impl Default for SharedOptions {
    fn default() -> Self {
        Self { block_cache_bytes: 32 * 1024 * 1024 }
    }
}

/// The shared memory. Make one per process and give it to every database; clones are the same.
///
/// Rows not yet in files are bounded per database ([`Options::write_buffer_bytes`](crate::Options::write_buffer_bytes)) and
/// not here: a shared bound makes whoever writes flush, and with most of it held by an idle neighbour that would be a tiny
/// file for every write.
#[derive(Clone)]
pub struct Shared {
    pub(crate) cache: Cache,
    options: SharedOptions,
}

impl Shared {
    /// Sets the bounds.
    #[must_use]
    pub fn new(options: SharedOptions) -> Self {
        Self { cache: Cache::new_lru_cache(options.block_cache_bytes), options }
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
