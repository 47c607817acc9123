//! Folding some views up to the log's end, and no further: to build them ahead of time, and to measure.

use std::sync::Arc;

use pactum_log::{Log, Partition};
use pactum_views::view::ALL;
use pactum_views::{Rows, View};
use tokio_util::sync::CancellationToken;

use crate::engine::Host;
use crate::lock::DirectoryLock;
use crate::machine::Shelves;
use crate::opening::{Earlier, OpenError, look, open_all};
use crate::options::ProjectorOptions;
use crate::projector::RunError;
use crate::status::{Status, ViewStatus};

/// Views that did not get to the log's end.
#[derive(Debug, thiserror::Error)]
pub enum CatchUpError {
    /// There is no view of that name.
    #[error("there is no view {0}; there is programs, partners, deals, pipeline and ownership")]
    NoSuchView(String),
    /// A view cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The fold ended wrongly.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A view stopped at a record.
    #[error("the view {view} stopped: {why}")]
    Stopped {
        /// Which view.
        view: &'static str,
        /// Why.
        why: String,
    },
}

/// Folds views, of this product or not, up to the log's end, and brings them to the disk. Ends early when `stop` is cancelled.
/// Nobody is served.
///
/// # Errors
/// [`CatchUpError`].
pub async fn catch_up(
    log: &Arc<dyn Log>,
    options: &ProjectorOptions,
    views: &[&'static dyn View],
    stop: &CancellationToken,
) -> Result<Vec<ViewStatus>, CatchUpError> {
    let _lock = DirectoryLock::take(&options.data).map_err(OpenError::from)?;
    let all: Vec<_> =
        (0..log.partitions()).flat_map(|partition| views.iter().map(move |view| (partition, *view))).collect();
    let shelves = Arc::new(Shelves::new(options.shared.clone(), options.as_of.clone()));
    let opened = open_all(options, &shelves, &all, Earlier::Rests).into_iter().collect::<Result<Vec<_>, _>>()?;
    let (views, positions): (Vec<_>, Vec<_>) = opened.into_iter().map(|(live, at)| (Arc::new(live), at)).unzip();
    let status = Status { views: views.into() };
    let fold = stop.child_token();
    let host = Host::start(log, options, &status, &positions, &fold).await?;
    let mut stopped = None;
    for live in status.views.iter() {
        let mut progress = live.progress.subscribe();
        let arrived = progress.wait_for(|progress| progress.caught_up || progress.stopped.is_some());
        tokio::select! {
            () = fold.cancelled() => break,
            arrived = arrived => if let Some(why) = arrived.ok().and_then(|progress| progress.stopped.clone()) {
                stopped = Some(CatchUpError::Stopped { view: live.view.name(), why: why.to_string() });
                break;
            },
        }
    }
    let views = status.views();
    fold.cancel();
    let joined = tokio::task::spawn_blocking(move || host.join()).await;
    joined.unwrap_or(Err(RunError::Panicked { name: "join".to_owned() }))?;
    stopped.map_or(Ok(views), Err)
}

/// The views of these names; all of [`ALL`] where none is given.
///
/// # Errors
/// [`CatchUpError::NoSuchView`].
pub fn named(names: &[String]) -> Result<Vec<&'static dyn View>, CatchUpError> {
    if names.is_empty() {
        return Ok(ALL.to_vec());
    }
    let find = |name: &String| ALL.iter().copied().find(|view| view.name() == name);
    names.iter().map(|name| find(name).ok_or_else(|| CatchUpError::NoSuchView(name.clone()))).collect()
}

/// The rows of a view that was folded and is not open, to be read only.
///
/// # Errors
/// [`OpenError`] where they are not there, or cannot be read.
pub fn folded_rows(
    options: &ProjectorOptions,
    partition: Partition,
    view: &'static dyn View,
) -> Result<Box<dyn Rows>, OpenError> {
    look(options, partition, view).map(|store| Box::new(store) as Box<dyn Rows>)
}
