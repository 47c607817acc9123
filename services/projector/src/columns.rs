//! Programs' pipelines held in memory, within a limit.
//!
//! The first question about a whole program reads its rows into [`Columns`]; later ones take what was written since and are
//! answered from there. What was asked about longest ago goes when there is no more room. A program for which there is none is
//! answered from its rows, as the past is.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard, TryLockError, Weak};
use std::time::Duration;

use metrics::{Counter, Gauge, counter, gauge};
use pactum_ids::{PartnerId, ProgramId};
use pactum_views::pipeline::{Answer, Columns, Dimension, Filter, QueryError};

use crate::store::ViewStore;
use crate::watches::Watching;

/// How often, and how long, a reader waits for a batch that was announced before it began, and is being written.
const TRIES: u32 = 200;
const PAUSE: Duration = Duration::from_millis(1);

/// Changes of a small program that may wait, in bytes; of a larger one, half of what it takes itself: to take more of them
/// costs as much as to read the rows.
const WAITING: usize = 256 * 1024;

/// What is asked.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) program: ProgramId,
    /// The partner whose eyes see the answer; none: the vendor's.
    pub(crate) scope: Option<PartnerId>,
    pub(crate) filter: Filter,
    pub(crate) group_by: Vec<Dimension>,
}

/// The programs that are held.
pub(crate) struct ColumnPool {
    /// Bytes that they may take together.
    most: usize,
    held: Mutex<HashMap<ProgramId, Arc<Held>>>,
    /// Taken while rows are read, so that what is not counted yet is one program's.
    loading: Mutex<()>,
    clock: AtomicU64,
    meters: Meters,
}

/// A program that is held, or that was asked about and has no room.
struct Held {
    program: ProgramId,
    store: Weak<ViewStore>,
    /// When it was asked about last.
    used: AtomicU64,
    bytes: AtomicUsize,
    ticket: AtomicU64,
    state: RwLock<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    /// With the offset up to which the columns hold.
    Loaded(Box<Columns>, u64),
    /// It takes more than all may take.
    TooLarge,
}

struct Meters {
    bytes: Gauge,
    loads: Counter,
    evictions: Counter,
    from_memory: Counter,
    from_rows: Counter,
}

impl ColumnPool {
    /// Holds up to so many bytes; 0: nothing.
    pub(crate) fn new(most: usize) -> Self {
        let answers = |from: &'static str| counter!("pactum_pipeline_answers_total", "from" => from);
        let meters = Meters {
            bytes: gauge!("pactum_pipeline_memory_bytes"),
            loads: counter!("pactum_pipeline_loads_total"),
            evictions: counter!("pactum_pipeline_evictions_total"),
            from_memory: answers("memory"),
            from_rows: answers("rows"),
        };
        Self { most, held: Mutex::default(), loading: Mutex::default(), clock: AtomicU64::new(0), meters }
    }

    /// Answers as the store's rows would now, and says up to which sequence the answer holds. `None`: ask the rows. Blocks on
    /// the disk where the program is not held.
    pub(crate) fn answer(
        &self,
        store: &Arc<ViewStore>,
        question: &Question,
    ) -> Option<(u64, Result<Answer, QueryError>)> {
        let answer = self.answer_from_memory(store, question);
        let counter = if answer.is_some() { &self.meters.from_memory } else { &self.meters.from_rows };
        counter.increment(1);
        answer
    }

    fn answer_from_memory(
        &self,
        store: &Arc<ViewStore>,
        question: &Question,
    ) -> Option<(u64, Result<Answer, QueryError>)> {
        // A question about few partners reads few rows: it is no reason to read all of them.
        let loads = question.scope.is_none() && question.filter.partners.is_empty();
        let held = self.find(store, &question.program, loads)?;
        held.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let answer = |columns: &Columns| {
            let Question { scope, filter, group_by, .. } = question;
            (columns.sequence(), columns.query(scope.as_ref(), filter, group_by))
        };
        let offset = store.offset()?;
        let state = match held.state.try_read() {
            Ok(state) => state,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Reading few rows is quicker than waiting until all are read.
            Err(TryLockError::WouldBlock) if !loads => return None,
            Err(TryLockError::WouldBlock) => held.state.read().unwrap_or_else(PoisonError::into_inner),
        };
        match &*state {
            State::Loaded(columns, at) if *at >= offset => return Some(answer(columns)),
            State::Empty if !loads => return None,
            State::TooLarge => return None,
            State::Loaded(..) | State::Empty => drop(state),
        }
        let mut state = held.state.write().unwrap_or_else(PoisonError::into_inner);
        // Out of its place meanwhile, so that a panic leaves nothing half done in it.
        *state = match std::mem::take(&mut *state) {
            State::Loaded(columns, _) => self.take_changes(&held, store, columns).unwrap_or_else(|| {
                store.watches().end(&held.program, held.ticket.load(Ordering::Relaxed));
                held.bytes.store(0, Ordering::Relaxed);
                State::Empty
            }),
            other => other,
        };
        if loads && matches!(*state, State::Empty) {
            *state = self.load(&held, store).unwrap_or_default();
        }
        match &*RwLockWriteGuard::downgrade(state) {
            State::Loaded(columns, _) => Some(answer(columns)),
            State::Empty | State::TooLarge => None,
        }
    }

