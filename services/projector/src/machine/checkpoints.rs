//! Puts a view aside while it is folded.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use pactum_journal::Position;
use pactum_log::Partition;
use pactum_views::View;

use super::schedule;
use super::shelf::Shelf;
use super::shelves::Shelves;
use crate::store::ViewStore;

/// Held by the fold of one view, which calls it after each batch. The copying is done beside the fold, one at a time.
pub(crate) struct Checkpointer {
    shelves: Arc<Shelves>,
    view: &'static dyn View,
    partition: Partition,
    shelf: Option<Arc<Shelf>>,
    /// Up to where the view was last put aside.
    offset: u64,
    at: Instant,
    running: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// For one directory of rows: what is folded into another needs its own.
    pub(crate) fn new(shelves: Arc<Shelves>, view: &'static dyn View, partition: Partition) -> Self {
        Self { shelves, view, partition, shelf: None, offset: 0, at: Instant::now(), running: None }
    }

    /// To be called when a batch was written.
    pub(crate) fn after_batch(&mut self, store: &Arc<ViewStore>, position: &Position) {
        let Some(shelf) = self.shelf(store) else { return };
        let grown = position.offset.saturating_sub(self.offset);
        if !schedule::is_due(&self.shelves.options, grown, self.at.elapsed()) {
            return;
        }
        match self.running.take_if(|running| running.is_finished()) {
            Some(finished) => drop(finished.join()),
            None if self.running.is_some() => return,
            None => {}
        }
        (self.offset, self.at) = (position.offset, Instant::now());
        let (shelves, store) = (Arc::clone(&self.shelves), Arc::clone(store));
        let thread = std::thread::Builder::new().name("checkpoint".into());
        match thread.spawn(move || shelf.take(&store, &shelves.shared, &shelves.options)) {
            Ok(running) => self.running = Some(running),
            Err(error) => tracing::warn!(%error, "a checkpoint could not be taken: no thread"),
        }
    }

    fn shelf(&mut self, store: &ViewStore) -> Option<Arc<Shelf>> {
        if self.shelf.is_none() {
            match self.shelves.of(self.view, self.partition, store) {
                Ok(shelf) => {
                    self.offset = shelf.offsets().last().copied().unwrap_or(0);
                    self.shelf = Some(shelf);
                }
                Err(error) => tracing::warn!(view = self.view.name(), %error, "checkpoints cannot be taken"),
            }
        }
        self.shelf.clone()
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        // One that is under way holds the database open.
        if let Some(running) = self.running.take() {
            drop(running.join());
        }
    }
}
