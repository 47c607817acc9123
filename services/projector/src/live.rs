//! A view of a partition while it is served: its rows, and how far the fold has come.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use pactum_domain::time::Timestamp;
use pactum_ids::ProgramId;
use pactum_log::Partition;
use pactum_views::clock::{self, Clock};
use pactum_views::{RowError, View};
use tokio::sync::watch;

use crate::builds::Builds;
use crate::decisions::{Decision, Decisions};
use crate::engine::Build;
use crate::machine::Shelves;
use crate::store::ViewStore;

/// How far a view has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// The offset of the next entry to read.
    pub(crate) offset: u64,
    /// The log's end, when it was last asked.
    pub(crate) end: u64,
    /// When the log took the last record folded.
    pub(crate) recorded_at: Option<Timestamp>,
    /// Records folded since it was opened.
    pub(crate) records: u64,
    /// Whether it has been at the log's end since it was opened.
    pub(crate) caught_up: bool,
    /// Why it goes on no further; an operator has to see to it.
    pub(crate) stopped: Option<Arc<str>>,
    /// What keeps it from going on for now.
    pub(crate) trouble: Option<Arc<str>>,
}

/// A served view.
pub(crate) struct LiveView {
    pub(crate) view: &'static dyn View,
    pub(crate) partition: Partition,
    pub(crate) builds: Builds,
    /// The rows that answer; another build of the view may take their place.
    store: RwLock<Arc<ViewStore>>,
    /// Where its checkpoints are.
    pub(crate) shelves: Arc<Shelves>,
    pub(crate) progress: watch::Sender<Progress>,
    /// Held while the rows that answer are written, and while others take their place.
    gate: Mutex<()>,
    decisions: RwLock<Arc<Decisions>>,
    decisions_path: PathBuf,
    /// Changes when somebody decided something about the view.
    pub(crate) control: watch::Sender<()>,
    /// The build that is to take the place of the rows that answer, if one is being made.
    build: Mutex<Option<Arc<Build>>>,
    /// The build that is to be made as soon as the fold begins: that of a version whose place an earlier one holds.
    pub(crate) successor: Option<String>,
    /// Builds whose files are damaged and that are to be put aside once others answer.
    damaged: Mutex<Vec<String>>,
    pub(crate) opened: Instant,
}

/// A view that does not hold what a query asks for.
#[derive(Debug)]
pub(crate) enum NotReached {
    /// The deadline passed.
    Behind { sequence: u64 },
    /// It has stopped before.
    Stopped { why: Arc<str> },
    /// Its rows cannot be read.
    Rows(RowError),
}

impl From<RowError> for NotReached {
    fn from(error: RowError) -> Self {
        Self::Rows(error)
    }
}

impl LiveView {
    pub(crate) fn new(
        view: &'static dyn View,
        partition: Partition,
        builds: Builds,
        store: ViewStore,
        shelves: Arc<Shelves>,
        offset: u64,
        (decisions_path, decisions): (PathBuf, Decisions),
    ) -> Self {
        Self {
            view,
            partition,
            builds,
            store: RwLock::new(Arc::new(store)),
            shelves,
            progress: watch::Sender::new(Progress { offset, ..Progress::default() }),
            gate: Mutex::default(),
            decisions: RwLock::new(Arc::new(decisions)),
            decisions_path,
            control: watch::Sender::new(()),
            build: Mutex::default(),
            successor: None,
            damaged: Mutex::default(),
            opened: Instant::now(),
        }
    }

    /// Says which build is to be made as soon as the fold begins.
    #[must_use]
    pub(crate) fn followed_by(self, successor: Option<String>) -> Self {
        Self { successor, ..self }
    }

