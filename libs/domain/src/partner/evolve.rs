//! What an event makes of a partner.

use pactum_ids::PartnerId;
use smol_str::SmolStr;

use super::{Event, Partner, PartnerState, ProfileUpdated};
use crate::event::EvolveError;

/// The partner after an event, from the partner before it; `None` before its first.
///
/// # Errors
/// [`EvolveError`] where a partner that never applied is changed, or one that is there applies again.
pub fn evolve(before: Option<&Partner>, id: &PartnerId, event: &Event) -> Result<Partner, EvolveError> {
    let mut partner = match (event, before) {
        (Event::Applied(_), Some(_)) => return Err(EvolveError::Twice { kind: "partner", id: id.as_str().into() }),
        (Event::Applied(profile), None) => Partner {
            id: id.clone(),
            version: 0,
            state: PartnerState::Applied,
            profile: profile.clone(),
            tier: SmolStr::default(),
            territories: Vec::new(),
            specialisations: Vec::new(),
            manager: SmolStr::default(),
        },
        (_, Some(before)) => before.clone(),
        (_, None) => return Err(EvolveError::Unknown { kind: "partner", id: id.as_str().into() }),
    };
    partner.version += 1;
    match event {
        Event::Applied(_) => {}
        Event::Approved { .. } => partner.state = PartnerState::Approved,
        Event::Rejected { .. } => partner.state = PartnerState::Rejected,
        Event::Enrolled(enrolled) => {
            partner.state = PartnerState::Onboarding;
            partner.tier = enrolled.tier.clone();
            partner.profile.kind = enrolled.kind.clone();
            partner.territories.clone_from(&enrolled.territories);
            partner.specialisations.clone_from(&enrolled.specialisations);
        }
        Event::ProfileUpdated(updated) => update(&mut partner, updated),
        Event::Activated | Event::Reinstated { .. } => partner.state = PartnerState::Active,
        Event::Suspended { .. } => partner.state = PartnerState::Suspended,
        Event::Terminated { .. } => partner.state = PartnerState::Terminated,
        Event::ManagerAssigned { manager } => partner.manager = manager.clone(),
    }
    Ok(partner)
}

fn update(partner: &mut Partner, updated: &ProfileUpdated) {
    let ProfileUpdated { display_name, country, domain, territories, specialisations, tier } = updated;
    if let Some(name) = display_name {
        partner.profile.display_name.clone_from(name);
    }
    if let Some(country) = country {
        partner.profile.country.clone_from(country);
    }
    if let Some(domain) = domain {
        partner.profile.domain.clone_from(domain);
    }
    if let Some(territories) = territories {
        partner.territories.clone_from(territories);
    }
    if let Some(specialisations) = specialisations {
        partner.specialisations.clone_from(specialisations);
    }
    if let Some(tier) = tier {
        partner.tier = tier.clone();
    }
}
