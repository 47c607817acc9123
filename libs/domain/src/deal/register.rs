//! Writing a deal down, registering it, and submitting it again.

use std::sync::Arc;

use pactum_ids::{AccountId, DealId, PartnerId};
use smol_str::SmolStr;

use super::decide::{not_from, of};
use super::detect::{self, Claim};
use super::event::{Drafted, Registered};
use super::{Basis, Conflict, Deal, DealState, Event, Grant, Scope, protection};
use crate::account::Customer;
use crate::actor::Role;
use crate::command::{Draft, HistoryTerms, Submission};
use crate::event::AnyEvent;
use crate::model::field::{self, ScopeFields};
use crate::model::{Resolution, Search, Setting};
use crate::money::Money;
use crate::partner::Partner;
use crate::policy::{ApprovalInput, OnConflict, Policy};
use crate::rejection::Rejection;
use crate::time::Date;

/// Where the fields of a deal's scope stand in a request.
pub(super) const SCOPE: ScopeFields =
    ScopeFields { products: "deal.scope.products", territories: "deal.scope.territories" };

/// Writes a deal down.
pub(super) fn draft(setting: &Setting<'_>, id: &DealId, draft: &Draft) -> Result<Vec<AnyEvent>, Rejection> {
    if setting.model.deal(id).is_some() {
        return Err(exists(id));
    }
    setting.check_version(0)?;
    let policy = setting.policy()?;
    let partner = owner(setting, &draft.partner)?;
    check_terms(&draft.title, draft.amount, draft.expected_close)?;
    if let Some(customer) = &draft.customer {
        field::customer("deal.customer", customer)?;
    }
    if let Some(stage) = &draft.stage {
        known_stage("deal.stage", stage, policy)?;
    }
    check_previous(setting, id, &partner.id, draft.previous_deal.as_ref())?;
    let drafted = Drafted {
        partner: draft.partner.clone(),
        title: draft.title.clone(),
        customer: draft.customer.clone(),
        scope: field::scope(&SCOPE, &draft.scope, policy)?,
        amount: draft.amount,
        expected_close: draft.expected_close,
        stage: draft.stage.clone(),
        previous_deal: draft.previous_deal.clone(),
    };
    Ok(vec![of(id, Event::Drafted(drafted))])
}

/// Registers a new deal, or one that is a draft.
pub(super) fn register(
    setting: &Setting<'_>,
    id: &DealId,
    submission: &Submission,
) -> Result<Vec<AnyEvent>, Rejection> {
    let before = setting.model.deal(id).map(Arc::as_ref);
    if let Some(deal) = before {
        if deal.state != DealState::Draft || !setting.may_see(&deal.partner) {
            return Err(exists(id));
        }
        check_same_partner(deal, submission)?;
    }
    setting.check_version(before.map_or(0, |deal| deal.version))?;
    let basis = match &submission.history {
        Some(terms) => history_basis(setting, *terms)?,
        None => Basis::Recorded,
    };
    file(setting, id, before, submission, basis, Event::Registered)
}

/// Registers a draft as it stands.
pub(super) fn submit(setting: &Setting<'_>, deal: &Deal, new_account: &AccountId) -> Result<Vec<AnyEvent>, Rejection> {
    match deal.state {
        DealState::Draft => {}
        DealState::Submitted | DealState::Conflicted => return Ok(Vec::new()),
        _ => return Err(not_from(deal, "submitted", "it must be a draft")),
    }
    let Some(customer) = &deal.customer else {
        return Err(field::invalid("deal.customer", "a registration needs the customer; add it to the draft first"));
    };
    let submission = Submission {
        partner: deal.partner.clone(),
        title: deal.title.clone(),
        customer: customer.clone(),
        new_account: new_account.clone(),
        scope: deal.scope.clone(),
        amount: deal.amount,
        expected_close: deal.close_date,
        stage: None,
        previous_deal: deal.previous_deal.clone(),
        history: None,
    };
    file(setting, &deal.id, Some(deal), &submission, Basis::Recorded, Event::Registered)
}

