//! Reading one partition to where it ended: every record checked and counted, whatever is done with it then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pactum_events::{decode, partition_of};
use pactum_ids::ProgramId;
use pactum_journal::{Batch, FollowError, Follower, Position, Valid};
use pactum_log::{LogError, Offset, Partition};
use tokio_util::sync::CancellationToken;

use super::digest::Tally;
use super::error::LogCopyError;
use super::location::Opened;

/// Entries read at once.
const BATCH: usize = 2048;
/// How long a log may be out of reach, as while brokers elect a leader, before the copy gives up.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(250);

/// A record that was checked.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) program: ProgramId,
    /// Its place among the program's records, from 0.
    pub(super) index: u64,
    pub(super) body: Bytes,
}

/// A partition being read.
pub(super) struct Reading {
    place: Arc<str>,
    partition: Partition,
    partitions: u32,
    follower: Follower,
    end: Offset,
    stop: CancellationToken,
    tallies: HashMap<ProgramId, Tally>,
}

impl Reading {
    /// Reads from the start until `end`.
    pub(super) async fn open(
        opened: &Opened,
        partition: Partition,
        end: Offset,
        stop: &CancellationToken,
    ) -> Result<Self, LogCopyError> {
        let follower = Follower::open(Arc::clone(opened.log()), partition, Position::default())
            .await
            .map_err(|source| LogCopyError::Read { place: opened.to_string(), source })?;
        Ok(Self {
            place: opened.name(),
            partition,
            partitions: opened.partitions(),
            follower,
            end,
            stop: stop.clone(),
            tallies: HashMap::new(),
        })
    }

    /// The next records, possibly none; nothing at the end, or when it was stopped before it.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Checked>>, LogCopyError> {
        if self.follower.position().offset >= self.end {
            return Ok(None);
        }
        let Some(batch) = self.batch().await? else { return Ok(None) };
        let end = self.end;
        // What came after the end was asked for is for the next run.
        let before = batch.records.into_iter().take_while(|valid| valid.offset < end);
        before.map(|valid| self.check(valid)).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// The next entries, also over a time in which the log cannot be reached; nothing when it was stopped.
    async fn batch(&mut self) -> Result<Option<Batch>, LogCopyError> {
        let began = Instant::now();
        loop {
            let read = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(None),
                read = self.follower.next(BATCH) => read,
            };
            match read {
                Ok(batch) => return Ok(Some(batch)),
                Err(FollowError::Log { source: LogError::Unavailable(_), .. }) if began.elapsed() < PATIENCE => {}
                Err(source) => return Err(LogCopyError::Read { place: self.place.to_string(), source }),
            }
            tokio::select! {
                () = self.stop.cancelled() => return Ok(None),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    fn check(&mut self, valid: Valid) -> Result<Checked, LogCopyError> {
        let Valid { offset, body, .. } = valid;
        let (place, partition) = (|| self.place.to_string(), self.partition);
        let record =
            decode(&body).map_err(|source| LogCopyError::Record { place: place(), partition, offset, source })?;
        let tally = match self.tallies.get_mut(&record.program) {
            Some(tally) => tally,
            None => {
                let belongs = partition_of(&record.program, self.partitions);
                if belongs != partition {
                    let program = record.program.to_string();
                    return Err(LogCopyError::Misplaced { place: place(), partition, offset, program, belongs });
                }
                self.tallies.entry(record.program.clone()).or_default()
            }
        };
        if record.sequence != tally.next {
            let (program, found, expected) = (record.program.to_string(), record.sequence, tally.next);
            return Err(LogCopyError::Gap { place: place(), partition, offset, program, found, expected });
        }
        let index = tally.records;
        tally.add(&record, &body);
        Ok(Checked { program: record.program, index, body })
    }

    /// How far it was read.
    pub(super) fn position(&self) -> &Position {
        self.follower.position()
    }

    /// Entries that had no effect, so far.
    pub(super) fn skipped(&self) -> u64 {
        self.follower.skipped().total()
    }

    /// What was read, by program.
    pub(super) fn into_tallies(self) -> HashMap<ProgramId, Tally> {
        self.tallies
    }
}
