//! What an event makes of a deal.

use pactum_ids::DealId;
use smol_str::SmolStr;

use super::event::{Amended, Drafted, Registered};
use super::{Basis, Deal, DealState, Event, Grant, ProtectionState};
use crate::event::{EvolveError, Moment};
use crate::time::Timestamp;

/// The deal after an event, from the deal before it; `None` before its first.
///
/// # Errors
/// [`EvolveError`] where a deal that was never created is changed, or one that is there is drafted again.
pub fn evolve(before: Option<&Deal>, id: &DealId, event: &Event, moment: Moment) -> Result<Deal, EvolveError> {
    let mut deal = match before {
        Some(before) => before.clone(),
        None => begin(id, event)?,
    };
    advance(&mut deal, event, moment)?;
    Ok(deal)
}

/// The deal before its first event, to [`advance`] by it.
///
/// # Errors
/// [`EvolveError::Unknown`] where no deal begins with the event.
pub fn begin(id: &DealId, event: &Event) -> Result<Deal, EvolveError> {
    match event {
        Event::Drafted(drafted) => Ok(blank(id, drafted.partner.clone())),
        Event::Registered(registered) => Ok(blank(id, registered.partner.clone())),
        _ => Err(EvolveError::Unknown { kind: "deal", id: id.as_str().into() }),
    }
}

/// As [`evolve`], but in place: nothing that stays is copied.
///
/// # Errors
/// [`EvolveError::Twice`] where a deal that is there is drafted again; it then is as it was.
pub fn advance(deal: &mut Deal, event: &Event, moment: Moment) -> Result<(), EvolveError> {
    if matches!(event, Event::Drafted(_)) && deal.version > 0 {
        return Err(EvolveError::Twice { kind: "deal", id: deal.id.as_str().into() });
    }
    deal.version += 1;
    apply(deal, event, moment);
    Ok(())
}

fn apply(deal: &mut Deal, event: &Event, moment: Moment) {
    protect(&mut deal.protection, deal.basis, event, moment);
    match event {
        Event::Drafted(drafted) => write_down(deal, drafted),
        Event::Registered(registered) => {
            submit(deal, registered);
            deal.registered_at = Some(moment.recorded_at);
            deal.registered_sequence = Some(moment.sequence);
        }
        Event::Resubmitted(registered) => submit(deal, registered),
        Event::ConflictDetected { conflicts } => {
            deal.state = DealState::Conflicted;
            deal.conflicts.clone_from(conflicts);
        }
        Event::ReviewStarted { .. } => deal.state = DealState::InReview,
        Event::ActionRequired { message } => {
            deal.state = DealState::ActionRequired;
            deal.requested_action.clone_from(message);
        }
        Event::Approved { .. } => deal.state = DealState::Approved,
        Event::Rejected { .. } => deal.state = DealState::Rejected,
        Event::MarkedDuplicate { of, .. } => {
            deal.state = DealState::Duplicate;
            deal.duplicate_of = Some(of.clone());
        }
        Event::ProtectionExtended { .. } => {}
        Event::ProtectionExpired { deal_expired, .. } => {
            if *deal_expired {
                deal.state = DealState::Expired;
            }
        }
        Event::Withdrawn { .. } => deal.state = DealState::Withdrawn,
        Event::Revoked { .. } => deal.state = DealState::Revoked,
        Event::Reassigned { to, .. } => {
            deal.partner = to.clone();
            // They were the former partner's; those of the new one follow in the same record.
            deal.conflicts.clear();
        }
        Event::StageChanged { to, .. } => deal.stage = to.clone(),
        Event::Amended(amended) => amend(deal, amended),
        Event::Won { amount, closed_on } => {
            deal.amount = Some(*amount);
            deal.close_date = Some(*closed_on);
            deal.closed_at = Some(moment.occurred_at);
            deal.state = DealState::Won;
        }
        Event::Lost { closed_on, .. } => {
            deal.close_date = Some(*closed_on);
            deal.closed_at = Some(moment.occurred_at);
            deal.state = DealState::Lost;
        }
        Event::Reopened { .. } => {
            deal.state = DealState::Approved;
            deal.closed_at = None;
        }
    }
}

