//! A view of a partition while it is served: its rows, and how far the fold has come.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use pactum_domain::time::Timestamp;
use pactum_ids::ProgramId;
use pactum_log::Partition;
use pactum_views::clock::{self, Clock};
use pactum_views::{RowError, View};
use tokio::sync::watch;

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
    /// The rows that answer; another build of the view may take its place.
    store: RwLock<Arc<ViewStore>>,
    pub(crate) progress: watch::Sender<Progress>,
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
    pub(crate) fn new(view: &'static dyn View, partition: Partition, store: ViewStore, offset: u64) -> Self {
        let progress = watch::Sender::new(Progress { offset, ..Progress::default() });
        Self { view, partition, store: RwLock::new(Arc::new(store)), progress }
    }

    /// The rows that answer now. A query goes on with those it began with, whatever takes their place meanwhile.
    pub(crate) fn store(&self) -> Arc<ViewStore> {
        Arc::clone(&self.store.read().unwrap_or_else(PoisonError::into_inner))
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