/// Answers a reviewer's request with the registration as it is now. Its place in line is kept.
pub(super) fn resubmit(
    setting: &Setting<'_>,
    deal: &Deal,
    submission: &Submission,
) -> Result<Vec<AnyEvent>, Rejection> {
    check_same_partner(deal, submission)?;
    match deal.state {
        DealState::ActionRequired => {}
        DealState::Submitted | DealState::Conflicted if says_the_same(deal, submission) => return Ok(Vec::new()),
        _ => return Err(not_from(deal, "submitted again", "the vendor must have asked for something first")),
    }
    if submission.history.is_some() {
        return Err(field::invalid("history", "is only for a first registration"));
    }
    let previous = submission.previous_deal.as_ref();
    if previous.is_some() && previous != deal.previous_deal.as_ref() {
        return Err(field::invalid("deal.previous_deal", "cannot be changed"));
    }
    let submission = Submission { previous_deal: deal.previous_deal.clone(), ..submission.clone() };
    file(setting, &deal.id, Some(deal), &submission, deal.basis, Event::Resubmitted)
}

fn exists(id: &DealId) -> Rejection {
    Rejection::AlreadyExists { kind: "deal", id: id.as_str().into() }
}

/// The partner that a deal is to belong to, where the caller may act for it.
fn owner<'a>(setting: &Setting<'a>, partner: &PartnerId) -> Result<&'a Arc<Partner>, Rejection> {
    if !setting.may_see(partner) {
        return Err(Rejection::Forbidden("a partner may have deals only in its own name"));
    }
    setting.partner(partner)
}

fn check_same_partner(deal: &Deal, submission: &Submission) -> Result<(), Rejection> {
    if deal.partner != submission.partner {
        return Err(field::invalid("deal.partner", "the deal is another partner's"));
    }
    Ok(())
}

fn check_terms(title: &str, amount: Option<Money>, expected_close: Option<Date>) -> Result<(), Rejection> {
    field::line("deal.title", title)?;
    if let Some(amount) = amount {
        field::amount("deal.amount", amount)?;
    }
    if let Some(day) = expected_close {
        field::date("deal.close_date", day)?;
    }
    Ok(())
}

pub(super) fn known_stage(field: &'static str, stage: &SmolStr, policy: &Policy) -> Result<(), Rejection> {
    if policy.stage(stage).is_some() {
        return Ok(());
    }
    let given: String = stage.chars().take(field::CODE).collect();
    let known: Vec<&str> = policy.stages.iter().map(|stage| stage.id.as_str()).collect();
    Err(field::invalid(field, format!("{given:?} is not a stage of the policy, which has {}", known.join(", "))))
}

/// A new attempt names a deal of the same partner that came to nothing.
fn check_previous(
    setting: &Setting<'_>,
    id: &DealId,
    partner: &PartnerId,
    previous: Option<&DealId>,
) -> Result<(), Rejection> {
    const FIELD: &str = "deal.previous_deal";
    let Some(previous) = previous.filter(|previous| *previous != id) else {
        return previous.map_or(Ok(()), |_| Err(field::invalid(FIELD, "a deal is not a new attempt of itself")));
    };
    let Some(deal) = setting.model.deal(previous).filter(|deal| deal.partner == *partner) else {
        return Err(field::invalid(FIELD, format!("the partner has no deal {previous}")));
    };
    if !deal.state.is_final() {
        let state = deal.state.words();
        return Err(field::invalid(
            FIELD,
            format!("deal {previous} is {state}; a new attempt follows one that has ended"),
        ));
    }
    Ok(())
}

