//! Where in the log a moment of a program lies.
//!
//! A moment is right behind the last of the program's records that counts: the last whose events all have a sequence up to the
//! one asked for, or the last that the log took by the time asked for. So every moment between two records is the same one, and
//! it is a state that the live view was in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pactum_api::query::AsOf;
use pactum_domain::time::Timestamp;
use pactum_events::{Record, decode, program_of};
use pactum_ids::ProgramId;
use pactum_journal::{FollowError, Follower, Position};
use pactum_log::{Log, LogError, Partition};
use pactum_views::{Place, clock, programs};

use super::error::MomentError;
use crate::live::LiveView;

/// How many entries are read at once: places are kept every few hundred events.
const BATCH: usize = 256;

/// How many moments are remembered.
const CAPACITY: usize = 4_096;

/// A moment of a program's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The program's last sequence then.
    pub(crate) sequence: u64,
    /// The offset behind the record that has it.
    pub(crate) offset: u64,
}

/// Finds moments. Those that can never become others are remembered.
pub(crate) struct Moments {
    log: Arc<dyn Log>,
    known: Mutex<HashMap<(ProgramId, u64), Moment>>,
}

/// What a walk over a program's records looks for.
enum Until {
    Sequence(u64),
    Time(Timestamp),
}

impl Until {
    fn admits(&self, record: &Record) -> bool {
        match self {
            Self::Sequence(sequence) => record.last_sequence() <= *sequence,
            Self::Time(time) => record.recorded_at <= *time,
        }
    }

    /// Whether no later record can be admitted once this one was.
    fn is_last(&self, record: &Record) -> bool {
        matches!(self, Self::Sequence(sequence) if record.last_sequence() == *sequence)
    }
}

impl Moments {
    pub(crate) fn new(log: Arc<dyn Log>) -> Self {
        Self { log, known: Mutex::default() }
    }

    /// Finds a moment. `view` is that of programs, which knows where in the log each one's records lie; where it does not hold
    /// the moment yet, it is waited for, as long as the log has it and the deadline is not past.
    pub(crate) async fn find(
        &self,
        view: &LiveView,
        program: &ProgramId,
        as_of: AsOf,
        deadline: Instant,
    ) -> Result<Moment, MomentError> {
        match as_of {
            AsOf::Sequence(sequence) => {
                if let Some(known) = self.known(program, sequence) {
                    return Ok(known);
                }
                self.held(view, program, deadline, |clock| clock.sequence >= sequence).await?;
                let held = sequence_of(view, program)?;
                if held == 0 {
                    return Err(MomentError::NoProgram);
                }
                if held < sequence {
                    return Err(MomentError::FutureSequence { sequence: held });
                }
                let moment = self.at_sequence(view, program, sequence).await?;
                self.remember(program, sequence, moment);
                Ok(moment)
            }
            AsOf::Time(time) => {
                let now = now();
                if time > now {
                    return Err(MomentError::FutureTime { asked: time, now });
                }
                self.held(view, program, deadline, |clock| clock.recorded_at > time).await?;
                self.at_time(view, program, time).await
            }
        }
    }

    /// Waits until the view holds enough, or all that was in the log when it was asked.
    async fn held(
        &self,
        view: &LiveView,
        program: &ProgramId,
        deadline: Instant,
        enough: impl Fn(clock::Clock) -> bool,
    ) -> Result<(), MomentError> {
        if view.clock(program)?.is_some_and(&enough) {
            return Ok(());
        }
        let partition = view.partition;
        let end = self.log.end(partition).await.map_err(|source| FollowError::Log { partition, source })?;
        let mut progress = view.progress.subscribe();
        loop {
            let (offset, stopped) = {
                let seen = progress.borrow_and_update();
                (seen.offset, seen.stopped.clone())
            };
            if offset >= end || view.clock(program)?.is_some_and(&enough) {
                return Ok(());
            }
            if let Some(why) = stopped {
                return Err(MomentError::Stopped { why });
            }
            let changed = tokio::time::timeout_at(deadline.into(), progress.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return Err(MomentError::Behind { sequence: sequence_of(view, program)? });
            }
        }
    }

    async fn at_sequence(&self, view: &LiveView, program: &ProgramId, sequence: u64) -> Result<Moment, MomentError> {
        let mut from = sequence;
        loop {
            let (begins, place) = place_before(view, program, from)?;
            let walk = self.walk(view, program, place, &Until::Sequence(sequence)).await?;
            match walk {
                (Some(moment), _) => return Ok(moment),
                // The sequence is in the middle of the record at that place: the one before it counts.
                (None, Some(_)) if begins > 1 => from = begins - 1,
                (None, first) => {
                    return Err(MomentError::BeforeProgram { first: first.map_or(1, |first| first.last_sequence()) });
                }
            }
        }
    }

