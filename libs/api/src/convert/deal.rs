//! Deals.

use pactum_domain::deal::{Basis, Deal, DealState, Decision, ProtectionState};
use pactum_ids::ProgramId;

use super::value::states;
use super::{
    account_name, conflict_to_proto, customer_to_proto, deal_name, etag, money_to_proto, optional_date, partner_name,
    scope_to_proto, timestamp_to_proto,
};
use crate::caller::Caller;
use crate::proto::audit::v1 as audit;
use crate::proto::deal::v1 as proto;

states!(
    DealState,
    proto::DealState,
    deal_state,
    deal_state_name,
    deal_state_of,
    "DEAL_STATE_",
    [
        Draft,
        Submitted,
        InReview,
        ActionRequired,
        Conflicted,
        Approved,
        Won,
        Lost,
        Rejected,
        Duplicate,
        Expired,
        Withdrawn,
        Revoked,
    ]
);

/// A deal as `viewer` may see it. That a partner's caller may see the deal at all is for the caller of this to make sure of.
#[must_use]
pub fn deal_to_proto(program: &ProgramId, deal: &Deal, viewer: &Caller) -> proto::Deal {
    let hidden = viewer.actor.role.is_partner();
    proto::Deal {
        name: deal_name(program, &deal.id),
        etag: etag(deal.version),
        state: deal_state(deal.state).into(),
        partner: partner_name(program, &deal.partner),
        title: deal.title.clone(),
        customer: deal.customer.as_ref().map(customer_to_proto),
        scope: Some(scope_to_proto(&deal.scope)),
        amount: deal.amount.map(money_to_proto),
        close_date: optional_date(deal.close_date),
        stage: deal.stage.to_string(),
        previous_deal: deal.previous_deal.as_ref().map(|id| deal_name(program, id)).unwrap_or_default(),
        account: deal.account.as_ref().map(|id| account_name(program, id)).unwrap_or_default(),
        protection: Some(protection_to_proto(program, &deal.protection)),
        conflicts: deal.conflicts.iter().map(|conflict| conflict_to_proto(program, conflict, viewer)).collect(),
        duplicate_of: deal
            .duplicate_of
            .as_ref()
            .filter(|_| !hidden)
            .map(|id| deal_name(program, id))
            .unwrap_or_default(),
        registered_at: deal.registered_at.map(timestamp_to_proto),
        registered_sequence: deal.registered_sequence.unwrap_or_default(),
        closed_at: deal.closed_at.map(timestamp_to_proto),
        historical: deal.basis == Basis::Occurred,
        requested_action: deal.requested_action.clone(),
    }
}

/// A deal's protection.
#[must_use]
pub fn protection_to_proto(program: &ProgramId, protection: &ProtectionState) -> proto::Protection {
    use proto::ProtectionState as State;
    let of = |state: State| proto::Protection { state: state.into(), ..proto::Protection::default() };
    match protection {
        ProtectionState::None => of(State::None),
        ProtectionState::Held { from, until, basis: _, extensions } => proto::Protection {
            from: Some(timestamp_to_proto(*from)),
            until: Some(timestamp_to_proto(*until)),
            extensions: *extensions,
            ..of(State::Held)
        },
        ProtectionState::Under { deal } => {
            proto::Protection { under_deal: deal_name(program, deal), ..of(State::Under) }
        }
        ProtectionState::Ended { from, at } => proto::Protection {
            from: Some(timestamp_to_proto(*from)),
            until: Some(timestamp_to_proto(*at)),
            ..of(State::Ended)
        },
    }
}

/// Why a decision was made.
#[must_use]
pub fn decision_to_proto(decision: &Decision) -> audit::Decision {
    audit::Decision {
        reason_code: decision.reason_code.to_string(),
        note: decision.note.clone(),
        automatic: decision.automatic,
        policy_version: decision.policy_version,
    }
}
