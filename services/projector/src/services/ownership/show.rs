//! Claims in the contract's types, whole: what a viewer may not see is taken out afterwards.

use pactum_api::Caller;
use pactum_api::convert::{
    account_name, actor_to_proto, conflict_to_proto, deal_name, decision_to_proto, money_to_proto, opportunity_name,
    partner_name, protection_to_proto, scope_to_proto, timestamp_to_proto,
};
use pactum_api::proto::audit::v1 as proto;
use pactum_domain::deal::Scope;
use pactum_domain::money::Money;
use pactum_ids::{AccountId, OpportunityId, ProgramId};
use pactum_views::ownership::{Claim, Current, Step};

/// A step of an account's history.
pub(super) fn claim(
    program: &ProgramId,
    account: &AccountId,
    sequence: u64,
    claim: &Claim,
    viewer: &Caller,
) -> proto::Claim {
    let mut shown = proto::Claim {
        sequence,
        occurred_at: Some(timestamp_to_proto(claim.occurred_at)),
        recorded_at: Some(timestamp_to_proto(claim.recorded_at)),
        deal: claim.deal.as_ref().map(|deal| deal_name(program, deal)).unwrap_or_default(),
        partner: claim.partner.as_ref().map(|partner| partner_name(program, partner)).unwrap_or_default(),
        previous_partner: claim
            .previous_partner
            .as_ref()
            .map(|partner| partner_name(program, partner))
            .unwrap_or_default(),
        account: account_name(program, account),
        protection: claim.protection.as_ref().map(|protection| protection_to_proto(program, protection)),
        actor: Some(actor_to_proto(program, &claim.actor)),
        request_id: claim.request.as_ref().map(ToString::to_string).unwrap_or_default(),
        policy_version: claim.policy_version,
        ..Default::default()
    };
    let kind = step(&mut shown, program, &claim.step, viewer);
    shown.set_kind(kind);
    shown
}

/// Fills in what this kind of step has, and names the kind.
fn step(shown: &mut proto::Claim, program: &ProgramId, step: &Step, viewer: &Caller) -> proto::ClaimKind {
    use proto::ClaimKind as Kind;
    match step {
        Step::Registered { scope, amount } => {
            covers(shown, Some(scope), *amount);
            Kind::Registered
        }
        Step::ConflictDetected { conflicts } => {
            let conflicts = conflicts.iter().map(|conflict| conflict_to_proto(program, conflict, viewer));
            shown.conflicts = conflicts.collect();
            Kind::ConflictDetected
        }
        Step::ReviewStarted => Kind::ReviewStarted,
        Step::ActionRequired { message } => noted(shown, message, Kind::ActionRequired),
        Step::Resubmitted { scope, amount } => {
            covers(shown, Some(scope), *amount);
            Kind::Resubmitted
        }
        Step::Approved(decision) => {
            shown.decision = Some(decision_to_proto(decision));
            Kind::Approved
        }
        Step::Rejected(decision) => {
            shown.decision = Some(decision_to_proto(decision));
            Kind::Rejected
        }
        Step::MarkedDuplicate { of, decision } => {
            shown.duplicate_of = deal_name(program, of);
            shown.decision = Some(decision_to_proto(decision));
            Kind::MarkedDuplicate
        }
        Step::ProtectionExtended { reason, evidence } => {
            shown.evidence.clone_from(evidence);
            noted(shown, reason, Kind::ProtectionExtended)
        }
        Step::ProtectionExpired => Kind::ProtectionExpired,
        Step::Withdrawn { reason } => noted(shown, reason, Kind::Withdrawn),
        Step::Revoked(decision) => {
            shown.decision = Some(decision_to_proto(decision));
            Kind::Revoked
        }
        Step::Reassigned { evidence, decision } => {
            shown.evidence.clone_from(evidence);
            shown.decision = Some(decision_to_proto(decision));
            Kind::Reassigned
        }
        Step::Amended { scope, amount } => {
            covers(shown, scope.as_ref(), *amount);
            Kind::Amended
        }
        Step::Won { amount } => {
            covers(shown, None, Some(*amount));
            Kind::Won
        }
        Step::Lost { reason } => noted(shown, reason, Kind::Lost),
        Step::Reopened { reason } => noted(shown, reason, Kind::Reopened),
        Step::OpportunityOpened { opportunity, scope } => {
            covers(shown, Some(scope), None);
            vendor(shown, program, opportunity, Kind::OpportunityOpened)
        }
        Step::OpportunityClosed { opportunity, reason } => {
            shown.note.clone_from(reason);
            vendor(shown, program, opportunity, Kind::OpportunityClosed)
        }
    }
}

fn covers(shown: &mut proto::Claim, scope: Option<&Scope>, amount: Option<Money>) {
    shown.scope = scope.map(scope_to_proto);
    shown.amount = amount.map(money_to_proto);
}

fn noted(shown: &mut proto::Claim, note: &str, kind: proto::ClaimKind) -> proto::ClaimKind {
    note.clone_into(&mut shown.note);
    kind
}

fn vendor(
    shown: &mut proto::Claim,
    program: &ProgramId,
    opportunity: &OpportunityId,
    kind: proto::ClaimKind,
) -> proto::ClaimKind {
    shown.opportunity = opportunity_name(program, opportunity);
    kind
}

/// Who holds protection now.
pub(super) fn ownership(program: &ProgramId, current: &Current) -> proto::Ownership {
    proto::Ownership {
        account: account_name(program, &current.account),
        deal: deal_name(program, &current.id),
        partner: partner_name(program, &current.deal.partner),
        scope: Some(scope_to_proto(&current.deal.scope)),
        protection: Some(protection_to_proto(program, &current.deal.protection)),
        redacted: false,
    }
}
