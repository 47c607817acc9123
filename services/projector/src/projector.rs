//! The role: views opened, folded, served.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use pactum_journal::Position;
use pactum_log::{Log, Partition};
use pactum_views::View;
use pactum_views::view::ALL;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use crate::fold::PartitionFold;
use crate::live::LiveView;
use crate::options::ProjectorOptions;
use crate::queries::Queries;
use crate::services;
use crate::status::Status;
use crate::store::{ViewStore, ViewStoreError};
use crate::verify::{Verified, VerifyError, verify};

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
}

/// The fold ended wrongly.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A thread could not be started.
    #[error("the fold of partition {partition} cannot be started")]
    Start {
        /// Which partition.
        partition: Partition,
        /// Why.
        source: std::io::Error,
    },
    /// A fold ended in a panic: a bug.
    #[error("the fold of partition {partition} ended in a panic; please report this with the log")]
    Panicked {
        /// Which partition.
        partition: Partition,
    },
}

/// The projector role of a process.
pub struct Projector {
    log: Arc<dyn Log>,
    options: ProjectorOptions,
    status: Status,
    positions: Vec<Position>,
    queries: Arc<Queries>,
    /// Ends the streams that follow the log, besides the fold.
    stop: CancellationToken,
}

impl Projector {
    /// Opens every view of every partition of the log, making those that are not there. Blocks on the disk.
    ///
    /// # Errors
    /// [`OpenError`] where a view's files are in use, damaged, or of another build.
    pub fn open(log: Arc<dyn Log>, options: ProjectorOptions) -> Result<Self, OpenError> {
        let all = (0..log.partitions()).flat_map(|partition| ALL.iter().map(move |view| (partition, *view)));
        let opened = open_all(&options, &all.collect::<Vec<_>>());
        let opened: Vec<_> = opened.into_iter().collect::<Result<_, _>>()?;
        let (views, positions): (Vec<_>, Vec<_>) = opened.into_iter().map(|(live, at)| (Arc::new(live), at)).unzip();
        let status = Status { views: views.into() };
        let stop = CancellationToken::new();
        let queries = Arc::new(Queries::new(Arc::clone(&log), &status, options.clone(), stop.clone()));
        Ok(Self { log, options, status, positions, queries, stop })
    }

    /// Adds the read side's gRPC services.
    pub fn add_services(&self, routes: &mut RoutesBuilder) {
        services::add(&self.queries, &self.options, routes);
    }

    /// How the views are doing.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.clone()
    }

    /// Folds until the token is cancelled, then brings everything to the disk.
    ///
    /// # Errors
    /// [`RunError`] where a thread cannot be started, or ended in a panic. A view that stops at a record is no such error:
    /// the others go on, and [`Status`] tells.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        let threads = self.start(&stop)?;
        stop.cancelled().await;
        self.stop.cancel();
        let joined = tokio::task::spawn_blocking(move || {
            let mut result = Ok(());
            for (partition, thread) in threads {
                if thread.join().is_err() {
                    result = Err(RunError::Panicked { partition });
                }
            }
            result
        });
        joined.await.unwrap_or(Err(RunError::Panicked { partition: 0 }))
    }

    fn start(&self, stop: &CancellationToken) -> Result<Vec<(Partition, JoinHandle<()>)>, RunError> {
        let runtime = Handle::current();
        let mut threads = Vec::new();
        for partition in 0..self.log.partitions() {
            let views = self.status.views.iter().cloned().zip(self.positions.iter().cloned());
            let views = views.filter(|(live, _)| live.partition == partition).collect();
            let log = Arc::clone(&self.log);
            let fold = PartitionFold::new(log, partition, views, self.options.clone(), runtime.clone(), stop.clone());
            let thread = std::thread::Builder::new().name(format!("fold-{partition}")).spawn(move || fold.run());
            threads.push((partition, thread.map_err(|source| RunError::Start { partition, source })?));
        }
        Ok(threads)
    }

    /// Folds a view from zero beside the live one, up to where that is now, and compares the rows.
    ///
    /// # Errors
    /// [`VerifyError`] where there is no such view, or log, rows or disk fail.
    pub async fn verify(&self, partition: Partition, view: &str) -> Result<Verified, VerifyError> {
        let found = self.status.views.iter().find(|live| live.partition == partition && live.view.name() == view);
        let found = found.cloned();
        let live = found.ok_or_else(|| VerifyError::NoSuchView { view: view.to_owned(), partition })?;
        let scratch = directory(&self.options.data, partition, live.view).with_extension("verify");
        let (log, shared, runtime) = (Arc::clone(&self.log), self.options.shared.clone(), Handle::current());
        let verified = tokio::task::spawn_blocking(move || verify(&runtime, &log, &live, &scratch, &shared));
        verified.await.map_err(|_| VerifyError::Panicked)?
    }
}

impl std::fmt::Debug for Projector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projector").field("data", &self.options.data).finish_non_exhaustive()
    }
}

fn directory(data: &Path, partition: Partition, view: &dyn View) -> PathBuf {
    data.join(partition.to_string()).join(format!("{}@{}", view.name(), view.version()))
}

type Opened = Result<(LiveView, Position), OpenError>;

/// Opens views side by side: each waits for the disk most of the time.
fn open_all(options: &ProjectorOptions, all: &[(Partition, &'static dyn View)]) -> Vec<Opened> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut opened = Vec::new();
        while let Some((index, (partition, view))) = take(&next, all) {
            opened.push((index, open(options, partition, view)));
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

fn open(options: &ProjectorOptions, partition: Partition, view: &'static dyn View) -> Opened {
    let failed = |source: ViewStoreError| OpenError::View { view: view.name(), partition, source: Box::new(source) };
    let path = directory(&options.data, partition, view);
    let store = ViewStore::open(&path, view, &options.shared).map_err(failed)?;
    let position = store.position().map_err(failed)?;
    Ok((LiveView::new(view, partition, store, position.offset), position))
}
