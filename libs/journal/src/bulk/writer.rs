//! The bulk writer of one partition.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pactum_log::{Appender, Entry as Stored, Log, LogError, Offset, Partition};

use super::{BulkError, BulkOptions};
use crate::entry::{Claim, Entry, FORMAT, Genesis, encode_record};
use crate::error::{check_genesis, is_final};
use crate::feed::Feed;
use crate::validity::{Position, Skip, Verdict};

/// How long to hold appends back when the log's queue is full.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

/// Writes given bodies, in the order given, each exactly once, into one partition.
///
/// Its methods do the work themselves, there is no task behind it. Dropping one of their futures loses nothing: what was
/// taken is confirmed by a later call.
pub struct BulkWriter {
    feed: Feed,
    appender: Box<dyn Appender>,
    partition: Partition,
    partitions: u32,
    options: BulkOptions,
    /// Tells our claims from everybody else's: they differ in the last 32 bits only.
    run: u128,
    claims: u32,
    position: Position,
    phase: Phase,
    /// The last term that was ours.
    term: Option<Offset>,
    /// Not confirmed yet, oldest first.
    pending: VecDeque<Bytes>,
    pending_bytes: usize,
    /// How many of them, from the front, the log has taken in this term.
    handed_over: usize,
    confirmed: u64,
    /// When a record was last confirmed, or began to be waited for.
    progress: Instant,
    /// When anything was last heard of the log.
    heard: Instant,
    trouble: Option<LogError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// To claim the partition (or to start it with a genesis) at this moment.
    Outside(Instant),
    /// A claim (or genesis) is on its way; it is given up at this moment.
    Claiming(Instant),
    /// The term in force is ours.
    Owner,
}

enum Event {
    Read(Result<Vec<Stored>, LogError>),
    AppendFailed(LogError),
    Time,
}

impl BulkWriter {
    /// Takes a partition that holds, after `position`, nothing that took effect: the default position is that of an empty
    /// partition, any other comes from a [`Follower`](crate::Follower) that read to the end. Waits until the claim is in
    /// force.
    ///
    /// # Errors
    /// [`BulkError::Taken`] or [`BulkError::NotOurs`] where the partition is not as `position` says.
    pub async fn open(
        log: &Arc<dyn Log>,
        partition: Partition,
        position: Position,
        options: BulkOptions,
    ) -> Result<Self, BulkError> {
        let failed = |source| BulkError::Log { partition, source };
        if let Some(genesis) = &position.genesis {
            check_genesis(genesis, log.partitions(), Some(options.log_id))
                .map_err(|source| BulkError::Genesis { partition, source })?;
        }
        let end = log.end(partition).await.map_err(failed)?;
        let now = Instant::now();
        let mut writer = Self {
            feed: Feed::new(Arc::clone(log), partition),
            appender: log.appender(partition).map_err(failed)?,
            partition,
            partitions: log.partitions(),
            options,
            run: rand::random::<u128>() >> 32 << 32,
            claims: 0,
            position,
            phase: Phase::Outside(now),
            term: None,
            pending: VecDeque::new(),
            pending_bytes: 0,
            handed_over: 0,
            confirmed: 0,
            progress: now,
            heard: now,
            trouble: None,
        };
        // A partition may hold a genesis already, also one that this position has not seen.
        while writer.position.offset < end {
            writer.phase = Phase::Outside(Instant::now() + writer.options.patience);
            writer.wait().await?;
        }
        writer.phase = Phase::Outside(Instant::now());
        writer.work_until(|writer| writer.phase == Phase::Owner).await?;
        Ok(writer)
    }

    /// Takes a body, waiting while the window is full. It is written once [`flush`](Self::flush) says so.
    ///
    /// # Errors
    /// [`BulkError`]: the writer is of no use any more. What [`confirmed`](Self::confirmed) counts is in the log; of what
    /// else it took, any first part may be.
    pub async fn append(&mut self, body: Bytes) -> Result<(), BulkError> {
        let (most, most_bytes) = (self.options.window.max(1), self.options.window_bytes);
        let fits = |writer: &Self| {
            writer.pending.is_empty()
                || (writer.pending.len() < most && writer.pending_bytes + body.len() <= most_bytes)
        };
        if !fits(self) {
            self.work_until(fits).await?;
        }
        self.pending_bytes += body.len();
        self.pending.push_back(body);
        self.hand_over()
    }

