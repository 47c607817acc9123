//! What runs the folds of a process: every view of every partition, and builds beside them.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use pactum_journal::Position;
use pactum_log::{Log, Partition};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::feed::{FeedParts, Subscription};
use super::{Build, Decoders, PartitionFeeds, Role, Room, ViewFold, ViewParts};
use crate::live::LiveView;
use crate::options::ProjectorOptions;
use crate::projector::RunError;
use crate::status::Status;

/// Chunks in the process, at most; each has up to [`ProjectorOptions::batch`] records.
const CHUNKS: usize = 40;

/// The folds that run.
pub(crate) struct Host {
    partitions: Vec<Arc<ViewParts>>,
    threads: Mutex<Vec<(String, JoinHandle<()>)>>,
    stop: CancellationToken,
}

impl Host {
    /// Starts a thread for each view of each partition.
    pub(crate) async fn start(
        log: &Arc<dyn Log>,
        options: &ProjectorOptions,
        status: &Status,
        positions: &[Position],
        stop: &CancellationToken,
    ) -> Result<Arc<Self>, RunError> {
        let started = |source| RunError::Start { name: "decode".to_owned(), source };
        let feeds = Arc::new(FeedParts {
            log: Arc::clone(log),
            decoders: Decoders::start().map_err(started)?,
            room: Arc::new(Semaphore::new(CHUNKS)),
            batch: options.batch,
            stop: stop.clone(),
        });
        let room = Room::new(options.kept_rows_bytes);
        let partition = |partition| {
            let feeds = PartitionFeeds::new(partition, Arc::clone(&feeds), Handle::current());
            let parts = ViewParts {
                feeds: Arc::new(feeds),
                room: room.clone(),
                options: options.clone(),
                runtime: Handle::current(),
            };
            Arc::new(parts)
        };
        let partitions = (0..log.partitions()).map(partition).collect();
        let host = Arc::new(Self { partitions, threads: Mutex::default(), stop: stop.clone() });
        let of = |partition| {
            let views = status.views.iter().cloned().zip(positions.iter().cloned());
            views.filter(move |(live, _)| live.partition == partition).collect()
        };
        let starting = (0..log.partitions()).map(|partition| host.start_partition(partition, of(partition)));
        futures::future::try_join_all(starting).await?;
        Ok(host)
    }

    /// Views whose log is as it should be begin to read together; the others look again, each by itself.
    async fn start_partition(
        &self,
        partition: Partition,
        views: Vec<(Arc<LiveView>, Position)>,
    ) -> Result<(), RunError> {
        let parts = &self.partitions[partition as usize];
        let mut fit = Vec::new();
        for (index, (_, position)) in views.iter().enumerate() {
            let checked = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                checked = parts.feeds.check(position) => checked,
            };
            if checked.is_ok() {
                fit.push(index);
            }
        }
        let positions: Vec<_> = fit.iter().map(|index| views[*index].1.clone()).collect();
        let mut begun: std::collections::HashMap<usize, Subscription> =
            fit.into_iter().zip(parts.feeds.begin(&positions)).collect();
        for (index, (live, position)) in views.into_iter().enumerate() {
            self.spawn(live, Role::Live, position, self.stop.clone(), begun.remove(&index))?;
        }
        Ok(())
    }

    /// Starts to build a view beside the rows that answer.
    pub(crate) fn build(
        &self,
        live: &Arc<LiveView>,
        build: &Arc<Build>,
        position: Position,
        stop: CancellationToken,
    ) -> Result<(), RunError> {
        self.spawn(Arc::clone(live), Role::Building(Arc::clone(build)), position, stop, None)
    }

    /// Ends with the folds.
    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    fn spawn(
        &self,
        live: Arc<LiveView>,
        role: Role,
        position: Position,
        stop: CancellationToken,
        subscription: Option<Subscription>,
    ) -> Result<(), RunError> {
        let name = match &role {
            Role::Live => format!("fold-{}-{}", live.view.name(), live.partition),
            Role::Building(build) => format!("build-{}-{}", build.name, live.partition),
        };
        let parts = Arc::clone(&self.partitions[live.partition as usize]);
        let fold = ViewFold::new(live, role, position, parts, stop);
        let thread = std::thread::Builder::new().name(name.clone()).spawn(move || fold.run(subscription));
        let thread = thread.map_err(|source| RunError::Start { name: name.clone(), source })?;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.push((name, thread));
        Ok(())
    }

    /// Waits until every fold has ended. Blocks.
    pub(crate) fn join(&self) -> Result<(), RunError> {
        let mut result = Ok(());
        loop {
            let next = self.threads.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((name, thread)) = next else { return result };
            if thread.join().is_err() {
                result = Err(RunError::Panicked { name });
            }
        }
    }
}
