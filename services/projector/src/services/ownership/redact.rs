//! What a caller of a partner may not see of an account's history.
//!
//! Redaction keeps a list of what stays, never of what goes: a field that is added to the contract is hidden until somebody
//! decides otherwise.

use pactum_api::Caller;
use pactum_api::convert::partner_name;
use pactum_api::proto::audit::v1 as proto;
use pactum_ids::ProgramId;
use pactum_views::ownership::{Claim, Current, Step};

/// A step as the viewer may see it.
pub(super) fn claim(whole: proto::Claim, claim: &Claim, program: &ProgramId, viewer: &Caller) -> proto::Claim {
    if !viewer.actor.role.is_partner() {
        return whole;
    }
    let own = viewer.partner();
    if own.is_some() && claim.partner.as_ref() == own {
        return of_own(whole, claim, program, viewer);
    }
    if own.is_some() && claim.previous_partner.as_ref() == own {
        return taken_away(whole);
    }
    kind_and_time(whole)
}

/// A step of another partner or of the vendor: that something happened, and when.
fn kind_and_time(whole: proto::Claim) -> proto::Claim {
    proto::Claim {
        sequence: whole.sequence,
        kind: whole.kind,
        occurred_at: whole.occurred_at,
        recorded_at: whole.recorded_at,
        account: whole.account,
        redacted: true,
        ..Default::default()
    }
}

/// The viewer's own deal went to somebody else: which deal and why, not to whom. The words of the decision may name them.
fn taken_away(whole: proto::Claim) -> proto::Claim {
    proto::Claim {
        deal: whole.deal.clone(),
        previous_partner: whole.previous_partner.clone(),
        decision: whole.decision.clone().map(|decision| proto::Decision { note: String::new(), ..decision }),
        policy_version: whole.policy_version,
        ..kind_and_time(whole)
    }
}

/// A step of the viewer's own deal: all but what names another's.
fn of_own(mut whole: proto::Claim, claim: &Claim, program: &ProgramId, viewer: &Caller) -> proto::Claim {
    let mut redacted = whole.conflicts.iter().any(|conflict| conflict.redacted);
    if !whole.previous_partner.is_empty() {
        whole.previous_partner.clear();
        redacted = true;
    }
    // Evidence points at steps of others, and the words about a dispute or a duplicate may name them.
    let about_others = matches!(claim.step, Step::Reassigned { .. } | Step::MarkedDuplicate { .. });
    if about_others {
        whole.evidence.clear();
        whole.duplicate_of.clear();
        if let Some(decision) = &mut whole.decision {
            decision.note.clear();
        }
        redacted = true;
    }
    // Who acted: the viewer's own people by their ids, anybody else by the part they play.
    let own = viewer.partner().map(|partner| partner_name(program, partner));
    if let Some(actor) = &mut whole.actor
        && Some(&actor.partner) != own.as_ref()
    {
        let of_partner = !actor.partner.is_empty();
        actor.subject.clear();
        actor.partner.clear();
        redacted |= of_partner;
        whole.request_id.clear();
    }
    whole.redacted = redacted;
    whole
}

/// Who holds protection, as the viewer may see it.
pub(super) fn ownership(whole: proto::Ownership, current: &Current, viewer: &Caller) -> proto::Ownership {
    if viewer.sees(&current.deal.partner) {
        return whole;
    }
    proto::Ownership { account: whole.account, redacted: true, ..Default::default() }
}
