//! The log as the checker reads it: by the journal's own rule, entry for entry.

use std::sync::Arc;
use std::time::Duration;

use pactum_events::{DecodeError, Record, decode};
use pactum_journal::validity::{Protocol, Rule};
use pactum_journal::{Entry, EntryError, Position, Verdict};
use pactum_log::{Log, LogError, Offset, Partition};

/// How many entries are read at once.
const BATCH: usize = 4096;

/// Everything that took effect, and how much did not.
#[derive(Clone, Debug, Default)]
pub struct LogContents {
    /// The valid records of each partition, in order.
    pub partitions: Vec<Vec<Located>>,
    /// Valid claims: how often the partitions changed hands, the first times included.
    pub terms: u64,
    /// Entries without effect: late, doubled, or of a writer that was no longer in force.
    pub skipped: u64,
}

/// A valid record and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Its offset in the partition.
    pub offset: Offset,
    /// The record.
    pub record: Record,
}

/// Why a log cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The log cannot be read.
    #[error("partition {partition} cannot be read")]
    Log {
        /// Which one.
        partition: Partition,
        /// Why.
        source: LogError,
    },
    /// The end was not reached in time.
    #[error("partition {partition} was read to {offset} of {end} in {patience:?} and no further")]
    Stuck {
        /// Which one.
        partition: Partition,
        /// How far it was read.
        offset: Offset,
        /// Where it ends.
        end: Offset,
        /// How long was waited.
        patience: Duration,
    },
    /// An entry is no entry of the journal.
    #[error("the entry at offset {offset} of partition {partition} cannot be read")]
    Entry {
        /// Which partition.
        partition: Partition,
        /// Where it is.
        offset: Offset,
        /// Why.
        source: EntryError,
    },
    /// A valid entry holds no record.
    #[error("the record at offset {offset} of partition {partition} cannot be read")]
    Record {
        /// Which partition.
        partition: Partition,
        /// Where it is.
        offset: Offset,
        /// Why.
        source: DecodeError,
    },
}

impl LogContents {
    /// Reads every partition to the end that it has now.
    ///
    /// # Errors
    /// [`ReadError`] where a partition cannot be read, within `patience` for each.
    pub async fn read(log: &Arc<dyn Log>, patience: Duration) -> Result<Self, ReadError> {
        Self::read_by::<Protocol>(log, patience).await
    }

    /// [`read`](Self::read) under a rule that may leave something out.
    #[doc(hidden)]
    pub async fn read_by<R: Rule>(log: &Arc<dyn Log>, patience: Duration) -> Result<Self, ReadError> {
        let mut contents = Self::default();
        for partition in 0..log.partitions() {
            contents.read_partition::<R>(log, partition, patience).await?;
        }
        Ok(contents)
    }

    /// How many records took effect.
    #[must_use]
    pub fn records(&self) -> usize {
        self.partitions.iter().map(Vec::len).sum()
    }

    async fn read_partition<R: Rule>(
        &mut self,
        log: &Arc<dyn Log>,
        partition: Partition,
        patience: Duration,
    ) -> Result<(), ReadError> {
        let failed = |source| ReadError::Log { partition, source };
        let end = log.end(partition).await.map_err(failed)?;
        let mut reader = log.reader(partition, 0).await.map_err(failed)?;
        let (mut position, mut records) = (Position::default(), Vec::new());
        let until = tokio::time::Instant::now() + patience;
        while position.offset < end {
            let stuck = |_| ReadError::Stuck { partition, offset: position.offset, end, patience };
            let entries = tokio::time::timeout_at(until, reader.next(BATCH)).await.map_err(stuck)?.map_err(failed)?;
            for found in entries.into_iter().take_while(|found| found.offset < end) {
                let offset = found.offset;
                let entry =
                    Entry::decode(&found.bytes).map_err(|source| ReadError::Entry { partition, offset, source })?;
                match position.observe_by::<R>(offset, &entry) {
                    Verdict::Genesis => {}
                    Verdict::ValidClaim => self.terms += 1,
                    Verdict::Skipped(_) => self.skipped += 1,
                    Verdict::ValidRecord => {
                        let Entry::Record(valid) = entry else { continue };
                        let record =
                            decode(&valid.body).map_err(|source| ReadError::Record { partition, offset, source })?;
                        records.push(Located { offset, record });
                    }
                }
            }
        }
        self.partitions.push(records);
        Ok(())
    }
}