fn history_basis(setting: &Setting<'_>, terms: HistoryTerms) -> Result<Basis, Rejection> {
    if !matches!(setting.actor().role, Role::ProgramAdmin | Role::Connector) {
        return Err(Rejection::Forbidden("only a program admin or a connector may bring history in"));
    }
    if !setting.program.is_importing() {
        return Err(Rejection::InvalidTransition {
            kind: "program",
            state: "not importing",
            verb: "given history",
            allowed: "start a history import first",
        });
    }
    let most = field::MAX_PROTECTION_DAYS;
    if terms.protection_days > most {
        return Err(field::invalid("history.protection_days", format!("at most {most} days")));
    }
    Ok(Basis::Occurred)
}

/// Whether a submission tells nothing that the deal does not say already.
fn says_the_same(deal: &Deal, submission: &Submission) -> bool {
    let stage = submission.stage.as_ref();
    let previous = submission.previous_deal.as_ref();
    deal.title == submission.title
        && deal.customer.as_ref() == Some(&submission.customer)
        && deal.scope == submission.scope.clone().canonical()
        && deal.amount == submission.amount
        && deal.close_date == submission.expected_close
        && stage.is_none_or(|stage| *stage == deal.stage)
        && (previous.is_none() || previous == deal.previous_deal.as_ref())
        && submission.history.is_none()
}

/// The stage asked for; else the one the deal is in, else the policy's first.
fn stage(before: Option<&Deal>, asked: Option<&SmolStr>, policy: &Policy) -> Result<SmolStr, Rejection> {
    if let Some(asked) = asked {
        known_stage("deal.stage", asked, policy)?;
        return Ok(asked.clone());
    }
    let current = before.map(|deal| &deal.stage).filter(|stage| policy.stage(stage).is_some());
    Ok(current.unwrap_or(&policy.first_stage().id).clone())
}

/// Checks a submission, finds its account and its conflicts, and decides what the policy decides by itself.
fn file(
    setting: &Setting<'_>,
    id: &DealId,
    before: Option<&Deal>,
    submission: &Submission,
    basis: Basis,
    event: fn(Registered) -> Event,
) -> Result<Vec<AnyEvent>, Rejection> {
    let policy = setting.policy()?;
    let partner = owner(setting, &submission.partner)?;
    check_terms(&submission.title, submission.amount, submission.expected_close)?;
    field::customer("deal.customer", &submission.customer)?;
    let scope = field::scope(&SCOPE, &submission.scope, policy)?;
    let stage = stage(before, submission.stage.as_ref(), policy)?;
    // What the deal has said since it began was right then; the deal may have gone to another partner since.
    let previous = submission.previous_deal.as_ref();
    if previous != before.and_then(|deal| deal.previous_deal.as_ref()) {
        check_previous(setting, id, &partner.id, previous)?;
    }

    let by_name = submission.history.is_none().then_some(policy);
    let resolution = find_account(setting, before, &submission.customer, &submission.new_account, by_name)?;
    let standing = protection::standing(setting, policy, &resolution.account, &scope, id);
    let (account, matched) = (&resolution.account, resolution.matched.as_slice());
    let claim = Claim { deal: id, partner, account, scope: &scope, matched };
    let verdict = match submission.history {
        Some(terms) => {
            let conflicts = detect::protected_by_others(claim, &standing);
            let grant = if !conflicts.is_empty() {
                Grant::None
            } else if let Some(own) = standing.own(&partner.id) {
                Grant::Under { deal: own.clone() }
            } else {
                protection::window(setting, policy, partner, basis, Some(terms.protection_days))
            };
            Verdict { conflicts, outcome: Outcome::Approve { reason_code: "HISTORY_IMPORT", grant } }
        }
        None => {
            let conflicts = detect::conflicts(setting, policy, claim, &standing, detect::identity(&resolution));
            let outcome = if !conflicts.is_empty() {
                in_conflict(policy)
            } else if auto_approves(policy, partner, submission, &scope, &stage) {
                let own = standing.own(&partner.id).map(|deal| Grant::Under { deal: deal.clone() });
                let grant = own.unwrap_or_else(|| protection::window(setting, policy, partner, basis, None));
                Outcome::Approve { reason_code: "AUTO_APPROVED", grant }
            } else {
                Outcome::Wait
            };
            Verdict { conflicts, outcome }
        }
    };
    let registered = Registered {
        partner: partner.id.clone(),
        title: submission.title.clone(),
        account: resolution.account.clone(),
        customer: submission.customer.clone(),
        scope,
        amount: submission.amount,
        expected_close: submission.expected_close,
        stage,
        previous_deal: submission.previous_deal.clone(),
        basis,
    };
    let mut events = Vec::with_capacity(standing.lapsed.len() + 2);
    standing.record_expiries(setting, &mut events);
    events.push(of(id, event(registered)));
    verdict.record(setting, id, &mut events);
    Ok(events)
}

