//! A log that lives as long as its process, and does exactly what it is asked.

use crate::tail::{Limits, Read, Tail};
use crate::{Appender, Entry, Log, LogError, Offset, Partition, Reader};
use async_trait::async_trait;
use bytes::Bytes;
use std::future::{pending, poll_fn};
use std::sync::Arc;

/// How a memory log is made.
#[derive(Clone, Debug)]
pub struct MemoryOptions {
    /// How many partitions, at least one.
    pub partitions: u32,
    /// The largest entry, in bytes.
    pub max_entry_bytes: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { partitions: 1, max_entry_bytes: 1024 * 1024 }
    }
}

/// A log in memory. It keeps everything, never fails and is never full: an append is readable when it returns. Clones are
/// the same log.
#[derive(Clone, Debug)]
pub struct MemoryLog {
    tails: Arc<[Arc<Tail>]>,
    max_entry_bytes: usize,
}

impl MemoryLog {
    /// Makes an empty log.
    #[must_use]
    pub fn new(options: &MemoryOptions) -> Self {
        let tails = (0..options.partitions.max(1)).map(|_| Arc::new(Tail::new(0, Limits::NONE)));
        Self { tails: tails.collect(), max_entry_bytes: options.max_entry_bytes }
    }

    /// Ends the log: readers get what is there and then [`LogError::Closed`], appends are refused.
    pub fn close(&self) {
        for tail in self.tails.iter() {
            tail.stop(LogError::Closed);
        }
    }

    fn tail(&self, partition: Partition) -> Result<Arc<Tail>, LogError> {
        let tail = usize::try_from(partition).ok().and_then(|index| self.tails.get(index));
        tail.cloned().ok_or(LogError::NoSuchPartition { partition, partitions: self.partitions() })
    }
}

#[async_trait]
impl Log for MemoryLog {
    fn partitions(&self) -> u32 {
        u32::try_from(self.tails.len()).unwrap_or(u32::MAX)
    }

    fn appender(&self, partition: Partition) -> Result<Box<dyn Appender>, LogError> {
        Ok(Box::new(MemoryAppender { tail: self.tail(partition)?, limit: self.max_entry_bytes }))
    }

    async fn reader(&self, partition: Partition, from: Offset) -> Result<Box<dyn Reader>, LogError> {
        let tail = self.tail(partition)?;
        let id = tail.register();
        Ok(Box::new(MemoryReader { tail, id, next: from }))
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        Ok(self.tail(partition)?.end())
    }
}

#[derive(Debug)]
struct MemoryAppender {
    tail: Arc<Tail>,
    limit: usize,
}

#[async_trait]
impl Appender for MemoryAppender {
    fn append(&self, entry: Bytes) -> Result<(), LogError> {
        if entry.len() > self.limit {
            return Err(LogError::TooLarge { bytes: entry.len(), limit: self.limit });
        }
        self.tail.publish_one(entry)
    }

    async fn failed(&self) -> LogError {
        // What append took is already readable.
        pending().await
    }
}

#[derive(Debug)]
struct MemoryReader {
    tail: Arc<Tail>,
    id: u64,
    next: Offset,
}

#[async_trait]
impl Reader for MemoryReader {
    async fn next(&mut self, max: usize) -> Result<Vec<Entry>, LogError> {
        match poll_fn(|context| self.tail.poll_read(self.id, self.next, max, context)).await? {
            Read::Entries(entries) => {
                self.next += entries.len() as u64;
                Ok(entries)
            }
            Read::Behind(first) => {
                Err(LogError::Corrupt(format!("entries below {first} are gone from a log that keeps everything")))
            }
        }
    }
}

impl Drop for MemoryReader {
    fn drop(&mut self) {
        self.tail.leave(self.id);
    }
}
