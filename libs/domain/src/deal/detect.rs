//! What stands in the way of a claim: finding its conflicts.

use std::sync::Arc;

use pactum_ids::{AccountId, DealId};
use smol_str::SmolStr;

use super::protection::{Standing, ends_with_protection, held_until};
use super::{Conflict, ConflictKind, Deal, Scope};
use crate::account::AccountKey;
use crate::model::{Resolution, Setting};
use crate::partner::{Partner, PartnerState};
use crate::policy::Policy;

/// Reasons of one kind named in a conflict, at most. They are there for a reviewer to look at, not to be counted.
const NAMED: usize = 10;

/// A claim: a partner, on an account, with a scope.
#[derive(Clone, Copy)]
pub(super) struct Claim<'a> {
    pub(super) deal: &'a DealId,
    pub(super) partner: &'a Partner,
    pub(super) account: &'a AccountId,
    pub(super) scope: &'a Scope,
    /// The keys by which the account was found, strongest first.
    pub(super) matched: &'a [AccountKey],
}

impl Claim<'_> {
    fn on_account(&self, kind: ConflictKind) -> Conflict {
        Conflict { kind, matched: self.matched.to_vec() }
    }
}

fn of_partner(kind: ConflictKind) -> Conflict {
    Conflict { kind, matched: Vec::new() }
}

/// Every conflict of a claim, gravest first; empty where nothing blocks it. `identity` is what was found when the account
/// was looked for.
pub(super) fn conflicts(
    setting: &Setting<'_>,
    policy: &Policy,
    claim: Claim<'_>,
    standing: &Standing<'_>,
    identity: Vec<Conflict>,
) -> Vec<Conflict> {
    let mut found = protected_by_others(claim, standing);
    vendor_opportunities(setting, policy, claim, &mut found);
    existing_customer(setting, policy, claim, &mut found);
    found.extend(identity);
    of_the_partner(policy, claim, &mut found);
    capacity(setting, policy, claim, standing, &mut found);
    if found.is_empty() {
        return found;
    }
    own_registrations(setting, policy, claim, standing, &mut found);
    found.sort_by_key(|conflict| conflict.kind.rank());
    found
}

/// The deals of other partners that hold protection.
pub(super) fn protected_by_others(claim: Claim<'_>, standing: &Standing<'_>) -> Vec<Conflict> {
    let others = standing.live.iter().filter(|deal| deal.partner != claim.partner.id);
    let conflict = |deal: &&Arc<Deal>| {
        let (holder, partner) = (deal.id.clone(), deal.partner.clone());
        Some(claim.on_account(ConflictKind::ProtectedByOther { deal: holder, partner, until: held_until(deal)? }))
    };
    others.filter_map(conflict).take(NAMED).collect()
}

fn vendor_opportunities(setting: &Setting<'_>, policy: &Policy, claim: Claim<'_>, found: &mut Vec<Conflict>) {
    let open = setting.model.index().opportunities(claim.account).iter();
    let overlapping = open
        .filter_map(|id| setting.model.opportunity(id))
        .filter(|opportunity| opportunity.scope.overlaps(claim.scope, policy))
        .map(|opportunity| ConflictKind::VendorOpportunity { opportunity: opportunity.id.clone() });
    found.extend(overlapping.take(NAMED).map(|kind| claim.on_account(kind)));
}

fn existing_customer(setting: &Setting<'_>, policy: &Policy, claim: Claim<'_>, found: &mut Vec<Conflict>) {
    if !policy.deal_registration.existing_customer_conflicts {
        return;
    }
    if let Some(deal) = setting.model.index().won(claim.account).first() {
        found.push(claim.on_account(ConflictKind::ExistingCustomer { deal: deal.clone() }));
    }
}

/// What was found when the account was looked for.
pub(super) fn identity(resolution: &Resolution) -> Vec<Conflict> {
    let ambiguous = resolution.ambiguous.iter().map(|(accounts, keys)| Conflict {
        kind: ConflictKind::AmbiguousAccount { accounts: accounts.clone() },
        matched: keys.clone(),
    });
    let similar = resolution.similar.iter().map(|(account, score)| Conflict {
        kind: ConflictKind::SimilarAccount { account: account.clone(), score: *score },
        matched: Vec::new(),
    });
    ambiguous.chain(similar).collect()
}

