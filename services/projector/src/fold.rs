//! The fold of one partition: a thread that reads the log and writes every view.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pactum_domain::time::Timestamp;
use pactum_events::{Record, decode};
use pactum_journal::{Batch, FollowError, Follower, Position, Valid};
use pactum_log::{Log, Partition};
use pactum_views::{Changes, FoldError, Folded, Place, fold};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::live::{LiveView, Progress};
use crate::meters::FoldMeters;
use crate::options::ProjectorOptions;

/// How long to wait before trying again what failed for a reason that may pass.
const RETRY: Duration = Duration::from_millis(500);

/// How often the log's end is asked for while there is something to read.
const ASK_END_EVERY: Duration = Duration::from_millis(100);

/// One partition's fold.
pub(crate) struct PartitionFold {
    log: Arc<dyn Log>,
    partition: Partition,
    views: Vec<FoldedView>,
    options: ProjectorOptions,
    runtime: Handle,
    stop: CancellationToken,
    end_asked: Option<Instant>,
    flushed: Instant,
}

/// A view and how far it is folded.
struct FoldedView {
    live: Arc<LiveView>,
    position: Position,
    meters: FoldMeters,
    stopped: bool,
    unflushed: bool,
}

/// A record of a batch: decoded once, for all views.
struct Decoded {
    place: Place,
    record: Result<Record, Arc<str>>,
}

impl PartitionFold {
    pub(crate) fn new(
        log: Arc<dyn Log>,
        partition: Partition,
        views: Vec<(Arc<LiveView>, Position)>,
        options: ProjectorOptions,
        runtime: Handle,
        stop: CancellationToken,
    ) -> Self {
        let views = views.into_iter().map(|(live, position)| {
            let meters = FoldMeters::new(live.view.name(), partition);
            FoldedView { live, position, meters, stopped: false, unflushed: false }
        });
        let views = views.collect();
        Self { log, partition, views, options, runtime, stop, end_asked: None, flushed: Instant::now() }
    }

    /// Folds until the token is cancelled; blocks, so it has a thread of its own.
    pub(crate) fn run(mut self) {
        let runtime = self.runtime.clone();
        while !self.stop.is_cancelled() && self.views.iter().any(|view| !view.stopped) {
            match self.follow(&runtime) {
                Ok(()) => break,
                Err(FollowError::Log { source, .. }) => {
                    self.trouble(Some(format!("the log cannot be read: {source}")));
                    let stop = self.stop.clone();
                    runtime.block_on(async { tokio::time::timeout(RETRY, stop.cancelled()).await.ok() });
                }
                Err(error) => self.stop_all(&chain(&error)),
            }
        }
        self.flush();
    }

