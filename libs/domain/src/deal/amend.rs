//! Changes to an open deal: its fields, and the stage of its sale.

use pactum_ids::AccountId;
use smol_str::SmolStr;

use super::decide::{not_from, of};
use super::detect::{self, Claim};
use super::event::Amended;
use super::protection::{self, Standing, held_until};
use super::register::{SCOPE, find_account, known_stage};
use super::{Conflict, Deal, DealState, Event, Scope};
use crate::account::Customer;
use crate::command::Amendment;
use crate::event::AnyEvent;
use crate::model::{Setting, field};
use crate::rejection::Rejection;

/// Moves a deal to another stage.
pub(super) fn change_stage(setting: &Setting<'_>, deal: &Deal, stage: &SmolStr) -> Result<Vec<AnyEvent>, Rejection> {
    if !matches!(deal.state, DealState::Draft | DealState::Approved) {
        return Err(not_from(deal, "moved to another stage", "it must be a draft or approved"));
    }
    if deal.stage == *stage {
        return Ok(Vec::new());
    }
    known_stage("stage", stage, setting.policy()?)?;
    Ok(vec![of(&deal.id, Event::StageChanged { from: deal.stage.clone(), to: stage.clone() })])
}

/// Changes fields; only those named, and of them only those that differ.
///
/// What a deal claims (customer, products, territories) is the partner's to change until it is approved, and each change of
/// an undecided claim is examined for conflicts anew. Afterwards only the vendor may change it, and protection that the deal
/// holds must not come to overlap another's.
pub(super) fn amend(setting: &Setting<'_>, deal: &Deal, amendment: &Amendment) -> Result<Vec<AnyEvent>, Rejection> {
    let open = deal.state == DealState::Draft || deal.state.is_open_registration();
    if !open {
        return Err(not_from(deal, "changed", "it must be open"));
    }
    let Amendment { title, customer, products, territories, amount, expected_close } = amendment;
    let names_claim = customer.is_some() || products.is_some() || territories.is_some();
    if names_claim && deal.state == DealState::Approved && setting.actor().role.is_partner() {
        return Err(Rejection::Forbidden("what an approved deal claims can be changed by the vendor only"));
    }
    if let Some(title) = title {
        field::line("deal.title", title)?;
    }
    if let Some(Some(amount)) = amount {
        field::amount("deal.amount", *amount)?;
    }
    if let Some(Some(day)) = expected_close {
        field::date("deal.close_date", *day)?;
    }
    if let Some((customer, _)) = customer {
        field::customer("deal.customer", customer)?;
    }
    let scope = if products.is_some() || territories.is_some() {
        let products = products.as_ref().unwrap_or(&deal.scope.products).clone();
        let territories = territories.as_ref().unwrap_or(&deal.scope.territories).clone();
        let scope = field::scope(&SCOPE, &Scope { products, territories }, setting.policy()?)?;
        Some(scope).filter(|scope| *scope != deal.scope)
    } else {
        None
    };
    let customer = customer.as_ref().filter(|(customer, _)| deal.customer.as_ref() != Some(customer));
    let claimed = reclaim(setting, deal, customer, scope.as_ref())?;
    let amended = Amended {
        title: title.clone().filter(|title| *title != deal.title),
        customer: customer.map(|(customer, _)| (customer.clone(), claimed.account)),
        scope,
        amount: amount.filter(|amount| *amount != deal.amount),
        expected_close: expected_close.filter(|day| *day != deal.close_date),
    };
    if amended == Amended::default() {
        return Ok(Vec::new());
    }
    let mut events = claimed.expiries;
    events.push(of(&deal.id, Event::Amended(amended)));
    if !claimed.conflicts.is_empty() {
        events.push(of(&deal.id, Event::ConflictDetected { conflicts: claimed.conflicts }));
    }
    Ok(events)
}

/// What becomes of a claim that is changed.
#[derive(Default)]
struct Reclaimed {
    account: Option<AccountId>,
    /// Lapses of others that the change rests on.
    expiries: Vec<AnyEvent>,
    conflicts: Vec<Conflict>,
}

/// Examines a changed claim. A draft claims nothing yet; a partner that was asked for something is examined when it answers.
fn reclaim(
    setting: &Setting<'_>,
    deal: &Deal,
    customer: Option<&(Customer, AccountId)>,
    scope: Option<&Scope>,
) -> Result<Reclaimed, Rejection> {
    let Some(current) = &deal.account else { return Ok(Reclaimed::default()) };
    if customer.is_none() && scope.is_none() {
        return Ok(Reclaimed::default());
    }
    let policy = setting.policy()?;
    let undecided = deal.state.is_undecided();
    let scope = scope.unwrap_or(&deal.scope);
    let (account, matched, identity) = match customer {
        Some((customer, new_account)) => {
            let by_name = undecided.then_some(policy);
            let found = find_account(setting, Some(deal), customer, new_account, by_name)?;
            let identity = detect::identity(&found);
            (found.account, found.matched, identity)
        }
        None => {
            let matched = setting.model.keys_of(current, deal.customer.as_ref());
            (current.clone(), matched, detect::identity_of(deal))
        }
    };
    let holds = held_until(deal).is_some();
    let standing = match deal.state {
        DealState::ActionRequired => Standing::default(),
        _ if undecided || holds => protection::standing(setting, policy, &account, scope, &deal.id),
        _ => Standing::default(),
    };
    if holds {
        standing.refuse_all()?;
    }
    let mut conflicts = Vec::new();
    if undecided && deal.state != DealState::ActionRequired {
        let partner = setting.partner(&deal.partner)?;
        let claim = Claim { deal: &deal.id, partner, account: &account, scope, matched: &matched };
        conflicts = detect::conflicts(setting, policy, claim, &standing, identity);
    }
    Ok(Reclaimed { expiries: standing.expiries(setting), account: Some(account), conflicts })
}
