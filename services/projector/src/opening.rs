//! Opening the views of a process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pactum_journal::Position;
use pactum_log::Partition;
use pactum_store::Shared;
use pactum_views::View;

use crate::builds::Builds;
use crate::decisions::Decisions;
use crate::live::LiveView;
use crate::lock::InUse;
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
    /// Another process works on the directory.
    #[error(transparent)]
    InUse(#[from] InUse),
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
    earlier: Earlier,
) -> Vec<Opened> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut opened = Vec::new();
        while let Some((index, (partition, view))) = take(&next, all) {
            opened.push((index, open(options, shelves, partition, view, earlier)));
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
    earlier: Earlier,
) -> Opened {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| OpenError::View { view: view.name(), partition, source };
    let files = |error: std::io::Error| failed(Box::new(error));
    let directory = options.data.join(partition.to_string());
    let builds = Builds::of(&directory, view);
    // What a human decided cannot be made anew, so it is looked at before anything else is done.
    let decided = Decisions::path(&directory, view.name());
    let decisions = Decisions::read(&decided).map_err(|error| failed(Box::new(error)))?;
    let mut rows = Rows::of_this_version(&builds, &options.shared).map_err(failed)?;
    let mut successor = None;
    if earlier == Earlier::Answers
        && let Some((name, of)) = builds.earlier().map_err(files)?
        && let Some(older) = Rows::of_earlier_version(&builds, &name, of, &options.shared).map_err(failed)?
        && older.position.offset > rows.position.offset
    {
        let first = builds.first();
        tracing::info!(view = view.name(), partition, answers = name, made = first, "a view changes its version");
        rows = older;
        successor = Some(first);
    }
    // Only now: the store's lock says that no other process is building.
    builds.remove_unfinished().map_err(files)?;
    let Rows { store, position } = rows;
    let live =
        LiveView::new(view, partition, builds, store, Arc::clone(shelves), position.offset, (decided, decisions));
    Ok((live.followed_by(successor), position))
}

/// What becomes of the rows of an earlier version while there are none of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// They answer until this version has caught up.
    Answers,
    /// They stay as they are.
    Rests,
}

/// Rows that were opened, and up to where they hold.
struct Rows {
    store: ViewStore,
    position: Position,
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Rows {
    fn open(path: &Path, view: &'static dyn View, shared: &Shared) -> Result<Self, ViewStoreError> {
        let store = ViewStore::open(path, view, shared)?;
        let position = store.position()?;
        Ok(Self { store, position })
    }

    /// The rows that answer. Those that are damaged are put aside, and the next best are caught up, or folded from zero.
    fn of_this_version(builds: &Builds, shared: &Shared) -> Result<Self, Cause> {
        loop {
            let name = builds.live()?;
            let view =
                builds.view_of(&name).ok_or_else(|| format!("{name} is of no version that this program folds"))?;
            match Self::open(&builds.path(&name), view, shared) {
                Ok(rows) => {
                    if let Some(why) = builds.damage(&name) {
                        rows.store.mark_damaged(why);
                    }
                    return Ok(rows);
                }
                Err(error) => match error.damage() {
                    Some(why) => builds.set_aside(&name, &why)?,
                    None => return Err(error.into()),
                },
            }
        }
    }

    /// The rows of a version before; `None` where they are damaged, so that this one is built as if there were none.
    fn of_earlier_version(
        builds: &Builds,
        name: &str,
        view: &'static dyn View,
        shared: &Shared,
    ) -> Result<Option<Self>, Cause> {
        if let Some(why) = builds.damage(name) {
            builds.set_aside(name, &why)?;
            return Ok(None);
        }
        match Self::open(&builds.path(name), view, shared) {
            Ok(rows) => Ok(Some(rows)),
            Err(error) => match error.damage() {
                Some(why) => builds.set_aside(name, &why).map(|()| None).map_err(Cause::from),
                None => Err(error.into()),
            },
        }
    }
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
