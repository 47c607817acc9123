//! Disputes between claims: duplicates, and giving a deal to another partner.

use pactum_ids::{DealId, PartnerId};

use super::decide::{not_from, of};
use super::detect::{self, Claim};
use super::{Deal, DealState, Event, protection};
use crate::event::AnyEvent;
use crate::model::{Setting, field};
use crate::partner::PartnerState;
use crate::rejection::Rejection;

/// Says that a registration is the same business as another deal.
pub(super) fn mark_duplicate(
    setting: &Setting<'_>,
    deal: &Deal,
    original: &DealId,
    note: &str,
) -> Result<Vec<AnyEvent>, Rejection> {
    const FIELD: &str = "duplicate_of";
    setting.vendor_only()?;
    match deal.state {
        DealState::Duplicate if deal.duplicate_of.as_ref() == Some(original) => return Ok(Vec::new()),
        DealState::Submitted | DealState::InReview | DealState::Conflicted => {}
        _ => return Err(not_from(deal, "a duplicate", "it must be submitted, in review or in conflict")),
    }
    field::prose("note", note)?;
    if *original == deal.id {
        return Err(field::invalid(FIELD, "a deal is not a duplicate of itself"));
    }
    let Some(stays) = setting.model.deal(original) else {
        return Err(Rejection::NotFound { kind: "deal", id: original.as_str().into() });
    };
    if matches!(stays.state, DealState::Draft | DealState::Duplicate) {
        let state = stays.state.words();
        return Err(field::invalid(FIELD, format!("deal {original} is {state} itself; name the deal that stays")));
    }
    let decision = setting.decision("DUPLICATE", note, false);
    Ok(vec![of(&deal.id, Event::MarkedDuplicate { of: original.clone(), decision })])
}

/// Gives a deal to another partner, by a decision that names its evidence. Its protection and its place in line go with it;
/// the other deals of the former partner that were approved under it are no longer covered.
pub(super) fn reassign(
    setting: &Setting<'_>,
    deal: &Deal,
    to: &PartnerId,
    evidence: &[u64],
    reason_code: &str,
    note: &str,
) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    if !matches!(deal.state, DealState::Approved | DealState::Conflicted | DealState::InReview) {
        return Err(not_from(deal, "reassigned", "it must be in review, in conflict or approved"));
    }
    if deal.partner == *to {
        return Ok(Vec::new());
    }
    let reason_code = field::code("reason_code", reason_code, "DISPUTE")?;
    field::prose("note", note)?;
    let evidence = field::evidence("evidence", evidence, setting.model.sequence())?;
    if evidence.is_empty() {
        return Err(field::invalid("evidence", "name the sequences of the events that the decision rests on"));
    }
    let partner = setting.partner(to)?;
    if partner.state != PartnerState::Active {
        return Err(field::invalid("partner", format!("partner {to} is {}, not active", partner.state.words())));
    }
    let decision = setting.decision(reason_code, note, false);
    let reassigned = Event::Reassigned { from: deal.partner.clone(), to: to.clone(), evidence, decision };
    let Some(account) = deal.account.as_ref().filter(|_| deal.state.is_undecided()) else {
        return Ok(vec![of(&deal.id, reassigned)]);
    };

    // What stood in the way of the former partner's claim need not stand in the way of this one's.
    let policy = setting.policy()?;
    let standing = protection::standing(setting, policy, account, &deal.scope, &deal.id);
    let matched = setting.model.keys_of(account, deal.customer.as_ref());
    let claim = Claim { deal: &deal.id, partner, account, scope: &deal.scope, matched: &matched };
    let conflicts = detect::conflicts(setting, policy, claim, &standing, detect::identity_of(deal));
    let mut events = standing.expiries(setting);
    events.push(of(&deal.id, reassigned));
    if !conflicts.is_empty() {
        events.push(of(&deal.id, Event::ConflictDetected { conflicts }));
    }
    Ok(events)
}
