//! Views as they were, made once for all who ask.
//!
//! Whoever asks first has one made; who asks for the same moment meanwhile waits for that. It is made in a task of its own, so
//! that a caller who goes away takes nothing from the others, and one that comes again after its deadline finds what it asked
//! for. So many are made at once, so many may wait for that, the rest is refused. The latest are kept.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pactum_ids::ProgramId;
use pactum_log::{Log, Partition};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::MachineError;
use super::meters::MachineMeters;
use super::moment::Moment;
use super::scratch::{Base, Plan, Scratch, Tools};
use super::shelves::Shelves;
use crate::live::LiveView;
use crate::store::ViewStore;

/// The least that a caller is told to wait before it asks again.
const RETRY: Duration = Duration::from_millis(100);

/// Which view, and when.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    partition: Partition,
    view: &'static str,
    /// Of the rows that answered when it was asked for: others may have taken their place since.
    version: u32,
    /// Right behind a record, and so of that record's program alone.
    offset: u64,
}

type Outcome = Result<Arc<Scratch>, Arc<MachineError>>;

enum Entry {
    /// It is being made, or waits for that. Holds what is told to those who wait for it.
    Making(Arc<watch::Sender<Option<Outcome>>>),
    Kept {
        scratch: Arc<Scratch>,
        program: ProgramId,
        /// Counts up with every use: the least goes first.
        used: u64,
    },
}

#[derive(Default)]
struct State {
    entries: HashMap<Key, Entry>,
    uses: u64,
}

/// What is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) view: &'a Arc<LiveView>,
    pub(crate) program: &'a ProgramId,
    pub(crate) moment: Moment,
}

/// Makes and keeps views as they were. Clones are the same.
#[derive(Clone)]
pub(crate) struct Machines(Arc<Inner>);

struct Inner {
    log: Arc<dyn Log>,
    shelves: Arc<Shelves>,
    directory: PathBuf,
    state: Mutex<State>,
    slots: Semaphore,
    meters: MachineMeters,
    /// The number of the next directory.
    next: AtomicU64,
    /// How long it took lately, in microseconds.
    took: AtomicU64,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Machines {
    /// Makes them in `directory`, from which it removes what a process before this one left.
    pub(crate) fn open(
        log: Arc<dyn Log>,
        shelves: Arc<Shelves>,
        directory: PathBuf,
        stop: CancellationToken,
    ) -> std::io::Result<Self> {
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let slots = Semaphore::new(shelves.options.at_once.max(1));
        Ok(Self(Arc::new(Inner {
            log,
            shelves,
            directory,
            state: Mutex::default(),
            slots,
            meters: MachineMeters::new(),
            next: AtomicU64::new(0),
            took: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            stop,
        })))
    }

    /// The view as of the moment, kept or made.
    pub(crate) async fn get(&self, wanted: Wanted<'_>, deadline: Instant) -> Result<Arc<Scratch>, Arc<MachineError>> {
        let mut told = match self.0.look_up(&wanted)? {
            Found::Kept(scratch) => return Ok(scratch),
            Found::Made(told) => told,
            Found::ToMake(key, sender) => {
                let told = sender.subscribe();
                let inner = Arc::clone(&self.0);
                let (view, program, moment) = (Arc::clone(wanted.view), wanted.program.clone(), wanted.moment);
                self.0.tasks.spawn(async move { inner.make(key, &sender, view, program, moment).await });
                told
            }
        };
        let outcome = tokio::time::timeout_at(deadline.into(), told.wait_for(Option::is_some)).await;
        match outcome {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or_else(|| Err(Arc::new(MachineError::Stopping))),
            Ok(Err(_)) => Err(Arc::new(MachineError::Stopping)),
            Err(_) => Err(Arc::new(MachineError::NotReady)),
        }
    }

    /// How long a caller should wait before it asks again.
    pub(crate) fn retry_after(&self) -> Duration {
        Duration::from_micros(self.0.took.load(Ordering::Relaxed)).max(RETRY)
    }

    /// Waits until nothing is being made any more, after the stop, and lets go of everything.
    pub(crate) async fn stopped(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
        let entries = std::mem::take(&mut self.0.state().entries);
        // Closing databases takes the disk.
        drop(tokio::task::spawn_blocking(move || drop(entries)).await);
    }
}

/// What is there for a caller.
enum Found {
    Kept(Arc<Scratch>),
    Made(watch::Receiver<Option<Outcome>>),
    ToMake(Key, Arc<watch::Sender<Option<Outcome>>>),
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_up(&self, wanted: &Wanted<'_>) -> Result<Found, Arc<MachineError>> {
        let live = wanted.view;
        let version = live.store().view().version();
        let key = Key { partition: live.partition, view: live.view.name(), version, offset: wanted.moment.offset };
        let mut state = self.state();
        state.uses += 1;
        let uses = state.uses;
        match state.entries.get_mut(&key) {
            Some(Entry::Kept { scratch, used, .. }) => {
                *used = uses;
                self.meters.hits.increment(1);
                return Ok(Found::Kept(Arc::clone(scratch)));
            }
            Some(Entry::Making(sender)) => {
                self.meters.joined.increment(1);
                return Ok(Found::Made(sender.subscribe()));
            }
            None => {}
        }
        let making = state.entries.values().filter(|entry| matches!(entry, Entry::Making(_))).count();
        let options = &self.shelves.options;
        if self.stop.is_cancelled() {
            return Err(Arc::new(MachineError::Stopping));
        }
        if making >= options.at_once.max(1) + options.queue {
            self.meters.refused.increment(1);
            return Err(Arc::new(MachineError::Busy));
        }
        let sender = Arc::new(watch::Sender::new(None));
        state.entries.insert(key.clone(), Entry::Making(Arc::clone(&sender)));
        Ok(Found::ToMake(key, sender))
    }