    /// Waits until everything that was taken is read back.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub async fn flush(&mut self) -> Result<(), BulkError> {
        self.work_until(|writer| writer.pending.is_empty()).await
    }

    /// How many bodies were read back valid.
    pub fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// How far the partition was read back.
    pub fn position(&self) -> &Position {
        &self.position
    }

    async fn work_until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), BulkError> {
        // Time during which nobody called is no standstill.
        self.progress = Instant::now();
        self.heard = self.progress;
        loop {
            self.hand_over()?;
            if done(self) {
                return Ok(());
            }
            self.wait().await?;
        }
    }

    /// Gives the log whatever is due: a genesis, a claim, records.
    fn hand_over(&mut self) -> Result<(), BulkError> {
        match self.phase {
            Phase::Outside(at) if at <= Instant::now() => {
                let entry = self.opening();
                match self.appender.append(entry) {
                    Ok(()) => {
                        self.phase = Phase::Claiming(Instant::now() + self.options.read_back_timeout);
                        Ok(())
                    }
                    Err(LogError::Busy) => Ok(()),
                    Err(error) => self.append_failed(error),
                }
            }
            Phase::Outside(_) | Phase::Claiming(_) => Ok(()),
            Phase::Owner => self.hand_over_records(),
        }
    }

    fn hand_over_records(&mut self) -> Result<(), BulkError> {
        let Some(term) = self.term else { return Ok(()) };
        while let Some(body) = self.pending.get(self.handed_over) {
            let n = self.position.next + self.handed_over as u64;
            match self.appender.append(encode_record(term, n, body)) {
                Ok(()) => self.handed_over += 1,
                Err(LogError::Busy) => break,
                Err(error) => return self.append_failed(error),
            }
        }
        Ok(())
    }

    fn opening(&mut self) -> Bytes {
        if self.position.genesis.is_none() {
            let Self { options: BulkOptions { log_id, .. }, partitions, .. } = *self;
            return Entry::Genesis(Genesis { log_id, partitions, format: FORMAT }).encode();
        }
        self.claims = self.claims.wrapping_add(1);
        let claim_id = self.run | u128::from(self.claims);
        Entry::Claim(Claim { after: self.position.term, claim_id, owner: self.options.owner.clone() }).encode()
    }

    /// Waits for the next thing to happen, and takes it in.
    async fn wait(&mut self) -> Result<(), BulkError> {
        let wake = self.wake_at();
        let (from, max) = (self.position.offset, self.options.read_batch);
        let Self { feed, appender, .. } = self;
        let event = tokio::select! {
            biased;
            error = appender.failed() => Event::AppendFailed(error),
            entries = feed.next(from, max) => Event::Read(entries),
            () = tokio::time::sleep_until(wake.into()) => Event::Time,
        };
        match event {
            Event::AppendFailed(error) => self.append_failed(error)?,
            Event::Read(Ok(entries)) => entries.iter().try_for_each(|entry| self.observe(entry))?,
            Event::Read(Err(error)) if is_final(&error) => {
                return Err(BulkError::Log { partition: self.partition, source: error });
            }
            Event::Read(Err(error)) => self.trouble = Some(error),
            Event::Time => self.time_passed(),
        }
        let waited = self.progress.elapsed();
        if waited >= self.options.patience {
            let lost = || LogError::Unavailable("what is appended is not read back".into());
            let source = self.trouble.take().unwrap_or_else(lost);
            return Err(BulkError::Stalled { partition: self.partition, waited, source });
        }
        Ok(())
    }

    fn wake_at(&self) -> Instant {
        let now = Instant::now();
        let due = match self.phase {
            // Due and still here: the log was busy.
            Phase::Outside(at) => at.max(now + BUSY_PAUSE),
            Phase::Claiming(until) => until,
            Phase::Owner if self.handed_over < self.pending.len() => now + BUSY_PAUSE,
            Phase::Owner => self.heard + self.options.read_back_timeout,
        };
        due.min(self.progress + self.options.patience)
    }

    fn time_passed(&mut self) {
        let now = Instant::now();
        let timed_out = match self.phase {
            Phase::Outside(_) => false,
            Phase::Claiming(until) => until <= now,
            Phase::Owner => self.handed_over > 0 && self.heard + self.options.read_back_timeout <= now,
        };
        if timed_out {
            self.phase = Phase::Outside(now);
        }
    }

    /// What is in flight may be in the log or not; the next claim settles it. Some failures no claim can mend.
    fn append_failed(&mut self, error: LogError) -> Result<(), BulkError> {
        if is_final(&error) || matches!(error, LogError::Full(_) | LogError::TooLarge { .. }) {
            return Err(BulkError::Log { partition: self.partition, source: error });
        }
        self.trouble = Some(error);
        self.phase = Phase::Outside(Instant::now() + self.options.backoff);
        Ok(())
    }

    fn observe(&mut self, stored: &Stored) -> Result<(), BulkError> {
        let (partition, offset) = (self.partition, stored.offset);
        let entry = Entry::decode(&stored.bytes).map_err(|source| BulkError::Entry { partition, offset, source })?;
        if let (Entry::Genesis(genesis), None) = (&entry, &self.position.genesis) {
            check_genesis(genesis, self.partitions, Some(self.options.log_id))
                .map_err(|source| BulkError::Genesis { partition, source })?;
        }
        match (self.position.observe(offset, &entry), entry) {
            (Verdict::Genesis, _) => {
                if matches!(self.phase, Phase::Claiming(_)) {
                    self.phase = Phase::Outside(Instant::now());
                }
            }
            (Verdict::ValidClaim, Entry::Claim(claim)) => {
                if claim.claim_id >> 32 << 32 != self.run {
                    return Err(BulkError::Taken { partition, offset, owner: claim.owner });
                }
                // Whatever of the term before it had not been read back by now never takes effect.
                self.phase = Phase::Owner;
                self.term = Some(offset);
                self.handed_over = 0;
                self.heard = Instant::now();
            }
            (Verdict::ValidRecord, Entry::Record(record)) => {
                let ours = self.term == Some(record.term) && self.handed_over > 0;
                match self.pending.front() {
                    Some(body) if ours && *body == record.body => {
                        self.pending_bytes -= body.len();
                        self.pending.pop_front();
                        self.handed_over -= 1;
                        self.confirmed += 1;
                        self.progress = Instant::now();
                        self.heard = self.progress;
                    }
                    _ => return Err(BulkError::NotOurs { partition, offset }),
                }
            }
            // One of ours is missing before it, so that neither it nor any later one of this term takes effect. A
            // duplicate of what was confirmed looks alike and means nothing.
            (Verdict::Skipped(Skip::OutOfOrder), Entry::Record(record)) => {
                if self.phase == Phase::Owner && self.term == Some(record.term) && record.n > self.position.next {
                    self.phase = Phase::Outside(Instant::now());
                }
            }
            (Verdict::Skipped(_) | Verdict::ValidClaim | Verdict::ValidRecord, _) => {}
        }
        Ok(())
    }
}
