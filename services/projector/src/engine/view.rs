//! A view's thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pactum_domain::time::Timestamp;
use pactum_journal::Position;
use pactum_store::StoreError;
use pactum_views::{Changes, Place};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::chunk::Chunk;
use super::feed::{Fed, Subscription};
use super::partition::{PartitionFeeds, Unfit};
use super::{RETRY, Role, Room, Unfoldable, fold_one};
use crate::decisions::Decisions;
use crate::live::{LiveView, Progress};
use crate::machine::Checkpointer;
use crate::meters::FoldMeters;
use crate::options::ProjectorOptions;
use crate::store::{StoreBatch, ViewStore};

/// Records folded before they are written, at most: a row that several of them change is then written once.
const RECORDS_AT_ONCE: usize = 40_000;

/// Changed rows that wait to be written, at most.
const ROWS_AT_ONCE: usize = 250_000;

/// How long a view at the log's end folds before it writes: readers wait for it.
const FRESH: Duration = Duration::from_millis(10);

/// How long a view without work keeps rows in memory.
const IDLE: Duration = Duration::from_secs(2);

/// What the folds of a partition share.
pub(crate) struct ViewParts {
    pub(crate) feeds: Arc<PartitionFeeds>,
    pub(crate) room: Room,
    pub(crate) options: ProjectorOptions,
    pub(crate) runtime: Handle,
}

/// The fold of one view of one partition.
pub(crate) struct ViewFold {
    live: Arc<LiveView>,
    store: Arc<ViewStore>,
    position: Position,
    role: Role,
    parts: Arc<ViewParts>,
    stop: CancellationToken,
    meters: FoldMeters,
    decisions: Arc<Decisions>,
    /// Changes when somebody decided something about the view.
    control: watch::Receiver<()>,
    /// The record at this offset cannot be folded: what comes before it is to be written first.
    write_before: Option<u64>,
    checkpoints: Checkpointer,
    flushed: Instant,
    unflushed: bool,
    brought_to_disk: bool,
}

/// Why the fold does not simply go on.
enum End {
    /// It was told to stop.
    Told,
    /// Other rows answer now.
    Retired,
    /// It goes on from what is written.
    Again,
    /// An operator has to decide.
    Stopped(String),
}

/// What is folded and not written.
struct Pending {
    position: Position,
    records: usize,
    recorded_at: Option<Timestamp>,
    since: Instant,
}

impl Pending {
    fn none(position: Position) -> Self {
        Self { position, records: 0, recorded_at: None, since: Instant::now() }
    }
}

impl ViewFold {
    pub(crate) fn new(
        live: Arc<LiveView>,
        role: Role,
        position: Position,
        parts: Arc<ViewParts>,
        stop: CancellationToken,
    ) -> Self {
        let (store, label) = match &role {
            Role::Live => (live.store(), live.view.name().to_owned()),
            Role::Building(build) => (Arc::clone(&build.store), build.name.clone()),
        };
        let meters = FoldMeters::new(label, live.partition);
        let control = live.control.subscribe();
        let decisions = live.decisions();
        let checkpoints = Checkpointer::new(Arc::clone(&live.shelves), store.view(), live.partition);
        Self {
            live,
            store,
            position,
            role,
            parts,
            stop,
            meters,
            decisions,
            control,
            write_before: None,
            checkpoints,
            flushed: Instant::now(),
            unflushed: false,
            brought_to_disk: false,
        }
    }

    /// Folds until it is told to stop; blocks, so it has a thread of its own.
    pub(crate) fn run(mut self, mut subscription: Option<Subscription>) {
        while !self.stop.is_cancelled() {
            let ended = match subscription.take() {
                Some(subscription) => self.fold_on(subscription),
                None => match self.check() {
                    Ok(()) => self.fold_on(self.parts.feeds.subscribe(&self.position)),
                    Err(Unfit::Stop(why)) => End::Stopped(why),
                    Err(Unfit::Wait(why)) => {
                        self.set_trouble(Some(why.into()));
                        self.wait(RETRY);
                        End::Again
                    }
                },
            };
            match ended {
                End::Told => break,
                End::Retired => return,
                End::Again => {}
                End::Stopped(why) => {
                    self.say_stopped(&why);
                    self.flush();
                    if !self.wait_for_a_decision() {
                        break;
                    }
                }
            }
        }
        self.flush();
    }

    fn check(&self) -> Result<(), Unfit> {
        self.parts.runtime.block_on(self.parts.feeds.check(&self.position))
    }

