//! The role: views opened, folded, served.

use std::sync::Arc;

use pactum_api::proto::projector::v1::view_service_server::ViewServiceServer;
use pactum_journal::Position;
use pactum_log::{Log, Partition};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use crate::engine::Host;
use crate::lock::DirectoryLock;
use crate::machine::{Machines, Shelves};
use crate::mending;
use crate::opening::{Earlier, OpenError, open_all};
use crate::operations::Operations;
use crate::options::ProjectorOptions;
use crate::queries::Queries;
use crate::services;
use crate::services::views::Views;
use crate::status::Status;
use crate::transfer;
use crate::verify::{Verified, VerifyError};

/// The fold ended wrongly.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A thread could not be started.
    #[error("the thread {name} cannot be started")]
    Start {
        /// Its name.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// A fold ended in a panic: a bug.
    #[error("the thread {name} ended in a panic; please report this with the log")]
    Panicked {
        /// Its name.
        name: String,
    },
}

/// The projector role of a process.
pub struct Projector {
    log: Arc<dyn Log>,
    options: ProjectorOptions,
    status: Status,
    positions: Vec<Position>,
    queries: Arc<Queries>,
    operations: Arc<Operations>,
    /// Ends the streams that follow the log, besides the fold.
    stop: CancellationToken,
}

impl Projector {
    /// Opens every view of every partition of the log, making those that are not there. Blocks on the disk.
    ///
    /// # Errors
    /// [`OpenError`] where a view's files are in use, damaged, or of another build.
    pub fn open(log: Arc<dyn Log>, options: ProjectorOptions) -> Result<Self, OpenError> {
        let lock = DirectoryLock::take(&options.data)?;
        let views = options.views;
        let all = (0..log.partitions()).flat_map(|partition| views.iter().map(move |view| (partition, *view)));
        let shelves = Arc::new(Shelves::new(options.shared.clone(), options.as_of.clone()));
        let opened = open_all(&options, &shelves, &all.collect::<Vec<_>>(), Earlier::Answers);
        let opened: Vec<_> = opened.into_iter().collect::<Result<_, _>>()?;
        let (views, positions): (Vec<_>, Vec<_>) = opened.into_iter().map(|(live, at)| (Arc::new(live), at)).unzip();
        let status = Status { views: views.into() };
        let stop = CancellationToken::new();
        // Every view is locked by now: no other process works here.
        let past = |source| OpenError::Past { data: options.data.clone(), source };
        Shelves::remove_orphans(&options.data).map_err(past)?;
        transfer::remove_drafts(&options.data).map_err(past)?;
        let scratch = options.data.join("as-of");
        let machines = Machines::open(Arc::clone(&log), shelves, scratch, stop.clone()).map_err(past)?;
        let queries = Queries::new(Arc::clone(&log), &status, options.clone(), machines, stop.clone());
        let queries = Arc::new(queries);
        let operations = Arc::new(Operations::new(Arc::clone(&log), options.clone(), status.clone(), lock));
        Ok(Self { log, options, status, positions, queries, operations, stop })
    }

    /// Adds the read side's gRPC services.
    pub fn add_services(&self, routes: &mut RoutesBuilder) {
        services::add(&self.queries, &self.options, routes);
        let views = ViewServiceServer::new(Views::new(Arc::clone(&self.operations)));
        routes.add_service(views.max_decoding_message_size(self.options.max_message_bytes));
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
        let host = Host::start(&self.log, &self.options, &self.status, &self.positions, &stop).await?;
        self.operations.begin(Arc::clone(&host));
        // Ends with the stop.
        mending::watch(&self.operations, &stop).await;
        self.stop.cancel();
        self.queries.machines.stopped().await;
        let joined = tokio::task::spawn_blocking(move || host.join());
        joined.await.unwrap_or(Err(RunError::Panicked { name: "join".to_owned() }))
    }

    /// Folds a view from zero beside the live one, up to where that is now, and compares the rows.
    ///
    /// # Errors
    /// [`VerifyError`] where there is no such view, or log, rows or disk fail.
    pub async fn verify(&self, partition: Partition, view: &str) -> Result<Verified, VerifyError> {
        let (operations, runtime, view) = (Arc::clone(&self.operations), Handle::current(), view.to_owned());
        let verified = tokio::task::spawn_blocking(move || operations.verify(&runtime, partition, &view));
        verified.await.map_err(|_| VerifyError::Panicked)?
    }
}

impl std::fmt::Debug for Projector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projector").field("data", &self.options.data).finish_non_exhaustive()
    }
}