    async fn make(
        self: Arc<Self>,
        key: Key,
        sender: &watch::Sender<Option<Outcome>>,
        view: Arc<LiveView>,
        program: ProgramId,
        moment: Moment,
    ) {
        let slot = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            slot = self.slots.acquire() => slot.ok(),
        };
        if slot.is_none() {
            return self.finish(key, sender, program, Err(MachineError::Stopping));
        }
        {
            // Whoever asks subscribes under the same lock, so nobody comes in between.
            let mut state = self.state();
            if sender.receiver_count() == 0 {
                state.entries.remove(&key);
                self.meters.abandoned.increment(1);
                return;
            }
        }
        self.meters.working.increment(1.0);
        let started = Instant::now();
        let (inner, of, runtime) = (Arc::clone(&self), program.clone(), Handle::current());
        let (at, served) = (key.clone(), view);
        let made = tokio::task::spawn_blocking(move || inner.make_here(&at, &served, of, moment, &runtime)).await;
        let made = made.unwrap_or(Err(MachineError::Panicked));
        self.meters.working.decrement(1.0);
        if let Ok((_, records)) = &made {
            let took = started.elapsed();
            self.meters.seconds.record(took.as_secs_f64());
            self.meters.records.record(*records as f64);
            self.took.store(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
            tracing::debug!(view = key.view, %program, moment.sequence, records, ?took, "restored");
        }
        self.finish(key, sender, program, made.map(|(scratch, _)| scratch));
    }

    fn make_here(
        &self,
        key: &Key,
        live: &LiveView,
        program: ProgramId,
        moment: Moment,
        runtime: &Handle,
    ) -> Result<(Scratch, u64), MachineError> {
        fs::create_dir_all(&self.directory)?;
        let store = live.store();
        let (view, partition, decisions) = (store.view(), live.partition, live.decisions());
        let tools = Tools { log: &self.log, shared: &self.shelves.shared, runtime, stop: &self.stop };
        loop {
            let (program, decisions) = (program.clone(), Arc::clone(&decisions));
            let base = self.base(key, live, &store, &program)?;
            let plan = Plan { view, partition, program, moment, base, decisions };
            let path = self.directory.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
            let made = Scratch::make(&plan, path, &tools);
            let (Err(error), Base::Checkpoint(checkpoint)) = (&made, &plan.base) else { return made };
            let Some(why) = error.damage() else { return made };
            // The past is folded from further back without it.
            self.shelves.of(view, partition, &store)?.discard(checkpoint, &why);
        }
    }

    /// What is nearest before the moment: a checkpoint, or a moment of the same program that was restored before.
    fn base(&self, key: &Key, live: &LiveView, store: &ViewStore, program: &ProgramId) -> Result<Base, MachineError> {
        let view = store.view();
        let checkpoint = self.shelves.of(view, live.partition, store)?.nearest(key.offset);
        let from = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.label.position.offset);
        let state = self.state();
        let restored = state.entries.iter().filter_map(|(other, entry)| match entry {
            Entry::Kept { scratch, program: of, .. } if of == program && other.view == key.view => {
                // Rows of another version are none to fold on.
                (scratch.store().view().version() == view.version()).then_some((other, scratch))
            }
            _ => None,
        });
        let earlier = restored
            .filter(|(other, _)| other.partition == key.partition && (from..key.offset).contains(&other.offset))
            .max_by_key(|(other, _)| other.offset);
        Ok(match (earlier, checkpoint) {
            (Some((_, scratch)), _) => Base::Scratch(Arc::clone(scratch)),
            (None, Some(checkpoint)) => Base::Checkpoint(checkpoint),
            (None, None) => Base::Beginning,
        })
    }

    fn finish(
        &self,
        key: Key,
        sender: &watch::Sender<Option<Outcome>>,
        program: ProgramId,
        made: Result<Scratch, MachineError>,
    ) {
        let outcome = made.map(Arc::new).map_err(Arc::new);
        let mut evicted = Vec::new();
        {
            let mut state = self.state();
            match &outcome {
                Ok(scratch) => {
                    self.meters.built.increment(1);
                    state.uses += 1;
                    let used = state.uses;
                    state.entries.insert(key, Entry::Kept { scratch: Arc::clone(scratch), program, used });
                    while let Some(entry) = state.take_least_used(self.shelves.options.scratches.max(1)) {
                        evicted.push(entry);
                    }
                    self.meters.evicted.increment(evicted.len() as u64);
                    self.meters.kept.set(state.kept().count() as f64);
                }
                Err(_) => {
                    self.meters.failed.increment(1);
                    state.entries.remove(&key);
                }
            }
        }
        // Their files go once the last query that reads them is done.
        drop(evicted);
        sender.send_replace(Some(outcome));
    }
}

impl State {
    fn kept(&self) -> impl Iterator<Item = (&Key, u64)> {
        self.entries.iter().filter_map(|(key, entry)| match entry {
            Entry::Kept { used, .. } => Some((key, *used)),
            Entry::Making(_) => None,
        })
    }

    /// Takes out the one that was used longest ago, where there are more than `room`.
    fn take_least_used(&mut self, room: usize) -> Option<Entry> {
        if self.kept().count() <= room {
            return None;
        }
        let least = self.kept().min_by_key(|(_, used)| *used).map(|(key, _)| key.clone())?;
        self.entries.remove(&least)
    }
}