    /// Follows the log from the view that is furthest behind. `Ok`: told to stop, or nothing is left to fold for.
    fn follow(&mut self, runtime: &Handle) -> Result<(), FollowError> {
        runtime.block_on(self.check_log())?;
        let Some(from) = self.running().map(|view| &view.position).min_by_key(|position| position.offset).cloned()
        else {
            return Ok(());
        };
        let mut follower = runtime.block_on(Follower::open(Arc::clone(&self.log), self.partition, from))?;
        self.trouble(None);
        runtime.block_on(self.ask_end(&follower))?;
        while self.running().next().is_some() {
            let stop = self.stop.clone();
            let wait = self.options.flush_every.min(Duration::from_secs(1));
            let batch = runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => None,
                    batch = tokio::time::timeout(wait, follower.next(self.options.batch)) => Some(batch),
                }
            });
            match batch {
                None => return Ok(()),
                Some(Ok(batch)) => {
                    let batch = batch?;
                    self.fold(&batch);
                    runtime.block_on(self.ask_end(&follower))?;
                }
                Some(Err(_)) => {
                    self.end_asked = None;
                    runtime.block_on(self.ask_end(&follower))?;
                }
            }
            if self.flushed.elapsed() >= self.options.flush_every {
                self.flush();
            }
        }
        Ok(())
    }

    /// Stops the views that were folded from another log, or from more of this one than there is.
    async fn check_log(&mut self) -> Result<(), FollowError> {
        let partition = self.partition;
        let end = self.log.end(partition).await.map_err(|source| FollowError::Log { partition, source })?;
        let mut genesis = None;
        if self.running().any(|view| view.position.offset > 0) {
            let mut first = Follower::open(Arc::clone(&self.log), partition, Position::default()).await?;
            while first.position().genesis.is_none() && first.position().offset < end {
                first.next(1).await?;
            }
            genesis = first.position().genesis;
        }
        for view in self.views.iter_mut().filter(|view| !view.stopped && view.position.offset > 0) {
            if view.position.offset > end {
                let held = view.position.offset;
                view.stop(&format!(
                    "the log was truncated: the view has read up to offset {held}, the log ends at {end}; restore the \
                     log, or move the view's directory away to build it anew from what is left"
                ));
            } else if view.position.genesis != genesis {
                view.stop("the view was built from another log; move its directory away to build it anew");
            }
        }
        Ok(())
    }

    fn running(&self) -> impl Iterator<Item = &FoldedView> {
        self.views.iter().filter(|view| !view.stopped)
    }

    /// Folds a batch into every view that runs.
    fn fold(&mut self, batch: &Batch) {
        let decoded: Vec<Decoded> = batch.records.iter().map(Decoded::of).collect();
        let stop = &self.stop;
        for view in self.views.iter_mut().filter(|view| !view.stopped) {
            // A view that is ahead of the others has seen the batch, or its beginning.
            if batch.position.offset <= view.position.offset {
                continue;
            }
            let started = Instant::now();
            let from = decoded.partition_point(|one| one.place.offset < view.position.offset);
            let folded = view.fold(&decoded[from..], &batch.position, stop);
            view.meters.records.increment(folded as u64);
            view.meters.seconds.record(started.elapsed().as_secs_f64());
        }
    }

    async fn ask_end(&mut self, follower: &Follower) -> Result<(), FollowError> {
        // A view that has caught up by now must not wait for the next round to say so: readiness depends on it.
        let settled = self.views.iter().all(|view| view.stopped || view.live.progress.borrow().caught_up);
        if settled && self.end_asked.is_some_and(|asked| asked.elapsed() < ASK_END_EVERY) {
            return Ok(());
        }
        let end = follower.end().await?;
        self.end_asked = Some(Instant::now());
        for view in &self.views {
            view.live.progress.send_if_modified(|progress| {
                let caught_up = progress.caught_up || (!view.stopped && progress.offset >= end);
                let modified = progress.end != end || progress.caught_up != caught_up;
                (progress.end, progress.caught_up) = (end, caught_up);
                modified
            });
            view.measure();
        }
        Ok(())
    }

    fn flush(&mut self) {
        self.flushed = Instant::now();
        for view in &self.views {
            view.live.store().measure(&format!("view-{}-{}", view.live.view.name(), self.partition));
        }
        for view in self.views.iter_mut().filter(|view| view.unflushed) {
            match view.live.store().flush() {
                Ok(()) => view.unflushed = false,
                // Nothing is lost: what is not on the disk is folded again after a restart.
                Err(error) => tracing::warn!(view = view.live.view.name(), %error, "a view could not be flushed"),
            }
        }
    }

    /// Says what keeps all views from going on for now; `None`: nothing.
    fn trouble(&self, why: Option<String>) {
        let why: Option<Arc<str>> = why.map(Into::into);
        if let Some(why) = &why {
            tracing::warn!(partition = self.partition, %why, "the views wait");
        }
        for view in &self.views {
            view.set_trouble(why.clone());
        }
    }

    fn stop_all(&mut self, why: &str) {
        for view in self.views.iter_mut().filter(|view| !view.stopped) {
            view.stop(why);
        }
    }
}

