//! Partners.

use pactum_domain::partner::{Partner, PartnerState};
use pactum_ids::ProgramId;

use super::value::states;
use super::{etag, partner_name};
use crate::proto::partner::v1 as proto;

states!(
    PartnerState,
    proto::PartnerState,
    partner_state,
    partner_state_name,
    partner_state_of,
    "PARTNER_STATE_",
    [Applied, Approved, Rejected, Onboarding, Active, Suspended, Terminated,]
);

/// A partner.
#[must_use]
pub fn partner_to_proto(program: &ProgramId, partner: &Partner) -> proto::Partner {
    let profile = &partner.profile;
    let texts = |list: &[smol_str::SmolStr]| list.iter().map(ToString::to_string).collect();
    proto::Partner {
        name: partner_name(program, &partner.id),
        etag: etag(partner.version),
        state: partner_state(partner.state).into(),
        display_name: profile.display_name.clone(),
        country_code: profile.country.as_ref().map(ToString::to_string).unwrap_or_default(),
        domain: profile.domain.as_ref().map(ToString::to_string).unwrap_or_default(),
        partner_type: profile.kind.to_string(),
        tier: partner.tier.to_string(),
        territories: texts(&partner.territories),
        specialisations: texts(&partner.specialisations),
        manager: partner.manager.to_string(),
    }
}
