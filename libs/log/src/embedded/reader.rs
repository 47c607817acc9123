//! Reading: live from memory, or from the disk until the reader has caught up.

use super::log::Shared;
use crate::tail::Read;
use crate::{Entry, LogError, Offset, Partition, Reader};
use async_trait::async_trait;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use tokio::task::JoinHandle;

type Loading = JoinHandle<Result<Vec<Entry>, LogError>>;

/// Holds at most two chunks: one being given out, and the next being read meanwhile.
pub(super) struct EmbeddedReader {
    log: Arc<Shared>,
    partition: Partition,
    id: u64,
    /// What is read next; everything below was given out, is in `ready`, or is being loaded.
    next: Offset,
    ready: VecDeque<Entry>,
    /// Kept here and not in the future of `next`, so that dropping that loses nothing.
    loading: Option<Loading>,
}

impl EmbeddedReader {
    pub(super) fn new(log: Arc<Shared>, partition: Partition, from: Offset) -> Result<Self, LogError> {
        let id = log.tail(partition)?.register();
        Ok(Self { log, partition, id, next: from, ready: VecDeque::new(), loading: None })
    }

    /// Starts to read the next chunk, if it is no longer in memory.
    fn load(&mut self) {
        let (log, partition, from) = (self.log.clone(), self.partition, self.next);
        self.loading = Some(tokio::task::spawn_blocking(move || {
            let end = log.tail(partition)?.end();
            log.read_disk(partition, from, end)
        }));
    }

    async fn loaded(&mut self) -> Result<(), LogError> {
        let Some(loading) = &mut self.loading else { return Ok(()) };
        let joined = loading.await;
        self.loading = None;
        let stopped = |_| LogError::Unavailable("reading from the disk was stopped".into());
        let entries = joined.map_err(stopped)??;
        self.next += entries.len() as u64;
        self.ready = entries.into();
        if self.log.tail(self.partition)?.first() > self.next {
            self.load();
        }
        Ok(())
    }
}

#[async_trait]
impl Reader for EmbeddedReader {
    async fn next(&mut self, max: usize) -> Result<Vec<Entry>, LogError> {
        loop {
            if !self.ready.is_empty() {
                let count = self.ready.len().min(max.max(1));
                return Ok(self.ready.drain(..count).collect());
            }
            if self.loading.is_some() {
                self.loaded().await?;
                continue;
            }
            let tail = self.log.tail(self.partition)?;
            match poll_fn(|context| tail.poll_read(self.id, self.next, max, context)).await? {
                Read::Entries(entries) => {
                    self.next += entries.len() as u64;
                    return Ok(entries);
                }
                Read::Behind(_) => self.load(),
            }
        }
    }
}

impl Drop for EmbeddedReader {
    fn drop(&mut self) {
        if let Ok(tail) = self.log.tail(self.partition) {
            tail.leave(self.id);
        }
    }
}