    fn fold_on(&mut self, mut subscription: Subscription) -> End {
        let store = Arc::clone(&self.store);
        let mut changes = Changes::new(&*store);
        let mut share = None;
        let mut pending = Pending::none(self.position.clone());
        let mut worked = Instant::now();
        loop {
            let fed = if self.stop.is_cancelled() { Fed::Nothing } else { subscription.take() };
            if let Fed::Chunk(chunk) = fed {
                changes.keep_at_most(share.get_or_insert_with(|| self.parts.room.share()).bytes());
                if let Err(unfoldable) = self.fold(&mut changes, &chunk, &mut pending, &subscription) {
                    return self.give_up(unfoldable, &chunk, pending, &mut changes, &subscription);
                }
                worked = Instant::now();
                if self.is_enough(&pending, &changes) {
                    if let Err(end) = self.write(&mut changes, &mut pending, &subscription) {
                        return end;
                    }
                    self.flush_in_time();
                }
                continue;
            }
            if pending.position.offset > self.position.offset {
                if let Err(end) = self.write(&mut changes, &mut pending, &subscription) {
                    return end;
                }
                continue;
            }
            if self.stop.is_cancelled() {
                return End::Told;
            }
            match fed {
                Fed::Gone => return End::Again,
                Fed::Failed(why) => return End::Stopped(why.to_string()),
                Fed::Trouble(why) => self.set_trouble(Some(why)),
                Fed::Nothing | Fed::Chunk(_) => self.look_at_end(&subscription),
            }
            if self.is_retired() {
                return End::Retired;
            }
            self.take_over_when_due();
            if let Some(better) = self.parts.feeds.better(&subscription, self.position.offset) {
                subscription = better;
                continue;
            }
            if worked.elapsed() >= IDLE && share.take().is_some() {
                changes.forget();
            }
            self.flush_in_time();
            let wait = self.parts.options.flush_every.min(Duration::from_secs(1));
            let decided = self.parts.runtime.block_on(async {
                tokio::select! {
                    () = self.stop.cancelled() => false,
                    decided = self.control.changed() => decided.is_ok(),
                    _ = tokio::time::timeout(wait, subscription.changed()) => false,
                }
            });
            if decided {
                self.decisions = self.live.decisions();
            }
        }
    }

    /// Folds a chunk, up to the first record that cannot be.
    fn fold(
        &mut self,
        changes: &mut Changes<'_>,
        chunk: &Chunk,
        pending: &mut Pending,
        subscription: &Subscription,
    ) -> Result<(), Unfoldable> {
        if chunk.position.offset <= pending.position.offset {
            return Ok(());
        }
        if pending.records == 0 {
            pending.since = Instant::now();
        }
        let started = Instant::now();
        let records = chunk.records().unwrap_or_default();
        // A view that is ahead of the others has seen the beginning of the chunk.
        let from = records.partition_point(|one| one.place.offset < pending.position.offset);
        for decoded in &records[from..] {
            if self.write_before == Some(decoded.place.offset) {
                self.write_before = None;
                pending.position = before(decoded.place, &chunk.position);
                // If other rows answer now, or it was told to stop, whoever called finds out next.
                self.write(changes, pending, subscription).ok();
            }
            fold_one(self.store.view(), changes, decoded, &self.decisions)?;
            pending.records += 1;
            if let Ok(record) = &decoded.record {
                pending.recorded_at = Some(record.recorded_at);
            }
        }
        pending.position.clone_from(&chunk.position);
        self.meters.records.increment((records.len() - from) as u64);
        self.meters.seconds.record(started.elapsed().as_secs_f64());
        Ok(())
    }

    /// A record cannot be folded. What comes before it is written, then the view stops.
    fn give_up(
        &mut self,
        unfoldable: Unfoldable,
        chunk: &Chunk,
        mut pending: Pending,
        changes: &mut Changes<'_>,
        subscription: &Subscription,
    ) -> End {
        // Half of the record may be among the changes.
        changes.forget();
        let record = chunk.records().unwrap_or_default().iter().find(|one| one.place.offset == unfoldable.offset);
        if pending.records > 0 {
            self.write_before = Some(unfoldable.offset);
            return End::Again;
        }
        if let Some(record) = record {
            pending.position = before(record.place, &chunk.position);
        }
        match self.write(changes, &mut pending, subscription) {
            Ok(()) => End::Stopped(unfoldable.why),
            Err(end) => end,
        }
    }

    fn is_enough(&self, pending: &Pending, changes: &Changes<'_>) -> bool {
        let is_late = || self.progress().borrow().caught_up && pending.since.elapsed() >= FRESH;
        pending.records >= RECORDS_AT_ONCE || changes.changed() >= ROWS_AT_ONCE || is_late()
    }

    /// Writes rows and position together, until it succeeds: a disk that is full has room again some day.
    fn write(
        &mut self,
        changes: &mut Changes<'_>,
        pending: &mut Pending,
        subscription: &Subscription,
    ) -> Result<(), End> {
        let store = Arc::clone(&self.store);
        let mut batch = store.batch();
        changes.write(|keyspace, key, row| batch.set(keyspace, key, row));
        batch.set_position(&pending.position);
        let end = subscription.end();
        while let Err(error) = self.commit(&batch, pending, end)? {
            tracing::warn!(view = self.live.view.name(), %error, "a view cannot be written");
            self.set_trouble(Some(format!("the view cannot be written: {error}").into()));
            self.wait(RETRY);
            if self.stop.is_cancelled() {
                return Err(End::Told);
            }
        }
        self.unflushed = true;
        self.position.clone_from(&pending.position);
        *pending = Pending::none(self.position.clone());
        self.checkpoints.after_batch(&self.store, &self.position);
        Ok(())
    }

