//! What all query services share.

use std::sync::Arc;

use pactum_api::{Caller, InvalidRequest, error};
use pactum_domain::rejection::Rejection;
use pactum_events::partition_of;
use pactum_ids::{PartnerId, ProgramId};
use pactum_log::Log;
use pactum_store::StoreError;
use pactum_views::{RowError, Rows, clock};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};

use crate::live::{LiveView, NotReached};
use crate::meters::QueryMeters;
use crate::options::ProjectorOptions;
use crate::services::cache::Cache;
use crate::{deadline, fold, status};

/// The views of one partition, by what they are for.
pub(crate) struct PartitionViews {
    pub(crate) programs: Arc<LiveView>,
    pub(crate) partners: Arc<LiveView>,
    pub(crate) deals: Arc<LiveView>,
    pub(crate) pipeline: Arc<LiveView>,
    pub(crate) ownership: Arc<LiveView>,
}

/// What every query service holds.
pub(crate) struct Queries {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) meters: QueryMeters,
    pub(crate) pipelines: Cache,
    /// Cancelled when the role stops: streams that follow the log end.
    pub(crate) stop: CancellationToken,
    partitions: Vec<PartitionViews>,
    options: ProjectorOptions,
}

/// A request let in: who asks, from which views it is answered, and until when.
pub(crate) struct Asked<'q> {
    pub(crate) caller: Arc<Caller>,
    pub(crate) views: &'q PartitionViews,
    pub(crate) deadline: std::time::Instant,
}

impl Queries {
    pub(crate) fn new(
        log: Arc<dyn Log>,
        status: &status::Status,
        options: ProjectorOptions,
        stop: CancellationToken,
    ) -> Self {
        let view = |partition, name| {
            let mut of_partition = status.views.iter().filter(|live| live.partition == partition);
            let found = of_partition.find(|live| live.view.name() == name).cloned();
            found.unwrap_or_else(|| unreachable!("every partition has every view of the list, and {name} is one"))
        };
        let partitions = (0..log.partitions()).map(|partition| PartitionViews {
            programs: view(partition, "programs"),
            partners: view(partition, "partners"),
            deals: view(partition, "deals"),
            pipeline: view(partition, "pipeline"),
            ownership: view(partition, "ownership"),
        });
        let partitions = partitions.collect();
        Self { log, meters: QueryMeters::new(), pipelines: Cache::default(), stop, partitions, options }
    }

    /// Lets a request in. What it asks about is in its caller's program: the parsers of `pactum_api::query` see to that.
    pub(crate) fn admit<T>(&self, request: &Request<T>) -> Result<Asked<'_>, Status> {
        let caller = Arc::clone(Caller::of(request.extensions())?);
        let partitions = u32::try_from(self.partitions.len()).unwrap_or(u32::MAX);
        let views = &self.partitions[partition_of(&caller.program, partitions) as usize];
        Ok(Asked { caller, views, deadline: deadline::of(request.metadata(), &self.options) })
    }
}

impl Asked<'_> {
    /// The program it is about.
    pub(crate) fn program(&self) -> &ProgramId {
        &self.caller.program
    }

    /// The partner to whose rows the caller is limited; `None` for the vendor and for systems.
    pub(crate) fn scope(&self) -> Result<Option<PartnerId>, Status> {
        let actor = &self.caller.actor;
        if actor.role.is_partner() && actor.partner.is_none() {
            // Limited to a partner's rows, and to no partner: letting it through would show it all.
            return Err(InvalidRequest::Forbidden("a partner's role without a partner sees nothing").into());
        }
        Ok(self.caller.partner().cloned())
    }

    /// Waits until the view holds everything up to `min_sequence`, and says what it holds.
    pub(crate) async fn reach(&self, view: &LiveView, min_sequence: u64) -> Result<u64, Status> {
        match view.reach(self.program(), min_sequence, self.deadline).await {
            Ok(0) => Err(error::rejected(&Rejection::ProgramNotFound)),
            Ok(sequence) => Ok(sequence),
            Err(NotReached::Behind { sequence }) => Err(error::view_behind(min_sequence, sequence)),
            Err(NotReached::Stopped { why }) => Err(error::view_stopped(view.view.name(), &why)),
            Err(NotReached::Rows(error)) => Err(unreadable(&error)),
        }
    }
}

/// What the rows of a snapshot hold of a program.
pub(crate) fn held(rows: &dyn Rows, program: &ProgramId) -> Result<u64, Status> {
    let clock = clock::of(rows, program).map_err(|error| unreadable(&error))?;
    Ok(clock.map_or(0, |clock| clock.sequence))
}

/// Rows that cannot be read: damage is told as such, with what to do; the whole chain is logged once, here.
pub(crate) fn unreadable(row_error: &RowError) -> Status {
    let why = fold::chain(row_error);
    tracing::error!(%why, "rows cannot be read");
    match row_error {
        RowError::Store { source, .. } => match source.downcast_ref::<StoreError>() {
            Some(StoreError::Corrupt { .. }) => error::data_corrupt(&why),
            _ => error::internal("rows cannot be read; see the server's log"),
        },
        RowError::Version { .. } | RowError::Malformed { .. } => error::data_corrupt(&why),
    }
}

/// Runs what blocks on a thread made for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Status> + Send + 'static,
) -> Result<T, Status> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        Err(error::internal("the query ended in a panic; please report this with the server's log"))
    })
}
