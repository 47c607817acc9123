//! Protection: who holds it on an account, what a lapse does, extension and expiry.

use std::borrow::Cow;
use std::sync::Arc;

use pactum_ids::{AccountId, DealId};

use super::decide::{not_from, of};
use super::{Basis, Deal, DealState, Event, Grant, ProtectionState, Scope, evolve};
use crate::event::{AnyEvent, Moment};
use crate::model::{Setting, field};
use crate::partner::Partner;
use crate::policy::{OnLapse, Policy};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// Who holds protection on an account with overlapping scope.
#[derive(Default)]
pub(super) struct Standing<'a> {
    /// Deals whose protection is live, by id.
    pub(super) live: Vec<&'a Arc<Deal>>,
    /// Deals whose window has run out but has no event yet. A decision that rests on this records it first.
    pub(super) lapsed: Vec<&'a Arc<Deal>>,
}

/// Looks at who holds protection on an account with overlapping scope, but for one deal.
pub(super) fn standing<'a>(
    setting: &Setting<'a>,
    policy: &Policy,
    account: &AccountId,
    scope: &Scope,
    except: &DealId,
) -> Standing<'a> {
    let mut standing = Standing::default();
    for id in setting.model.index().holding(account) {
        let Some(deal) = setting.model.deal(id).filter(|deal| deal.id != *except) else { continue };
        if !deal.scope.overlaps(scope, policy) {
            continue;
        }
        if lapse(setting, deal).is_some() { standing.lapsed.push(deal) } else { standing.live.push(deal) }
    }
    standing
}

impl Standing<'_> {
    /// The missing expiries, to go before the events that rest on them.
    pub(super) fn expiries(&self, setting: &Setting<'_>) -> Vec<AnyEvent> {
        let mut events = Vec::new();
        self.record_expiries(setting, &mut events);
        events
    }

    /// The same, into a record that is being made.
    pub(super) fn record_expiries(&self, setting: &Setting<'_>, events: &mut Vec<AnyEvent>) {
        let expired = self.lapsed.iter().filter_map(|deal| Some(of(&deal.id, expiry(setting, deal)?)));
        events.extend(expired);
    }

    /// Refuses where another partner's deal holds protection.
    pub(super) fn refuse_others(&self, partner: &pactum_ids::PartnerId) -> Result<(), Rejection> {
        refuse_any(self.live.iter().filter(|deal| deal.partner != *partner))
    }

    /// Refuses where any deal holds protection.
    pub(super) fn refuse_all(&self) -> Result<(), Rejection> {
        refuse_any(self.live.iter())
    }

    /// The deal of the partner itself that covers, the first registered.
    pub(super) fn own(&self, partner: &pactum_ids::PartnerId) -> Option<&DealId> {
        let own = self.live.iter().filter(|deal| deal.partner == *partner);
        own.min_by_key(|deal| deal.registered_sequence).map(|deal| &deal.id)
    }
}

fn refuse_any<'a>(mut holders: impl Iterator<Item = &'a &'a Arc<Deal>>) -> Result<(), Rejection> {
    match holders.find_map(|deal| held_until(deal)) {
        Some(until) => Err(Rejection::Protected { until }),
        None => Ok(()),
    }
}

/// The end of the window a deal holds.
pub(super) fn held_until(deal: &Deal) -> Option<Timestamp> {
    match deal.protection {
        ProtectionState::Held { until, .. } => Some(until),
        ProtectionState::None | ProtectionState::Under { .. } | ProtectionState::Ended { .. } => None,
    }
}

/// The end of a window that has run out by its clock.
fn lapse(setting: &Setting<'_>, deal: &Deal) -> Option<Timestamp> {
    match deal.protection {
        ProtectionState::Held { until, basis, .. } => (until <= setting.clock.at(basis)).then_some(until),
        ProtectionState::None | ProtectionState::Under { .. } | ProtectionState::Ended { .. } => None,
    }
}