    fn commit(
        &self,
        batch: &StoreBatch<'_>,
        pending: &Pending,
        end: Option<u64>,
    ) -> Result<Result<(), StoreError>, End> {
        let _gate = match &self.role {
            // Between the look and the write no other rows may begin to answer.
            Role::Live => Some(self.live.gate()),
            Role::Building(_) => None,
        };
        if self.is_retired() {
            return Err(End::Retired);
        }
        if let Err(error) = self.store.commit(batch) {
            return Ok(Err(error));
        }
        self.progress().send_modify(|progress| {
            progress.offset = pending.position.offset;
            progress.end = end.unwrap_or(progress.end).max(progress.offset);
            progress.caught_up |= end.is_some_and(|end| progress.offset >= end);
            progress.recorded_at = pending.recorded_at.or(progress.recorded_at);
            progress.records += pending.records as u64;
            progress.trouble = None;
        });
        Ok(Ok(()))
    }

    /// Notes where the log ends, as far as it is known.
    fn look_at_end(&self, subscription: &Subscription) {
        let Some(end) = subscription.end() else { return };
        self.progress().send_if_modified(|progress| {
            let caught_up = progress.caught_up || progress.offset >= end;
            let end = end.max(progress.offset);
            let modified = progress.end != end || progress.caught_up != caught_up || progress.trouble.is_some();
            (progress.end, progress.caught_up, progress.trouble) = (end, caught_up, None);
            modified
        });
        self.measure();
    }

    fn is_retired(&self) -> bool {
        matches!(self.role, Role::Live) && !Arc::ptr_eq(&self.live.store(), &self.store)
    }

    /// A build that holds as much as the rows that answer takes their place.
    fn take_over_when_due(&mut self) {
        let Role::Building(build) = &self.role else { return };
        if !build.progress.borrow().caught_up {
            return;
        }
        if !self.brought_to_disk {
            // Before anything points to it. What comes after is little, and folded again after a crash.
            if let Err(error) = self.store.flush() {
                tracing::warn!(build = build.name, %error, "a build cannot be brought to the disk");
                return;
            }
            self.brought_to_disk = true;
        }
        match self.live.take_over(build) {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!(build = build.name, partition = self.live.partition, "a view's new rows answer");
                self.role = Role::Live;
                self.meters = FoldMeters::new(self.live.view.name().to_owned(), self.live.partition);
            }
            Err(error) => {
                let why = format!("the build cannot take its place: {error}");
                self.set_trouble(Some(why.into()));
            }
        }
    }

    fn progress(&self) -> &watch::Sender<Progress> {
        match &self.role {
            Role::Live => &self.live.progress,
            Role::Building(build) => &build.progress,
        }
    }

    fn set_trouble(&self, why: Option<Arc<str>>) {
        self.progress().send_if_modified(|progress| {
            let modified = progress.trouble != why;
            progress.trouble = why;
            modified
        });
    }

    fn say_stopped(&self, why: &str) {
        tracing::error!(view = self.live.view.name(), partition = self.live.partition, why, "a view has stopped");
        self.progress().send_modify(|progress| progress.stopped = Some(why.into()));
        self.measure();
    }

    /// Waits until somebody decides about the record that stopped it. False: it was told to stop.
    fn wait_for_a_decision(&mut self) -> bool {
        let decided = self.parts.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => false,
                decided = self.control.changed() => decided.is_ok(),
            }
        });
        if decided {
            self.decisions = self.live.decisions();
            self.progress().send_modify(|progress| progress.stopped = None);
            self.measure();
        }
        decided && !self.is_retired()
    }

    fn wait(&self, length: Duration) {
        let stop = self.stop.clone();
        self.parts.runtime.block_on(async { tokio::time::timeout(length, stop.cancelled()).await.ok() });
    }

    fn measure(&self) {
        let progress = self.progress().borrow().clone();
        self.meters.lag_records.set(progress.lag_records() as f64);
        self.meters.lag_seconds.set(progress.lag_seconds());
        self.meters.stopped.set(if progress.stopped.is_some() { 1.0 } else { 0.0 });
    }

    fn flush_in_time(&mut self) {
        if self.flushed.elapsed() < self.parts.options.flush_every {
            return;
        }
        self.flushed = Instant::now();
        self.measure();
        self.store.measure(&format!("view-{}-{}", self.live.view.name(), self.live.partition));
        if !self.unflushed {
            return;
        }
        match self.store.begin_flush() {
            Ok(()) => self.unflushed = false,
            // Nothing is lost: what is not on the disk is folded again after a restart.
            Err(error) => tracing::warn!(view = self.live.view.name(), %error, "a view could not be flushed"),
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.store.flush() {
            tracing::warn!(view = self.live.view.name(), %error, "a view could not be flushed");
        }
    }
}

/// The position in front of a valid record: reading goes on with the record itself.
fn before(place: Place, after: &Position) -> Position {
    Position { offset: place.offset, term: Some(place.term), next: place.n, ..after.clone() }
}
