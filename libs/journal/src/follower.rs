//! The reading side for whoever only folds: projectors, exporters, verifiers, and people who look.

use std::sync::Arc;

use bytes::Bytes;
use pactum_log::{Log, LogError, Offset, Partition, Reader};

use crate::entry::{Entry, EntryError};
use crate::error::{GenesisError, check_genesis};
use crate::validity::{Position, Skipped, Verdict};

/// A record that took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valid {
    /// Where it is in the partition.
    pub offset: Offset,
    /// The term it was written in.
    pub term: Offset,
    /// Its place in that term.
    pub n: u64,
    /// What to fold.
    pub body: Bytes,
}

/// Records that took effect, and where reading them led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// In order. Empty if all that was read had no effect; the position moved all the same.
    pub records: Vec<Valid>,
    /// After all of them: to be stored with what was folded from them, in one write.
    pub position: Position,
}

/// Why following stopped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The log cannot be read. The next call tries again.
    #[error("cannot read partition {partition}")]
    Log {
        /// Which one.
        partition: Partition,
        /// Why.
        source: LogError,
    },
    /// An entry that cannot be decoded. All before it was handed out; it is never skipped.
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
    #[error("partition {partition} does not fit this configuration")]
    Genesis {
        /// Which one.
        partition: Partition,
        /// Why.
        source: GenesisError,
    },
}

/// Follows one partition.
pub struct Follower {
    log: Arc<dyn Log>,
    partition: Partition,
    position: Position,
    skipped: Skipped,
    reader: Option<Box<dyn Reader>>,
    stopped: Option<FollowError>,
}

impl Follower {
    /// Follows `partition` from `position` on: the default one is the start, any other comes from an earlier [`Batch`].
    pub async fn open(log: Arc<dyn Log>, partition: Partition, position: Position) -> Result<Self, FollowError> {
        if let Some(genesis) = &position.genesis {
            check_genesis(genesis, log.partitions(), None)
                .map_err(|source| FollowError::Genesis { partition, source })?;
        }
        let mut follower = Self { log, partition, position, skipped: Skipped::default(), reader: None, stopped: None };
        follower.reader().await?;
        Ok(follower)
    }

    /// Waits for at least one entry and returns what took effect among the next `max`. Cancel-safe.
    pub async fn next(&mut self, max: usize) -> Result<Batch, FollowError> {
        if let Some(error) = &self.stopped {
            return Err(error.clone());
        }
        let partition = self.partition;
        let entries = match self.reader().await?.next(max).await {
            Ok(entries) => entries,
            Err(source) => {
                self.reader = None;
                return Err(FollowError::Log { partition, source });
            }
        };
        let mut records = Vec::with_capacity(entries.len());
        for entry in entries {
            match self.observe(entry.offset, &entry.bytes) {
                Ok(record) => records.extend(record),
                // What came before is good and is handed out first; the next call tells.
                Err(error) if !records.is_empty() => {
                    self.stopped = Some(error);
                    break;
                }
                Err(error) => {
                    self.stopped = Some(error.clone());
                    return Err(error);
                }
            }
        }
        Ok(Batch { records, position: self.position.clone() })
    }

    /// How far was read.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Entries read here that had no effect.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// The log's end now; the distance from the position to it is the lag.
    pub async fn end(&self) -> Result<Offset, FollowError> {
        let partition = self.partition;
        self.log.end(partition).await.map_err(|source| FollowError::Log { partition, source })
    }

    async fn reader(&mut self) -> Result<&mut Box<dyn Reader>, FollowError> {
        let partition = self.partition;
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => self
                .log
                .reader(partition, self.position.offset)
                .await
                .map_err(|source| FollowError::Log { partition, source })?,
        };
        Ok(self.reader.insert(reader))
    }

    fn observe(&mut self, offset: Offset, bytes: &Bytes) -> Result<Option<Valid>, FollowError> {
        let partition = self.partition;
        let entry = Entry::decode(bytes).map_err(|source| FollowError::Entry { partition, offset, source })?;
        if let (Entry::Genesis(genesis), None) = (&entry, &self.position.genesis) {
            check_genesis(genesis, self.log.partitions(), None)
                .map_err(|source| FollowError::Genesis { partition, source })?;
        }
        let verdict = self.position.observe(offset, &entry);
        if let Verdict::Skipped(reason) = verdict {
            self.skipped.count(reason);
        }
        Ok(match entry {
            Entry::Record(record) if verdict == Verdict::ValidRecord => {
                Some(Valid { offset, term: record.term, n: record.n, body: record.body })
            }
            _ => None,
        })
    }
}