/// The expiry of a window that has run out. Where the policy ends deals with their protection, this one ends, unless its
/// history is still being brought in: how it ended may be yet to come.
fn expiry(setting: &Setting<'_>, deal: &Deal) -> Option<Event> {
    let until = lapse(setting, deal)?;
    Some(Event::ProtectionExpired { until, deal_expired: ends_with_protection(setting, deal) })
}

/// Whether a lapse ends the whole deal.
pub(super) fn ends_with_protection(setting: &Setting<'_>, deal: &Deal) -> bool {
    let on_lapse = setting.policy().map_or(OnLapse::Keep, |policy| policy.deal_registration.on_lapse);
    let history_open = deal.basis == Basis::Occurred && setting.clock.importing;
    on_lapse == OnLapse::Expire && deal.state == DealState::Approved && !history_open
}

/// A deal as it is once its own lapse is told, and the event that tells it.
pub(super) fn settled<'a>(setting: &Setting<'_>, deal: &'a Deal) -> (Cow<'a, Deal>, Option<Event>) {
    let Some(event) = expiry(setting, deal) else { return (Cow::Borrowed(deal), None) };
    let moment = Moment {
        occurred_at: setting.clock.occurred,
        recorded_at: setting.clock.recorded,
        sequence: setting.model.sequence() + 1,
    };
    match evolve(Some(deal), &deal.id, &event, moment) {
        Ok(after) => (Cow::Owned(after), Some(event)),
        Err(_) => (Cow::Borrowed(deal), None),
    }
}

/// The window that the policy gives a partner, from now by the deal's clock.
pub(super) fn window(
    setting: &Setting<'_>,
    policy: &Policy,
    partner: &Partner,
    basis: Basis,
    days: Option<u32>,
) -> Grant {
    let days = days.unwrap_or_else(|| policy.protection_days(&partner.tier));
    let from = setting.clock.at(basis);
    let until = from.plus_days(i64::from(days));
    if until <= from { Grant::None } else { Grant::Window { from, until, basis } }
}

/// Prolongs a window.
pub(super) fn extend(
    setting: &Setting<'_>,
    deal: &Deal,
    days: u32,
    reason: &str,
    evidence: &[u64],
) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    let registration = &setting.policy()?.deal_registration;
    let ProtectionState::Held { until, extensions, .. } = deal.protection else {
        return Err(Rejection::InvalidTransition {
            kind: "deal",
            state: "without protection of its own",
            verb: "protected for longer",
            allowed: "it must hold protection that has not lapsed",
        });
    };
    field::required_prose("reason", reason)?;
    let evidence = field::evidence("evidence", evidence, setting.model.sequence())?;
    if days == 0 {
        return Err(field::invalid("days", "must be at least 1"));
    }
    let most = registration.max_extension_days;
    if extensions >= registration.max_extensions {
        let rule =
            format!("protection may be extended {} times, and was {extensions} times", registration.max_extensions);
        return Err(setting.forbidden_by_policy(rule));
    }
    if days > most {
        return Err(setting.forbidden_by_policy(format!("an extension is at most {most} days, {days} were asked")));
    }
    let until = until.plus_days(i64::from(days));
    let event = Event::ProtectionExtended { until, reason: reason.to_owned(), evidence };
    Ok(vec![of(&deal.id, event)])
}

/// Lets a window lapse that has run out. `deal` is the deal before its own lapse is told.
pub(super) fn expire(setting: &Setting<'_>, deal: &Deal) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    let ProtectionState::Held { until, basis, .. } = deal.protection else { return Ok(Vec::new()) };
    if basis == Basis::Occurred && setting.clock.importing {
        return Err(not_from(deal, "expired", "its history is still being brought in"));
    }
    match expiry(setting, deal) {
        Some(event) => Ok(vec![of(&deal.id, event)]),
        None => Err(setting.forbidden_by_policy(format!("protection runs until {until}"))),
    }
}