impl FoldedView {
    /// Folds records and writes what they change, up to the first that cannot be folded. Returns how many were folded.
    fn fold(&mut self, records: &[Decoded], after: &Position, stop: &CancellationToken) -> usize {
        let mut good = records.len();
        loop {
            match self.changes(&records[..good]) {
                Ok(writes) => {
                    let failing = records.get(good);
                    let position = failing.map_or_else(|| after.clone(), |failing| before(failing.place, after));
                    let recorded_at = last_recorded(&records[..good]);
                    self.write(&writes, position, recorded_at, stop);
                    if let Some(failing) = failing {
                        let why = failing.record.as_ref().err().map_or_else(String::new, |why| format!(": {why}"));
                        // The reason of a record that decodes was given when folding it failed.
                        if !self.stopped {
                            self.stop(&format!("the record at offset {} cannot be read{why}", failing.place.offset));
                        }
                    }
                    return good;
                }
                Err((index, why)) => {
                    if let Some(why) = why {
                        self.stop(&format!(
                            "the record at offset {} cannot be folded: {why}",
                            records[index].place.offset
                        ));
                    }
                    // Once more without it: half of a record must not be written.
                    good = index;
                }
            }
        }
    }

    /// What records change; or which one fails, with the reason where it is not in the record itself.
    fn changes(&self, records: &[Decoded]) -> Result<Vec<pactum_views::changes::Write>, (usize, Option<String>)> {
        let store = self.live.store();
        let mut changes = Changes::new(&*store);
        for (index, decoded) in records.iter().enumerate() {
            let record = decoded.record.as_ref().map_err(|_| (index, None))?;
            let folded = Folded { record, place: decoded.place };
            fold(self.live.view, &mut changes, &folded).map_err(|error| (index, Some(explain(record, &error))))?;
        }
        Ok(changes.into_writes())
    }

    /// Writes until it succeeds: a disk that is full has room again some day. Gives up when told to stop.
    fn write(
        &mut self,
        writes: &[pactum_views::changes::Write],
        position: Position,
        recorded_at: Option<Timestamp>,
        stop: &CancellationToken,
    ) {
        while let Err(error) = self.live.store().write(writes, &position) {
            tracing::warn!(view = self.live.view.name(), %error, "a view cannot be written");
            self.set_trouble(Some(format!("the view cannot be written: {error}").into()));
            std::thread::sleep(RETRY);
            if stop.is_cancelled() {
                return;
            }
        }
        self.unflushed = true;
        self.position = position;
        self.live.progress.send_modify(|progress| {
            progress.offset = self.position.offset;
            progress.end = progress.end.max(progress.offset);
            progress.recorded_at = recorded_at.or(progress.recorded_at);
            progress.trouble = None;
        });
    }

    fn set_trouble(&self, why: Option<Arc<str>>) {
        self.live.progress.send_if_modified(|progress| {
            let modified = progress.trouble != why;
            progress.trouble = why;
            modified
        });
    }

    fn stop(&mut self, why: &str) {
        tracing::error!(view = self.live.view.name(), partition = self.live.partition, why, "a view has stopped");
        self.stopped = true;
        self.live.progress.send_modify(|progress| progress.stopped = Some(why.into()));
        self.measure();
    }

    fn measure(&self) {
        let progress: Progress = self.live.progress.borrow().clone();
        self.meters.lag_records.set(progress.lag_records() as f64);
        self.meters.lag_seconds.set(progress.lag_seconds());
        self.meters.stopped.set(if self.stopped { 1.0 } else { 0.0 });
    }
}

impl Decoded {
    fn of(valid: &Valid) -> Self {
        let place = Place { offset: valid.offset, term: valid.term, n: valid.n };
        Self { place, record: decode(&valid.body).map_err(|error| error.to_string().into()) }
    }
}

fn last_recorded(records: &[Decoded]) -> Option<Timestamp> {
    records.last().and_then(|decoded| decoded.record.as_ref().ok()).map(|record| record.recorded_at)
}

fn explain(record: &Record, error: &FoldError) -> String {
    format!("sequence {} of programs/{}: {}", record.sequence, record.program, chain(error))
}

/// The position in front of a valid record: reading goes on with the record itself.
fn before(place: Place, after: &Position) -> Position {
    Position { offset: place.offset, term: Some(place.term), next: place.n, ..after.clone() }
}

/// An error with its sources, as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
