//! What a log holds.

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
