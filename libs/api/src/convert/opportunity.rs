//! The vendor's opportunities.

use pactum_domain::opportunity::Opportunity;
use pactum_ids::ProgramId;

use super::{account_name, etag, opportunity_name, scope_to_proto};
use crate::proto::deal::v1 as proto;

fn state(opportunity: &Opportunity) -> proto::OpportunityState {
    if opportunity.open { proto::OpportunityState::Open } else { proto::OpportunityState::Closed }
}

/// The state's short name.
#[must_use]
pub fn opportunity_state_name(opportunity: &Opportunity) -> &'static str {
    let name = state(opportunity).as_str_name();
    name.strip_prefix("OPPORTUNITY_STATE_").unwrap_or(name)
}

/// An opportunity.
#[must_use]
pub fn opportunity_to_proto(program: &ProgramId, opportunity: &Opportunity) -> proto::Opportunity {
    proto::Opportunity {
        name: opportunity_name(program, &opportunity.id),
        etag: etag(opportunity.version),
        state: state(opportunity).into(),
        customer: None,
        scope: Some(scope_to_proto(&opportunity.scope)),
        account: account_name(program, &opportunity.account),
    }
}
