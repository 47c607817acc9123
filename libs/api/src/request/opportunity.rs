//! Requests about the vendor's opportunities.

use pactum_domain::command::{Command, OpportunityCommand};
use pactum_ids::{OpportunityName, ProgramId};

use super::fields::Fields;
use crate::proto::deal::v1 as proto;

/// `OpenOpportunity`.
pub(super) fn open(request: proto::OpenOpportunityRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    let program = fields.program("parent", &request.parent);
    let id = fields.id("opportunity_id", &request.opportunity_id, |ids| ids.opportunity());
    let opportunity = fields.required("opportunity", request.opportunity)?;
    let customer = fields
        .required("opportunity.customer", opportunity.customer.as_ref())
        .and_then(|customer| fields.customer("opportunity.customer", customer));
    let scope = fields.scope("opportunity.scope", opportunity.scope.as_ref());
    let new_account = fields.ids().account();
    let command = OpportunityCommand::Open { customer: customer?, new_account, scope: scope? };
    Some((program?, Command::Opportunity(id?, command)))
}

/// `CloseOpportunity`.
pub(super) fn close(request: proto::CloseOpportunityRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    let (program, id) = fields.name::<OpportunityName>("name", &request.name)?;
    Some((program, Command::Opportunity(id, OpportunityCommand::Close { reason: request.reason })))
}
