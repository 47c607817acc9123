//! Reads programs.

use std::sync::Arc;

use pactum_api::convert::{etag, program_name, program_state, timestamp_to_proto};
use pactum_api::proto::program::v1 as proto;
use pactum_api::proto::program::v1::program_query_service_server::ProgramQueryService;
use pactum_api::{error, query};
use pactum_domain::rejection::Rejection;
use pactum_ids::{ImportId, ProgramId};
use pactum_views::clock;
use pactum_views::programs::{self, PolicyVersion, ProgramRow};
use tonic::{Request, Response, Status};

use crate::queries::{Queries, When, unreadable};

/// `pactum.program.v1.ProgramQueryService`.
pub(crate) struct Programs(pub(crate) Arc<Queries>);

#[tonic::async_trait]
impl ProgramQueryService for Programs {
    async fn get_program(
        &self,
        request: Request<proto::GetProgramRequest>,
    ) -> Result<Response<proto::GetProgramResponse>, Status> {
        let _timer = self.0.meters.get_program();
        let asked = self.0.admit(&request)?;
        let id = query::program(&asked.caller, "name", &request.get_ref().name)?;
        let asks = request.get_ref();
        let when = When { min_sequence: asks.min_sequence, as_of: asks.as_of.as_ref(), page: 0 };
        let held = asked.rows(&asked.views.programs, when).await?;
        let row = programs::get(held.store(), &id).map_err(|error| unreadable(&error))?;
        let row = row.ok_or_else(|| error::rejected(&Rejection::ProgramNotFound))?;
        let clock = clock::of(held.store(), &id).map_err(|error| unreadable(&error))?;
        let in_force = clock.and_then(|clock| row.policy_at(clock.recorded_at));
        let document = match in_force.filter(|_| asked.caller.partner().is_none()) {
            Some(PolicyVersion { version, .. }) => programs::policy(held.store(), &id, version),
            None => Ok(None),
        };
        let document = document.map_err(|error| unreadable(&error))?.map_or_else(String::new, |row| row.document);
        let program = to_proto(&id, row, in_force, document);
        Ok(Response::new(proto::GetProgramResponse { program: Some(program), sequence: held.sequence }))
    }
}

fn to_proto(id: &ProgramId, row: ProgramRow, in_force: Option<PolicyVersion>, document: String) -> proto::Program {
    let texts = |ids: &[ImportId]| ids.iter().map(ToString::to_string).collect();
    let policies = row.policies.iter().map(|policy| proto::PolicyVersion {
        version: policy.version,
        effective_from: Some(timestamp_to_proto(policy.effective_from)),
    });
    proto::Program {
        name: program_name(id),
        etag: etag(row.version),
        state: program_state(row.state).into(),
        currency_code: row.currency.as_str().to_owned(),
        policy_version: in_force.map_or(0, |policy| policy.version),
        policy_document: document,
        policies: policies.collect(),
        open_imports: texts(&row.open_imports),
        completed_imports: texts(&row.completed_imports),
        display_name: row.display_name,
    }
}
