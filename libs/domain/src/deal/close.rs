//! How a deal ends: won, lost, withdrawn, revoked; and how a closed one is opened again.

use super::decide::{not_from, of};
use super::{Deal, DealState, Event};
use crate::event::AnyEvent;
use crate::model::{Setting, days_between, field};
use crate::money::Money;
use crate::rejection::Rejection;
use crate::time::Date;

/// The partner, or the vendor for it, takes the deal back.
pub(super) fn withdraw(_: &Setting<'_>, deal: &Deal, reason: &str) -> Result<Vec<AnyEvent>, Rejection> {
    if deal.state == DealState::Withdrawn {
        return Ok(Vec::new());
    }
    if deal.state != DealState::Draft && !deal.state.is_open_registration() {
        return Err(not_from(deal, "withdrawn", "it must be open"));
    }
    field::prose("reason", reason)?;
    Ok(vec![of(&deal.id, Event::Withdrawn { reason: reason.to_owned() })])
}

/// The vendor takes the approval back.
pub(super) fn revoke(
    setting: &Setting<'_>,
    deal: &Deal,
    reason_code: &str,
    note: &str,
) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    match deal.state {
        DealState::Revoked => return Ok(Vec::new()),
        DealState::Approved => {}
        _ => return Err(not_from(deal, "revoked", "it must be approved")),
    }
    let reason_code = field::code("reason_code", reason_code, "REVOKED")?;
    field::prose("note", note)?;
    let decision = setting.decision(reason_code, note, false);
    Ok(vec![of(&deal.id, Event::Revoked { decision })])
}

/// The customer bought.
pub(super) fn win(
    setting: &Setting<'_>,
    deal: &Deal,
    amount: Money,
    closed_on: Option<Date>,
) -> Result<Vec<AnyEvent>, Rejection> {
    match deal.state {
        DealState::Won if deal.amount == Some(amount) && is_that_day(deal, closed_on) => return Ok(Vec::new()),
        DealState::Approved => {}
        DealState::Won => return Err(not_from(deal, "won with other terms", "reopen it first")),
        _ => return Err(not_from(deal, "won", "it must be approved")),
    }
    field::amount("amount", amount)?;
    if let Some(expected) = deal.amount.filter(|expected| expected.currency != amount.currency) {
        let (expected, given) = (expected.currency.as_str(), amount.currency.as_str());
        return Err(field::invalid(
            "amount.currency_code",
            format!("the deal is in {expected}, the amount in {given}"),
        ));
    }
    let closed_on = closing_day(setting, closed_on)?;
    Ok(vec![of(&deal.id, Event::Won { amount, closed_on })])
}

/// The customer did not buy.
pub(super) fn lose(
    setting: &Setting<'_>,
    deal: &Deal,
    reason: &str,
    closed_on: Option<Date>,
) -> Result<Vec<AnyEvent>, Rejection> {
    match deal.state {
        DealState::Lost if is_that_day(deal, closed_on) => return Ok(Vec::new()),
        DealState::Approved => {}
        DealState::Lost => return Err(not_from(deal, "lost on another day", "reopen it first")),
        _ => return Err(not_from(deal, "lost", "it must be approved")),
    }
    field::prose("reason", reason)?;
    let closed_on = closing_day(setting, closed_on)?;
    Ok(vec![of(&deal.id, Event::Lost { reason: reason.to_owned(), closed_on })])
}

/// Opens a closed deal again. Its protection does not come back by itself.
pub(super) fn reopen(setting: &Setting<'_>, deal: &Deal, reason: &str) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    match deal.state {
        DealState::Approved => return Ok(Vec::new()),
        DealState::Won | DealState::Lost => {}
        _ => return Err(not_from(deal, "reopened", "it must be won or lost")),
    }
    field::prose("reason", reason)?;
    let most = setting.policy()?.deal_registration.reopen_days;
    let now = setting.clock.at(deal.basis);
    if let Some(closed_at) = deal.closed_at.filter(|closed_at| closed_at.plus_days(i64::from(most)) < now) {
        let days = days_between(closed_at, now);
        let rule = format!("a deal may be reopened for {most} days after it was closed, {days} have gone by");
        return Err(setting.forbidden_by_policy(rule));
    }
    Ok(vec![of(&deal.id, Event::Reopened { reason: reason.to_owned() })])
}

fn is_that_day(deal: &Deal, closed_on: Option<Date>) -> bool {
    closed_on.is_none_or(|day| deal.close_date == Some(day))
}

/// The day given, or the day on which it happened. Where it is told, it may be tomorrow already by UTC's reckoning.
fn closing_day(setting: &Setting<'_>, given: Option<Date>) -> Result<Date, Rejection> {
    let today = setting.clock.occurred.date();
    let Some(day) = given else { return Ok(today) };
    field::date("closed_on", day)?;
    if day.0 > today.0.saturating_add(1) {
        return Err(field::invalid("closed_on", format!("{day} lies ahead; it is {today}")));
    }
    Ok(day)
}
