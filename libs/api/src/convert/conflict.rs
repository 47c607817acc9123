//! Conflicts, and what of them a partner may see: the kind of each, and what it asks of the partner itself. Never who the
//! competitor is, nor anything by which it could be told: its deal, its window, the accounts it works.

use pactum_domain::deal::{Conflict, ConflictKind};
use pactum_ids::ProgramId;

use super::{account_name, deal_name, opportunity_name, partner_name, partner_state_name, timestamp_to_proto};
use crate::caller::Caller;
use crate::proto::deal::v1 as proto;

/// A conflict as `viewer` may see it.
#[must_use]
pub fn conflict_to_proto(program: &ProgramId, conflict: &Conflict, viewer: &Caller) -> proto::Conflict {
    let mut made = proto::Conflict {
        kind: conflict_kind(&conflict.kind).into(),
        matched_keys: conflict.matched.iter().map(|key| key.kind().to_owned()).collect(),
        ..proto::Conflict::default()
    };
    let hidden = viewer.actor.role.is_partner();
    match &conflict.kind {
        ConflictKind::ProtectedByOther { .. }
        | ConflictKind::VendorOpportunity { .. }
        | ConflictKind::ExistingCustomer { .. }
        | ConflictKind::AmbiguousAccount { .. }
            if hidden =>
        {
            made.redacted = true;
        }
        ConflictKind::ProtectedByOther { deal, partner, until } => {
            made.deal = deal_name(program, deal);
            made.partner = partner_name(program, partner);
            made.until = Some(timestamp_to_proto(*until));
        }
        ConflictKind::VendorOpportunity { opportunity } => made.opportunity = opportunity_name(program, opportunity),
        ConflictKind::ExistingCustomer { deal } | ConflictKind::OwnRegistration { deal } => {
            made.deal = deal_name(program, deal);
        }
        ConflictKind::AmbiguousAccount { accounts } => {
            made.accounts = accounts.iter().map(|account| account_name(program, account)).collect();
        }
        ConflictKind::SimilarAccount { account, score } => {
            made.score = u32::from(*score);
            if hidden {
                made.redacted = true;
            } else {
                made.accounts = vec![account_name(program, account)];
            }
        }
        ConflictKind::PartnerNotActive { state } => made.actual = partner_state_name(*state).to_owned(),
        ConflictKind::TierTooLow { required, actual } => {
            made.required = required.to_string();
            made.actual = actual.to_string();
        }
        ConflictKind::TerritoryNotHeld { territory } => made.required = territory.to_string(),
        ConflictKind::SpecialisationNotHeld { specialisation } => made.required = specialisation.to_string(),
        ConflictKind::CapacityUsedUp { limit } => made.required = limit.to_string(),
    }
    made
}

/// The kind in the contract.
#[must_use]
pub fn conflict_kind(kind: &ConflictKind) -> proto::ConflictKind {
    match kind {
        ConflictKind::ProtectedByOther { .. } => proto::ConflictKind::ProtectedByOther,
        ConflictKind::VendorOpportunity { .. } => proto::ConflictKind::VendorOpportunity,
        ConflictKind::ExistingCustomer { .. } => proto::ConflictKind::ExistingCustomer,
        ConflictKind::AmbiguousAccount { .. } => proto::ConflictKind::AmbiguousAccount,
        ConflictKind::SimilarAccount { .. } => proto::ConflictKind::SimilarAccount,
        ConflictKind::PartnerNotActive { .. } => proto::ConflictKind::PartnerNotActive,
        ConflictKind::TierTooLow { .. } => proto::ConflictKind::TierTooLow,
        ConflictKind::TerritoryNotHeld { .. } => proto::ConflictKind::TerritoryNotHeld,
        ConflictKind::SpecialisationNotHeld { .. } => proto::ConflictKind::SpecialisationNotHeld,
        ConflictKind::CapacityUsedUp { .. } => proto::ConflictKind::CapacityUsedUp,
        ConflictKind::OwnRegistration { .. } => proto::ConflictKind::OwnRegistration,
    }
}