/// The conflicts of a deal that were found when its account was looked for: they hold while its customer stays.
pub(super) fn identity_of(deal: &Deal) -> Vec<Conflict> {
    let is_identity = |conflict: &&Conflict| {
        matches!(conflict.kind, ConflictKind::AmbiguousAccount { .. } | ConflictKind::SimilarAccount { .. })
    };
    deal.conflicts.iter().filter(is_identity).cloned().collect()
}

fn of_the_partner(policy: &Policy, claim: Claim<'_>, found: &mut Vec<Conflict>) {
    let partner = claim.partner;
    if partner.state != PartnerState::Active {
        found.push(of_partner(ConflictKind::PartnerNotActive { state: partner.state }));
    }
    if let Some(required) = &policy.deal_registration.min_tier {
        let rank = |tier: &str| policy.tier(tier).map(|(rank, _)| rank);
        if rank(&partner.tier) < rank(required) {
            let (required, actual) = (required.clone(), partner.tier.clone());
            found.push(of_partner(ConflictKind::TierTooLow { required, actual }));
        }
    }
    if policy.deal_registration.require_territory {
        let missing = territories_not_held(policy, claim).into_iter();
        found.extend(missing.map(|territory| of_partner(ConflictKind::TerritoryNotHeld { territory })));
    }
    let missing = specialisations_not_held(policy, claim).into_iter();
    found.extend(missing.map(|specialisation| of_partner(ConflictKind::SpecialisationNotHeld { specialisation })));
}

/// A scope without territories is every territory: it asks of the partner to hold all that the program lists.
fn territories_not_held(policy: &Policy, claim: Claim<'_>) -> Vec<SmolStr> {
    let held = |territory: &SmolStr| claim.partner.territories.iter().any(|held| policy.covers(held, territory));
    if claim.scope.territories.is_empty() {
        let holds_all = !policy.territories.is_empty() && policy.territories.iter().all(|listed| held(&listed.id));
        return if holds_all { Vec::new() } else { vec![SmolStr::new_static("*")] };
    }
    claim.scope.territories.iter().filter(|territory| !held(territory)).cloned().collect()
}

/// A scope without products is every product: it asks every specialisation that any product asks.
fn specialisations_not_held(policy: &Policy, claim: Claim<'_>) -> Vec<SmolStr> {
    let mut asked: Vec<&SmolStr> = if claim.scope.products.is_empty() {
        policy.products.iter().filter_map(|product| product.specialisation.as_ref()).collect()
    } else {
        let products = claim.scope.products.iter().filter_map(|id| policy.product(id));
        products.filter_map(|product| product.specialisation.as_ref()).collect()
    };
    asked.sort_unstable();
    asked.dedup();
    asked.into_iter().filter(|asked| !claim.partner.specialisations.contains(asked)).cloned().collect()
}

fn capacity(
    setting: &Setting<'_>,
    policy: &Policy,
    claim: Claim<'_>,
    standing: &Standing<'_>,
    found: &mut Vec<Conflict>,
) {
    let tier = policy.tier(&claim.partner.tier).map(|(_, tier)| tier);
    let Some(limit) = tier.and_then(|tier| tier.registration_capacity) else { return };
    let is_own = |deal: &Deal| deal.partner == claim.partner.id && deal.state.is_open_registration();
    let itself = setting.model.deal(claim.deal).is_some_and(|deal| is_own(deal));
    let expiring = standing.lapsed.iter().filter(|deal| is_own(deal) && ends_with_protection(setting, deal)).count();
    let open = setting.model.index().open_registrations(&claim.partner.id);
    let gone = u32::from(itself).saturating_add(u32::try_from(expiring).unwrap_or(u32::MAX));
    if open.saturating_sub(gone) >= limit {
        found.push(of_partner(ConflictKind::CapacityUsedUp { limit }));
    }
}

fn own_registrations(
    setting: &Setting<'_>,
    policy: &Policy,
    claim: Claim<'_>,
    standing: &Standing<'_>,
    found: &mut Vec<Conflict>,
) {
    let expires =
        |deal: &Deal| ends_with_protection(setting, deal) && standing.lapsed.iter().any(|lapsed| lapsed.id == deal.id);
    let own = setting.model.index().own(&claim.partner.id, claim.account).iter();
    let overlapping = own
        .filter(|id| *id != claim.deal)
        .filter_map(|id| setting.model.deal(id))
        .filter(|deal| deal.scope.overlaps(claim.scope, policy) && !expires(deal))
        .map(|deal| ConflictKind::OwnRegistration { deal: deal.id.clone() });
    found.extend(overlapping.take(NAMED).map(|kind| claim.on_account(kind)));
}
