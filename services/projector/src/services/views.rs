//! What an operator asks of the views.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pactum_api::proto::projector::v1 as proto;
use pactum_api::proto::projector::v1::view_service_server::ViewService;
use pactum_api::{Caller, error};
use pactum_domain::time::Timestamp;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use crate::decisions::Decision;
use crate::fold::chain;
use crate::operations::{BuildReport, OperationError, Operations, ViewReport, explain};
use crate::queries::blocking;
use crate::services::export::{self, Exported};
use crate::verify::VerifyError;

/// How many views may be exported at once.
const EXPORTS: usize = 2;

/// `pactum.projector.v1.ViewService`.
pub(crate) struct Views {
    operations: Arc<Operations>,
    /// How many exports may begin.
    exports: Arc<Semaphore>,
}

impl Views {
    pub(crate) fn new(operations: Arc<Operations>) -> Self {
        Self { operations, exports: Arc::new(Semaphore::new(EXPORTS)) }
    }

    /// Does what blocks elsewhere.
    async fn ask<T: Send + 'static>(
        &self,
        view: String,
        work: impl FnOnce(&Operations, &str) -> Result<T, OperationError> + Send + 'static,
    ) -> Result<T, Status> {
        let operations = Arc::clone(&self.operations);
        blocking(move || work(&operations, &view).map_err(|error| refused(&view, &error))).await
    }
}

#[tonic::async_trait]
impl ViewService for Views {
    async fn list_views(
        &self,
        _: Request<proto::ListViewsRequest>,
    ) -> Result<Response<proto::ListViewsResponse>, Status> {
        let views = self.ask(String::new(), |operations, _| operations.list()).await?;
        Ok(Response::new(proto::ListViewsResponse { views: views.into_iter().map(view).collect() }))
    }

    async fn rebuild_view(
        &self,
        request: Request<proto::RebuildViewRequest>,
    ) -> Result<Response<proto::RebuildViewResponse>, Status> {
        let proto::RebuildViewRequest { view, partition } = request.into_inner();
        let builds = self.ask(view, move |operations, view| {
            let partitions = operations.partitions(partition).into_iter();
            partitions.map(|partition| operations.rebuild(partition, view)).collect()
        });
        Ok(Response::new(proto::RebuildViewResponse { builds: builds.await? }))
    }

    async fn roll_back_view(
        &self,
        request: Request<proto::RollBackViewRequest>,
    ) -> Result<Response<proto::RollBackViewResponse>, Status> {
        let proto::RollBackViewRequest { view, partition, build } = request.into_inner();
        self.ask(view, move |operations, view| operations.roll_back(partition, view, &build)).await?;
        Ok(Response::new(proto::RollBackViewResponse {}))
    }

    async fn verify_view(
        &self,
        request: Request<proto::VerifyViewRequest>,
    ) -> Result<Response<proto::VerifyViewResponse>, Status> {
        let proto::VerifyViewRequest { view, partition } = request.into_inner();
        let (operations, runtime) = (Arc::clone(&self.operations), tokio::runtime::Handle::current());
        let verified = blocking(move || {
            operations.verify(&runtime, partition, &view).map_err(|error| match error {
                VerifyError::NoSuchView { .. } => error::not_found("view", &view),
                error => error::view_refused(&view, &chain(&error)),
            })
        });
        let verified = verified.await?;
        Ok(Response::new(proto::VerifyViewResponse {
            agrees: verified.agree(),
            offset: verified.offset,
            rows: verified.rows,
            live_digest: verified.live.to_string(),
            fresh_digest: verified.fresh.to_string(),
        }))
    }

    type ExportViewStream = Exported;

    async fn export_view(
        &self,
        request: Request<proto::ExportViewRequest>,
    ) -> Result<Response<Self::ExportViewStream>, Status> {
        let proto::ExportViewRequest { view, partition } = request.into_inner();
        let Ok(slot) = Arc::clone(&self.exports).try_acquire_owned() else {
            let why = format!("{EXPORTS} exports are under way already; each holds files on the disk, so wait for one");
            return Err(error::view_refused(&view, &why));
        };
        let Some(stop) = self.operations.stopping().cloned() else {
            return Err(error::view_refused(&view, "the projector has not begun to fold"));
        };
        let taken = self.ask(view, move |operations, view| operations.export(partition, view)).await?;
        Ok(Response::new(export::stream(taken, slot, stop)))
    }

    async fn drop_build(
        &self,
        request: Request<proto::DropBuildRequest>,
    ) -> Result<Response<proto::DropBuildResponse>, Status> {
        let proto::DropBuildRequest { view, partition, build } = request.into_inner();
        self.ask(view, move |operations, view| operations.drop_build(partition, view, &build)).await?;
        Ok(Response::new(proto::DropBuildResponse {}))
    }

    async fn retry_view(
        &self,
        request: Request<proto::RetryViewRequest>,
    ) -> Result<Response<proto::RetryViewResponse>, Status> {
        let proto::RetryViewRequest { view, partition } = request.into_inner();
        let retried = self.ask(view, move |operations, view| {
            let mut retried = 0;
            for partition in operations.partitions(partition) {
                retried += u32::from(operations.retry(partition, view)?);
            }
            Ok(retried)
        });
        Ok(Response::new(proto::RetryViewResponse { retried: retried.await? }))
    }

    async fn quarantine_record(
        &self,
        request: Request<proto::QuarantineRecordRequest>,
    ) -> Result<Response<proto::QuarantineRecordResponse>, Status> {
        let by = Caller::of(request.extensions())?.actor.subject.to_string();
        let proto::QuarantineRecordRequest { view, partition, offset, reason } = request.into_inner();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        let decision = Decision { offset, by, at: i64::try_from(now).unwrap_or(i64::MAX), reason };
        self.ask(view, move |operations, view| operations.quarantine(partition, view, decision)).await?;
        Ok(Response::new(proto::QuarantineRecordResponse {}))
    }
}

fn refused(view: &str, operation_error: &OperationError) -> Status {
    match operation_error {
        OperationError::NoSuchView { .. } => error::not_found("view", view),
        OperationError::NoSuchBuild(name) => error::not_found("build", name),
        OperationError::Refused(why) => error::view_refused(view, why),
        OperationError::Files(_) | OperationError::Failed(_) => error::view_refused(view, &explain(operation_error)),
    }
}

fn view(report: ViewReport) -> proto::View {
    let ViewReport { status, rows, file_bytes, records_per_second, builds, quarantined } = report;
    proto::View {
        partition: status.partition,
        view: status.name.to_owned(),
        version: status.version,
        offset: status.offset,
        end: status.end,
        lag_records: status.lag_records,
        lag_seconds: status.lag_seconds,
        caught_up: status.caught_up,
        error: status.error.unwrap_or_default(),
        rows,
        file_bytes,
        records_per_second,
        builds: builds.into_iter().map(build).collect(),
        quarantined: quarantined.into_iter().map(quarantine).collect(),
    }
}

fn build(report: BuildReport) -> proto::Build {
    let progress = report.progress.map(|progress| proto::Progress {
        offset: progress.offset,
        end: progress.end,
        entries_per_second: progress.entries_per_second,
        seconds_left: progress.left.as_secs_f64(),
        error: progress.error.unwrap_or_default(),
    });
    proto::Build { name: report.name, live: report.live, progress }
}

pub(super) fn quarantine(decision: Decision) -> proto::Quarantine {
    let Decision { offset, by, at, reason } = decision;
    proto::Quarantine { offset, by, at: Some(pactum_api::convert::timestamp_to_proto(Timestamp(at))), reason }
}
