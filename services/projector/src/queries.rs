//! What all query services share.

use std::sync::Arc;

use pactum_api::proto::common::v1::AsOf;
use pactum_api::{Caller, InvalidRequest, error, query};
use pactum_domain::rejection::Rejection;
use pactum_events::partition_of;
use pactum_ids::{PartnerId, ProgramId};
use pactum_log::Log;
use pactum_store::StoreError;
use pactum_views::{RowError, Rows, clock};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};

use crate::columns::ColumnPool;
use crate::live::{LiveView, NotReached};
use crate::machine::{Machines, Moments, Scratch, Wanted};
use crate::meters::QueryMeters;
use crate::options::ProjectorOptions;
use crate::services::cache::Cache;
use crate::store::ViewStore;
use crate::{deadline, fold, past, status};

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
    pub(crate) columns: ColumnPool,
    /// Cancelled when the role stops: streams that follow the log end.
    pub(crate) stop: CancellationToken,
    pub(crate) machines: Machines,
    moments: Moments,
    partitions: Vec<PartitionViews>,
    options: ProjectorOptions,
}

/// A request let in: who asks, from which views it is answered, and until when.
pub(crate) struct Asked<'q> {
    pub(crate) caller: Arc<Caller>,
    pub(crate) views: &'q PartitionViews,
    pub(crate) deadline: std::time::Instant,
    queries: &'q Queries,
}

/// As of when a request asks: now, holding at least `min_sequence` and what the page before held, or in the past.
#[derive(Clone, Copy)]
pub(crate) struct When<'r> {
    pub(crate) min_sequence: u64,
    pub(crate) as_of: Option<&'r AsOf>,
    /// The sequence in the page token: what the page before held. 0 where there is none.
    pub(crate) page: u64,
}

/// The rows that a request is answered from.
pub(crate) struct Held {
    rows: HeldRows,
    /// What they hold of the program, at least; in the past, exactly.
    pub(crate) sequence: u64,
}

enum HeldRows {
    Now(Arc<ViewStore>),
    Then(Arc<Scratch>),
}

impl Held {
    pub(crate) fn store(&self) -> &ViewStore {
        match &self.rows {
            HeldRows::Now(store) => store,
            HeldRows::Then(scratch) => scratch.store(),
        }
    }

    /// The rows of a view that is folded on, if they are of now.
    pub(crate) fn now(&self) -> Option<&Arc<ViewStore>> {
        match &self.rows {
            HeldRows::Now(store) => Some(store),
            HeldRows::Then(_) => None,
        }
    }

    /// The sequence, where it is one of the past.
    pub(crate) fn past(&self) -> Option<u64> {
        matches!(self.rows, HeldRows::Then(_)).then_some(self.sequence)
    }
}

impl Queries {
    pub(crate) fn new(
        log: Arc<dyn Log>,
        status: &status::Status,
        options: ProjectorOptions,
        machines: Machines,
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
        let moments = Moments::new(Arc::clone(&log));
        let (meters, pipelines) = (QueryMeters::new(), Cache::default());
        let columns = ColumnPool::new(options.pipeline_bytes);
        Self { log, meters, pipelines, columns, stop, machines, moments, partitions, options }
    }

    /// Lets a request in. What it asks about is in its caller's program: the parsers of `pactum_api::query` see to that.
    pub(crate) fn admit<T>(&self, request: &Request<T>) -> Result<Asked<'_>, Status> {
        let caller = Arc::clone(Caller::of(request.extensions())?);
        let partitions = u32::try_from(self.partitions.len()).unwrap_or(u32::MAX);
        let views = &self.partitions[partition_of(&caller.program, partitions) as usize];
        Ok(Asked { caller, views, deadline: deadline::of(request.metadata(), &self.options), queries: self })
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

    /// The view's rows as of when the request asks, waited for or restored.
    pub(crate) async fn rows(&self, view: &Arc<LiveView>, when: When<'_>) -> Result<Held, Status> {
        let Some(as_of) = query::as_of(&self.caller, when.as_of, when.min_sequence)? else {
            // What it holds is told before its rows are taken: they hold that, or more.
            let sequence = self.reach(view, when.min_sequence.max(when.page)).await?;
            return Ok(Held { rows: HeldRows::Now(view.store()), sequence });
        };
        let (program, deadline) = (self.program(), self.deadline);
        let programs = &self.views.programs;
        let find = async |as_of| {
            let found = self.queries.moments.find(programs, program, as_of, deadline).await;
            found.map_err(|error| past::no_moment(&error, as_of, programs.view.name()))
        };
        let mut moment = find(as_of).await?;
        if when.page != 0 && when.page != moment.sequence {
            moment = find(past::of_page(as_of, when.page, moment.sequence)?).await?;
        }
        let machines = &self.queries.machines;
        let scratch = machines.get(Wanted { view, program, moment }, deadline).await;
        let scratch = scratch.map_err(|error| past::not_restored(&error, view.view.name(), machines.retry_after()))?;
        Ok(Held { rows: HeldRows::Then(scratch), sequence: moment.sequence })
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
pub(crate) fn sequence_of(rows: &dyn Rows, program: &ProgramId) -> Result<u64, Status> {
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