    /// Searches the places that the view keeps by halves, and walks the rest.
    async fn at_time(&self, view: &LiveView, program: &ProgramId, time: Timestamp) -> Result<Moment, MomentError> {
        let (_, first) = place_before(view, program, 1)?;
        // `from` is of the last place known to be in time. There is none up to `none` besides; all from `late` on are late.
        let (mut from, mut none, mut late) = (first, 1, sequence_of(view, program)? + 1);
        while late - none > 1 {
            let middle = none + (late - none) / 2;
            let (begins, place) = place_before(view, program, middle)?;
            if place.offset <= from.offset {
                none = middle;
                continue;
            }
            match self.first_record(view, program, place).await {
                Ok(Some(record)) if record.recorded_at > time => late = begins,
                // What the log no longer keeps is earlier than what it does.
                Ok(_) | Err(MomentError::NotKept { .. }) => (from, none) = (place, middle),
                Err(error) => return Err(error),
            }
        }
        match self.walk(view, program, from, &Until::Time(time)).await? {
            (Some(moment), _) => Ok(moment),
            (None, first) => Err(MomentError::BeforeProgram { first: first.map_or(1, |first| first.last_sequence()) }),
        }
    }

    /// Reads the program's records from a place on, up to the last that is admitted. Where none is: the first one read.
    async fn walk(
        &self,
        view: &LiveView,
        program: &ProgramId,
        place: Place,
        until: &Until,
    ) -> Result<(Option<Moment>, Option<Record>), MomentError> {
        let (mut follower, end) = self.follow(view, place).await?;
        let mut found = None;
        while follower.position().offset < end {
            let batch = follower.next(BATCH).await;
            for valid in self.readable(view.partition, batch).await?.records {
                let Some(record) = of_program(program, &valid)? else { continue };
                if !until.admits(&record) {
                    let first = found.is_none().then_some(record);
                    return Ok((found, first));
                }
                found = Some(Moment { sequence: record.last_sequence(), offset: valid.offset + 1 });
                if until.is_last(&record) {
                    return Ok((found, None));
                }
            }
        }
        Ok((found, None))
    }

    async fn first_record(
        &self,
        view: &LiveView,
        program: &ProgramId,
        place: Place,
    ) -> Result<Option<Record>, MomentError> {
        let (mut follower, _) = self.follow(view, place).await?;
        let batch = follower.next(1).await;
        let batch = self.readable(view.partition, batch).await?;
        batch.records.first().map_or(Ok(None), |valid| of_program(program, valid))
    }

    /// Reads on from a record, and says where what the view holds ends.
    async fn follow(&self, view: &LiveView, place: Place) -> Result<(Follower, u64), MomentError> {
        // Its rows' own place: what is told of its progress may be a moment older.
        let here = view.store().position()?;
        let end = here.offset;
        let position = Position { offset: place.offset, term: Some(place.term), next: place.n, ..here };
        let follower = Follower::open(Arc::clone(&self.log), view.partition, position).await;
        Ok((self.readable(view.partition, follower).await?, end))
    }

    /// Tells a log whose beginning was deleted from one that is damaged.
    async fn readable<T>(&self, partition: Partition, read: Result<T, FollowError>) -> Result<T, MomentError> {
        match read {
            Ok(read) => Ok(read),
            Err(error) => match not_kept(&self.log, partition, &error).await {
                Some(why) => Err(MomentError::NotKept { why }),
                None => Err(error.into()),
            },
        }
    }

    fn known(&self, program: &ProgramId, sequence: u64) -> Option<Moment> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(program.clone(), sequence)).copied()
    }

    /// When there is no more room all are forgotten: they are found again soon enough.
    fn remember(&self, program: &ProgramId, sequence: u64, moment: Moment) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert((program.clone(), sequence), moment);
    }
}

/// Why the log's beginning cannot be read, where that is what an error comes from: a log that lost a piece in the middle still
/// has its first entry, one that is cut by retention does not.
pub(super) async fn not_kept(log: &Arc<dyn Log>, partition: Partition, error: &FollowError) -> Option<String> {
    let FollowError::Log { source: LogError::Corrupt(why), .. } = error else { return None };
    let first = match log.reader(partition, 0).await {
        Ok(mut reader) => reader.next(1).await.map(drop),
        Err(error) => Err(error),
    };
    matches!(first, Err(LogError::Corrupt(_))).then(|| why.clone())
}

fn of_program(program: &ProgramId, valid: &pactum_journal::Valid) -> Result<Option<Record>, MomentError> {
    let failed = |source| MomentError::Record { offset: valid.offset, source };
    if program_of(&valid.body).map_err(failed)? != program.as_str() {
        return Ok(None);
    }
    decode(&valid.body).map(Some).map_err(failed)
}

fn place_before(view: &LiveView, program: &ProgramId, sequence: u64) -> Result<(u64, Place), MomentError> {
    programs::place_before(&*view.store(), program, sequence)?.ok_or(MomentError::NoProgram)
}

fn sequence_of(view: &LiveView, program: &ProgramId) -> Result<u64, MomentError> {
    Ok(view.clock(program)?.map_or(0, |clock| clock.sequence))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
