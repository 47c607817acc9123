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
    let mut deal = match (event, before) {
        (Event::Drafted(_), Some(_)) => return Err(EvolveError::Twice { kind: "deal", id: id.as_str().into() }),
        (Event::Drafted(drafted), None) => blank(id, drafted.partner.clone()),
        (Event::Registered(registered), None) => blank(id, registered.partner.clone()),
        (_, Some(before)) => before.clone(),
        (_, None) => return Err(EvolveError::Unknown { kind: "deal", id: id.as_str().into() }),
    };
    deal.version += 1;
    apply(&mut deal, event, moment);
    Ok(deal)
}

fn apply(deal: &mut Deal, event: &Event, moment: Moment) {
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
        Event::Approved { grant, .. } => {
            deal.state = DealState::Approved;
            deal.protection = granted(grant);
        }
        Event::Rejected { .. } => deal.state = DealState::Rejected,
        Event::MarkedDuplicate { of, .. } => {
            deal.state = DealState::Duplicate;
            deal.duplicate_of = Some(of.clone());
        }
        Event::ProtectionExtended { until: end, .. } => {
            if let ProtectionState::Held { until, extensions, .. } = &mut deal.protection {
                *until = *end;
                *extensions += 1;
            }
        }
        Event::ProtectionExpired { until, deal_expired } => {
            end_protection(deal, *until);
            if *deal_expired {
                deal.state = DealState::Expired;
            }
        }
        Event::Withdrawn { .. } => leave(deal, DealState::Withdrawn, moment),
        Event::Revoked { .. } => leave(deal, DealState::Revoked, moment),
        Event::Reassigned { to, .. } => {
            deal.partner = to.clone();
            // They were the former partner's; those of the new one follow in the same record.
            deal.conflicts.clear();
            if let ProtectionState::Under { .. } = deal.protection {
                deal.protection = ProtectionState::None;
            }
        }
        Event::StageChanged { to, .. } => deal.stage = to.clone(),
        Event::Amended(amended) => amend(deal, amended),
        Event::Won { amount, closed_on } => {
            deal.amount = Some(*amount);
            deal.close_date = Some(*closed_on);
            deal.closed_at = Some(moment.occurred_at);
            leave(deal, DealState::Won, moment);
        }
        Event::Lost { closed_on, .. } => {
            deal.close_date = Some(*closed_on);
            deal.closed_at = Some(moment.occurred_at);
            leave(deal, DealState::Lost, moment);
        }
        Event::Reopened { .. } => {
            deal.state = DealState::Approved;
            deal.closed_at = None;
            if let ProtectionState::Under { .. } = deal.protection {
                deal.protection = ProtectionState::None;
            }
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

fn end_protection(deal: &mut Deal, at: Timestamp) {
    if let ProtectionState::Held { from, .. } = deal.protection {
        deal.protection = ProtectionState::Ended { from, at: at.max(from) };
    }
}

/// Protection ends with the deal, by the clock it runs on.
fn leave(deal: &mut Deal, state: DealState, moment: Moment) {
    let at = match deal.basis {
        Basis::Recorded => moment.recorded_at,
        Basis::Occurred => moment.occurred_at,
    };
    end_protection(deal, at);
    deal.state = state;
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