    /// The program as it is held; where it is not, a place for it if it is to be.
    fn find(&self, store: &Arc<ViewStore>, program: &ProgramId, loads: bool) -> Option<Arc<Held>> {
        let mut all = self.all();
        let found = all.get(program).filter(|held| held.store.as_ptr() == Arc::as_ptr(store));
        if found.is_some() || !loads || self.most == 0 {
            return found.cloned();
        }
        let held = Arc::new(Held {
            program: program.clone(),
            store: Arc::downgrade(store),
            used: AtomicU64::new(0),
            bytes: AtomicUsize::new(0),
            ticket: AtomicU64::new(0),
            state: RwLock::default(),
        });
        // Those of rows that answer no more go.
        all.insert(program.clone(), Arc::clone(&held));
        Some(held)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ProgramId, Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was written since. `None`: the rows are to be read.
    fn take_changes(&self, held: &Held, store: &ViewStore, mut columns: Box<Columns>) -> Option<State> {
        let (offset, ticket) = (store.offset()?, held.ticket.load(Ordering::Relaxed));
        for write in store.watches().take(&held.program, ticket, offset)? {
            columns.apply(write.keyspace, &write.key, write.row.as_deref()).ok()?;
        }
        let bytes = columns.bytes();
        let limit = limit(bytes);
        store.watches().limit(&held.program, ticket, limit);
        self.make_room(held, bytes + limit).then_some(State::Loaded(columns, offset))
    }

    /// Reads the program's rows. `None`: they cannot be read, or the room went to others meanwhile.
    fn load(&self, held: &Held, store: &ViewStore) -> Option<State> {
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let Watching { ticket, from } = store.watches().watch(&held.program, limit(self.most));
        held.ticket.store(ticket, Ordering::Relaxed);
        let state = self.read(held, store, from);
        match &state {
            Some(State::Loaded(columns, _)) => {
                store.watches().limit(&held.program, ticket, limit(columns.bytes()));
                self.meters.loads.increment(1);
            }
            _ => store.watches().end(&held.program, ticket),
        }
        state
    }

    fn read(&self, held: &Held, store: &ViewStore, from: u64) -> Option<State> {
        for _ in 0..TRIES {
            let rows = store.snapshot();
            let offset = rows.position().ok()?.offset;
            if offset < from {
                std::thread::sleep(PAUSE);
                continue;
            }
            let has_room = |bytes| self.make_room(held, bytes + limit(bytes));
            let columns = Columns::load(&rows, &held.program, has_room).ok()?;
            return match columns {
                Some(columns) => Some(State::Loaded(Box::new(columns), offset)),
                None if held.bytes.swap(0, Ordering::Relaxed) > self.most => Some(State::TooLarge),
                None => None,
            };
        }
        None
    }

    /// Notes what a program takes, and lets others go until all have room. False where there is none for it.
    fn make_room(&self, held: &Held, bytes: usize) -> bool {
        held.bytes.store(bytes, Ordering::Relaxed);
        let mut all = self.all();
        // It was let go itself.
        if !all.get(&held.program).is_some_and(|kept| std::ptr::eq(Arc::as_ptr(kept), held)) {
            return false;
        }
        let total =
            |all: &HashMap<_, Arc<Held>>| all.values().map(|held| held.bytes.load(Ordering::Relaxed)).sum::<usize>();
        let mut together = total(&all);
        while together > self.most {
            let others = all.values().filter(|other| !std::ptr::eq(Arc::as_ptr(other), held));
            let others = others.filter(|other| other.bytes.load(Ordering::Relaxed) > 0);
            let Some(oldest) = others.min_by_key(|other| other.used.load(Ordering::Relaxed)) else { break };
            let program = oldest.program.clone();
            let Some(gone) = all.remove(&program) else { break };
            if let Some(store) = gone.store.upgrade() {
                store.watches().end(&program, gone.ticket.load(Ordering::Relaxed));
            }
            self.meters.evictions.increment(1);
            together = total(&all);
        }
        self.meters.bytes.set(together as f64);
        together <= self.most
    }
}

/// How many bytes of changes may wait for columns of so many.
fn limit(bytes: usize) -> usize {
    WAITING + bytes / 2
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
