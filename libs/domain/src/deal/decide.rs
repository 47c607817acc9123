//! Deciding a command to a deal: who may ask, what has fallen due meanwhile, and then the part of its life it is about.

use pactum_ids::DealId;

use super::{Deal, Event, amend, close, dispute, protection, register, review};
use crate::command::DealCommand;
use crate::event::AnyEvent;
use crate::model::Setting;
use crate::rejection::Rejection;

/// Decides a command to a deal.
pub(crate) fn decide(setting: &Setting<'_>, id: &DealId, command: &DealCommand) -> Result<Vec<AnyEvent>, Rejection> {
    match command {
        DealCommand::Draft(draft) => return register::draft(setting, id, draft),
        DealCommand::Register(submission) => return register::register(setting, id, submission),
        _ => {}
    }
    let deal = setting.deal(id)?;
    if *command == DealCommand::ExpireProtection {
        return protection::expire(setting, deal);
    }
    let (deal, expiry) = protection::settled(setting, deal);
    let events = decide_settled(setting, &deal, command)?;
    Ok(match expiry {
        // What asks for nothing new rests on nothing.
        Some(expiry) if !events.is_empty() => std::iter::once(of(id, expiry)).chain(events).collect(),
        _ => events,
    })
}

fn decide_settled(setting: &Setting<'_>, deal: &Deal, command: &DealCommand) -> Result<Vec<AnyEvent>, Rejection> {
    match command {
        // The three are decided before: a creation has no deal yet, an expiry is itself the lapse that is told here.
        DealCommand::Draft(_) | DealCommand::Register(_) | DealCommand::ExpireProtection => Ok(Vec::new()),
        DealCommand::Submit { new_account } => register::submit(setting, deal, new_account),
        DealCommand::Resubmit(submission) => register::resubmit(setting, deal, submission),
        DealCommand::StartReview => review::start(setting, deal),
        DealCommand::RequestAction { message } => review::request_action(setting, deal, message),
        DealCommand::Approve { protection, reason_code, note } => {
            review::approve(setting, deal, *protection, reason_code, note)
        }
        DealCommand::Reject { reason_code, note } => review::reject(setting, deal, reason_code, note),
        DealCommand::MarkDuplicate { of, note } => dispute::mark_duplicate(setting, deal, of, note),
        DealCommand::Reassign { to, evidence, reason_code, note } => {
            dispute::reassign(setting, deal, to, evidence, reason_code, note)
        }
        DealCommand::ExtendProtection { days, reason, evidence } => {
            protection::extend(setting, deal, *days, reason, evidence)
        }
        DealCommand::Withdraw { reason } => close::withdraw(setting, deal, reason),
        DealCommand::Revoke { reason_code, note } => close::revoke(setting, deal, reason_code, note),
        DealCommand::ChangeStage { stage } => amend::change_stage(setting, deal, stage),
        DealCommand::Amend(amendment) => amend::amend(setting, deal, amendment),
        DealCommand::Win { amount, closed_on } => close::win(setting, deal, *amount, *closed_on),
        DealCommand::Lose { reason, closed_on } => close::lose(setting, deal, reason, *closed_on),
        DealCommand::Reopen { reason } => close::reopen(setting, deal, reason),
    }
}

/// An event of a deal.
pub(super) fn of(id: &DealId, event: Event) -> AnyEvent {
    AnyEvent::Deal(id.clone(), event)
}

/// The refusal of a transition that does not exist from where the deal stands.
pub(super) fn not_from(deal: &Deal, verb: &'static str, allowed: &'static str) -> Rejection {
    Rejection::InvalidTransition { kind: "deal", state: deal.state.words(), verb, allowed }
}
