//! The vendor's decisions on a registration.

use super::decide::{not_from, of};
use super::protection::{self, Standing};
use super::{Deal, DealState, Event, Grant};
use crate::command::ProtectionChoice;
use crate::event::AnyEvent;
use crate::model::{Setting, field};
use crate::rejection::Rejection;

/// The reason code of a decision for which the reviewer gives none.
const REVIEWED: &str = "REVIEWED";

/// Takes a registration into review.
pub(super) fn start(setting: &Setting<'_>, deal: &Deal) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    match deal.state {
        DealState::InReview => return Ok(Vec::new()),
        DealState::Submitted | DealState::Conflicted => {}
        _ => return Err(not_from(deal, "taken into review", "it must be submitted or in conflict")),
    }
    let days = setting.policy()?.deal_registration.review_days;
    let due = setting.clock.recorded.plus_days(i64::from(days));
    Ok(vec![of(&deal.id, Event::ReviewStarted { due })])
}

/// Asks the partner for something. Asking for something else meanwhile is a new request.
pub(super) fn request_action(setting: &Setting<'_>, deal: &Deal, message: &str) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    match deal.state {
        DealState::ActionRequired if deal.requested_action == message => return Ok(Vec::new()),
        DealState::Submitted | DealState::InReview | DealState::Conflicted | DealState::ActionRequired => {}
        _ => return Err(not_from(deal, "sent back", "it must be submitted, in review or in conflict")),
    }
    field::required_prose("message", message)?;
    Ok(vec![of(&deal.id, Event::ActionRequired { message: message.to_owned() })])
}

/// Approves.
pub(super) fn approve(
    setting: &Setting<'_>,
    deal: &Deal,
    choice: ProtectionChoice,
    reason_code: &str,
    note: &str,
) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    let account = match (deal.state, &deal.account) {
        (DealState::Approved, _) => return Ok(Vec::new()),
        (DealState::Submitted | DealState::InReview | DealState::Conflicted, Some(account)) => account,
        _ => return Err(not_from(deal, "approved", "it must be submitted, in review or in conflict")),
    };
    let reason_code = field::code("reason_code", reason_code, REVIEWED)?;
    field::prose("note", note)?;
    let policy = setting.policy()?;
    let days = match choice {
        ProtectionChoice::Without => {
            let decision = setting.decision(reason_code, note, false);
            return Ok(vec![of(&deal.id, Event::Approved { decision, grant: Grant::None })]);
        }
        ProtectionChoice::Policy => None,
        ProtectionChoice::Days(days) => Some(protection_days(days)?),
    };
    let partner = setting.partner(&deal.partner)?;
    let standing: Standing<'_> = protection::standing(setting, policy, account, &deal.scope, &deal.id);
    standing.refuse_others(&deal.partner)?;
    let grant = match standing.own(&deal.partner) {
        Some(own) => Grant::Under { deal: own.clone() },
        None => protection::window(setting, policy, partner, deal.basis, days),
    };
    let mut events = standing.expiries(setting);
    let decision = setting.decision(reason_code, note, false);
    events.push(of(&deal.id, Event::Approved { decision, grant }));
    Ok(events)
}

fn protection_days(days: u32) -> Result<u32, Rejection> {
    let most = field::MAX_PROTECTION_DAYS;
    if (1..=most).contains(&days) {
        return Ok(days);
    }
    Err(field::invalid("protection_days", format!("protection is 1 to {most} days")))
}

/// Refuses.
pub(super) fn reject(
    setting: &Setting<'_>,
    deal: &Deal,
    reason_code: &str,
    note: &str,
) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    if deal.state == DealState::Rejected {
        return Ok(Vec::new());
    }
    if !deal.state.is_undecided() {
        return Err(not_from(deal, "rejected", "it must be submitted and not yet decided"));
    }
    let reason_code = field::code("reason_code", reason_code, REVIEWED)?;
    field::prose("note", note)?;
    let decision = setting.decision(reason_code, note, false);
    Ok(vec![of(&deal.id, Event::Rejected { decision })])
}
