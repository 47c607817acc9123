//! Opening the views of a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pactum_journal::Position;
use pactum_log::Partition;
use pactum_views::View;

use crate::builds::Builds;
use crate::decisions::Decisions;
use crate::live::LiveView;
use crate::machine::Shelves;
use crate::options::ProjectorOptions;
use crate::store::{ViewStore, ViewStoreError};

/// How many views are opened at once.
const OPENERS: usize = 6;

/// Views that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A view's files cannot be used.
    #[error("the view {view} of partition {partition} cannot be opened")]
    View {
        /// Which view.
        view: &'static str,
        /// Of which partition.
        partition: Partition,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was left of restored views and checkpoints cannot be removed.
    #[error("what was left of the past in {} cannot be removed", data.display())]
    Past {
        /// The directory of the views.
        data: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

pub(crate) type Opened = Result<(LiveView, Position), OpenError>;

/// Opens views side by side: each waits for the disk most of the time.
pub(crate) fn open_all(
    options: &ProjectorOptions,
    shelves: &Arc<Shelves>,
    all: &[(Partition, &'static dyn View)],
) -> Vec<Opened> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut opened = Vec::new();
        while let Some((index, (partition, view))) = take(&next, all) {
            opened.push((index, open(options, shelves, partition, view)));
        }
        opened
    };
    let mut opened = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..OPENERS).map(|_| scope.spawn(work)).collect();
        let joined = threads.into_iter().flat_map(|thread| match thread.join() {
            Ok(opened) => opened,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect::<Vec<_>>()
    });
    opened.sort_by_key(|(index, _)| *index);
    opened.into_iter().map(|(_, opened)| opened).collect()
}

fn take<T: Copy>(next: &AtomicUsize, all: &[T]) -> Option<(usize, T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    all.get(index).map(|one| (index, *one))
}

pub(crate) fn open(
    options: &ProjectorOptions,
    shelves: &Arc<Shelves>,
    partition: Partition,
    view: &'static dyn View,
) -> Opened {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| OpenError::View { view: view.name(), partition, source };
    let files = |error: std::io::Error| failed(Box::new(error));
    let rows = |error: ViewStoreError| failed(Box::new(error));
    let directory = options.data.join(partition.to_string());
    let builds = Builds::of(&directory, view);
    let path = builds.path(&builds.live().map_err(files)?);
    let store = ViewStore::open(&path, view, &options.shared).map_err(rows)?;
    // Only now: the store's lock says that no other process is building.
    builds.remove_unfinished().map_err(files)?;
    let position = store.position().map_err(rows)?;
    let decided = Decisions::path(&directory, view.name());
    let decisions = Decisions::read(&decided).map_err(files)?;
    Ok((
        LiveView::new(view, partition, builds, store, Arc::clone(shelves), position.offset, (decided, decisions)),
        position,
    ))
}

/// Opens a view's rows to read them only; no other process may write to them.
pub(crate) fn look(
    options: &ProjectorOptions,
    partition: Partition,
    view: &'static dyn View,
) -> Result<ViewStore, OpenError> {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| OpenError::View { view: view.name(), partition, source };
    let builds = Builds::of(&options.data.join(partition.to_string()), view);
    let path = builds.path(&builds.live().map_err(|error| failed(Box::new(error)))?);
    ViewStore::look(&path, view, &options.shared).map_err(|error| failed(Box::new(error)))
}