fn blank(id: &DealId, partner: pactum_ids::PartnerId) -> Deal {
    Deal {
        id: id.clone(),
        version: 0,
        state: DealState::Draft,
        partner,
        title: String::new(),
        account: None,
        customer: None,
        scope: super::Scope::default(),
        amount: None,
        close_date: None,
        stage: SmolStr::default(),
        protection: ProtectionState::None,
        conflicts: Vec::new(),
        requested_action: String::new(),
        previous_deal: None,
        duplicate_of: None,
        basis: Basis::Recorded,
        registered_at: None,
        registered_sequence: None,
        closed_at: None,
    }
}

fn write_down(deal: &mut Deal, drafted: &Drafted) {
    deal.title.clone_from(&drafted.title);
    deal.customer.clone_from(&drafted.customer);
    deal.scope.clone_from(&drafted.scope);
    deal.amount = drafted.amount;
    deal.close_date = drafted.expected_close;
    deal.stage = drafted.stage.clone().unwrap_or_default();
    deal.previous_deal.clone_from(&drafted.previous_deal);
}

fn submit(deal: &mut Deal, registered: &Registered) {
    deal.state = DealState::Submitted;
    deal.title.clone_from(&registered.title);
    deal.account = Some(registered.account.clone());
    deal.customer = Some(registered.customer.clone());
    deal.scope.clone_from(&registered.scope);
    deal.amount = registered.amount;
    deal.close_date = registered.expected_close;
    deal.stage = registered.stage.clone();
    deal.previous_deal.clone_from(&registered.previous_deal);
    deal.basis = registered.basis;
    deal.conflicts.clear();
    deal.requested_action.clear();
}

fn granted(grant: &Grant) -> ProtectionState {
    match grant {
        Grant::None => ProtectionState::None,
        Grant::Window { from, until, basis } => {
            ProtectionState::Held { from: *from, until: *until, basis: *basis, extensions: 0 }
        }
        Grant::Under { deal } => ProtectionState::Under { deal: deal.clone() },
    }
}

/// What an event makes of a deal's protection. `basis` is the clock that the deal's windows run on.
pub fn protect(protection: &mut ProtectionState, basis: Basis, event: &Event, moment: Moment) {
    match event {
        Event::Approved { grant, .. } => *protection = granted(grant),
        Event::ProtectionExtended { until: end, .. } => {
            if let ProtectionState::Held { until, extensions, .. } = protection {
                *until = *end;
                *extensions += 1;
            }
        }
        Event::ProtectionExpired { until, .. } => end_protection(protection, *until),
        // Protection ends with the deal, by the clock it runs on.
        Event::Withdrawn { .. } | Event::Revoked { .. } | Event::Won { .. } | Event::Lost { .. } => {
            let at = match basis {
                Basis::Recorded => moment.recorded_at,
                Basis::Occurred => moment.occurred_at,
            };
            end_protection(protection, at);
        }
        Event::Reassigned { .. } | Event::Reopened { .. } => {
            if let ProtectionState::Under { .. } = protection {
                *protection = ProtectionState::None;
            }
        }
        Event::Drafted(_)
        | Event::Registered(_)
        | Event::ConflictDetected { .. }
        | Event::ReviewStarted { .. }
        | Event::ActionRequired { .. }
        | Event::Resubmitted(_)
        | Event::Rejected { .. }
        | Event::MarkedDuplicate { .. }
        | Event::StageChanged { .. }
        | Event::Amended(_) => {}
    }
}

fn end_protection(protection: &mut ProtectionState, at: Timestamp) {
    if let ProtectionState::Held { from, .. } = *protection {
        *protection = ProtectionState::Ended { from, at: at.max(from) };
    }
}

fn amend(deal: &mut Deal, amended: &Amended) {
    if let Some(title) = &amended.title {
        deal.title.clone_from(title);
    }
    if let Some((customer, account)) = &amended.customer {
        deal.customer = Some(customer.clone());
        deal.account.clone_from(account);
    }
    if let Some(scope) = &amended.scope {
        deal.scope.clone_from(scope);
    }
    if amended.customer.is_some() || amended.scope.is_some() {
        // They were found for another claim; those of this one follow in the same record.
        deal.conflicts.clear();
    }
    if let Some(amount) = amended.amount {
        deal.amount = amount;
    }
    if let Some(expected_close) = amended.expected_close {
        deal.close_date = expected_close;
    }
}