    /// The rows that answer now. A query goes on with those it began with, whatever takes their place meanwhile.
    pub(crate) fn store(&self) -> Arc<ViewStore> {
        Arc::clone(&self.store.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The name of the build that answers now.
    pub(crate) fn answering(&self) -> String {
        self.store().path().file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Holds the rows that answer in their place.
    pub(crate) fn gate(&self) -> MutexGuard<'_, ()> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was decided about records that cannot be folded.
    pub(crate) fn decisions(&self) -> Arc<Decisions> {
        Arc::clone(&self.decisions.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a decision on the disk, and has the fold go on. Blocks on the disk.
    pub(crate) fn decide(&self, decision: Decision) -> std::io::Result<()> {
        let mut decisions = self.decisions.write().unwrap_or_else(PoisonError::into_inner);
        let decided = Decisions::clone(&decisions).with(decision);
        decided.save(&self.decisions_path)?;
        *decisions = Arc::new(decided);
        drop(decisions);
        self.rouse();
        Ok(())
    }

    /// Has folds that stopped try again.
    pub(crate) fn rouse(&self) {
        self.control.send_replace(());
    }

    /// The build that is being made, if one is.
    pub(crate) fn build(&self) -> Option<Arc<Build>> {
        self.build.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a build that is being made; false where there is one already.
    pub(crate) fn begin_build(&self, build: &Arc<Build>) -> bool {
        let mut slot = self.build.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_some() {
            return false;
        }
        *slot = Some(Arc::clone(build));
        true
    }

    /// Forgets the build that was being made.
    pub(crate) fn end_build(&self) -> Option<Arc<Build>> {
        self.build.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Notes that the build which answers is damaged.
    pub(crate) fn leave_damaged(&self, name: String) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if !damaged.contains(&name) {
            damaged.push(name);
        }
    }

    /// Those that are damaged and do not answer any more.
    pub(crate) fn left_damaged(&self) -> Vec<String> {
        let answers = self.answering();
        let damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        damaged.iter().filter(|name| **name != answers).cloned().collect()
    }

    /// It was put aside.
    pub(crate) fn forget_damaged(&self, name: &str) {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).retain(|damaged| damaged != name);
    }

    /// Has a build answer from now on, if it holds as much as what answers now. What it holds must be on the disk, but for
    /// what is folded again after a crash.
    pub(crate) fn take_over(&self, build: &Arc<Build>) -> std::io::Result<bool> {
        let gate = self.gate();
        let built = build.progress.borrow().clone();
        if built.offset < self.progress.borrow().offset {
            return Ok(false);
        }
        self.builds.set_live(&build.name)?;
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&build.store);
        self.end_build();
        self.progress.send_replace(built);
        drop(gate);
        self.rouse();
        Ok(true)
    }

    /// How far it has folded a program; `None` where it knows nothing of it.
    pub(crate) fn clock(&self, program: &ProgramId) -> Result<Option<Clock>, RowError> {
        clock::of(&*self.store(), program)
    }

    /// Waits until it holds everything of a program up to `min_sequence`, and says what it holds: 0 where it knows nothing of
    /// the program.
    pub(crate) async fn reach(
        &self,
        program: &ProgramId,
        min_sequence: u64,
        deadline: Instant,
    ) -> Result<u64, NotReached> {
        let sequence = self.sequence(program)?;
        if sequence >= min_sequence {
            return Ok(sequence);
        }
        let mut progress = self.progress.subscribe();
        loop {
            // Marked as seen before the rows are looked at: what is written in between wakes us again.
            let stopped = progress.borrow_and_update().stopped.clone();
            let sequence = self.sequence(program)?;
            if sequence >= min_sequence {
                return Ok(sequence);
            }
            if let Some(why) = stopped {
                return Err(NotReached::Stopped { why });
            }
            let changed = tokio::time::timeout_at(deadline.into(), progress.changed()).await;
            if !matches!(changed, Ok(Ok(()))) {
                return Err(NotReached::Behind { sequence: self.sequence(program)? });
            }
        }
    }

    fn sequence(&self, program: &ProgramId) -> Result<u64, RowError> {
        Ok(self.clock(program)?.map_or(0, |clock| clock.sequence))
    }
}