/// Finds the account of a deal's customer; by its name too where a policy says from which likeness.
pub(super) fn find_account(
    setting: &Setting<'_>,
    before: Option<&Deal>,
    customer: &Customer,
    new_account: &AccountId,
    by_name: Option<&Policy>,
) -> Result<Resolution, Rejection> {
    let current = before.and_then(|deal| Some((deal.account.as_ref()?, deal.customer.as_ref()?)));
    let similar_from = by_name.map(|policy| u16::from(policy.deal_registration.similarity_percent) * 10);
    let resolution = setting.model.resolve(&Search { customer, new_account, current, similar_from });
    if resolution.is_new && setting.model.account(new_account).is_some() {
        return Err(Rejection::AlreadyExists { kind: "account", id: new_account.as_str().into() });
    }
    Ok(resolution)
}

/// What the policy decides by itself.
enum Outcome {
    /// Nothing: a reviewer does.
    Wait,
    /// It is approved.
    Approve { reason_code: &'static str, grant: Grant },
    /// It is refused; the registration and its reasons stay in history.
    Reject,
}

struct Verdict {
    conflicts: Vec<Conflict>,
    outcome: Outcome,
}

fn in_conflict(policy: &Policy) -> Outcome {
    match policy.deal_registration.on_conflict {
        OnConflict::Review => Outcome::Wait,
        OnConflict::Reject => Outcome::Reject,
        OnConflict::ApproveUnprotected => Outcome::Approve { reason_code: "CONFLICT", grant: Grant::None },
    }
}

impl Verdict {
    fn record(self, setting: &Setting<'_>, id: &DealId, events: &mut Vec<AnyEvent>) {
        if !self.conflicts.is_empty() {
            events.push(of(id, Event::ConflictDetected { conflicts: self.conflicts }));
        }
        match self.outcome {
            Outcome::Wait => {}
            Outcome::Approve { reason_code, grant } => {
                let decision = setting.decision(reason_code, "", true);
                events.push(of(id, Event::Approved { decision, grant }));
            }
            Outcome::Reject => {
                let decision = setting.decision("CONFLICT", "", true);
                events.push(of(id, Event::Rejected { decision }));
            }
        }
    }
}

/// Whether the policy's expression approves. One that gives no answer, because it compares an amount that is not there for
/// instance, approves nothing: the registration waits for a reviewer.
fn auto_approves(policy: &Policy, partner: &Partner, submission: &Submission, scope: &Scope, stage: &str) -> bool {
    let input = ApprovalInput {
        amount: submission.amount,
        products: &scope.products,
        territories: &scope.territories,
        stage,
        previous_deal: submission.previous_deal.is_some(),
        partner_tier: &partner.tier,
        partner_type: &partner.profile.kind,
        partner_country: partner.profile.country.as_deref(),
        partner_territories: &partner.territories,
        partner_specialisations: &partner.specialisations,
        customer: &submission.customer,
    };
    policy.auto_approves(&input).unwrap_or(false)
}
