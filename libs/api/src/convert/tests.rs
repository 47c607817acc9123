#![expect(clippy::unwrap_used, reason = "tests")]

use pactum_domain::account::{AccountKey, Customer};
use pactum_domain::actor::{Actor, Role};
use pactum_domain::deal::{Basis, Conflict, ConflictKind, Deal, DealState, ProtectionState, Scope};
use pactum_domain::money::{Currency, Money};
use pactum_domain::partner::PartnerState;
use pactum_domain::time::{Date, Timestamp};
use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId, ProgramId};

use super::*;
use crate::caller::Caller;
use crate::proto::deal::v1 as proto;

fn program() -> ProgramId {
    ProgramId::new("acme").unwrap()
}

fn viewer(role: Role) -> Caller {
    let partner = role.is_partner().then(|| PartnerId::new("north").unwrap());
    Caller { actor: Actor { subject: "u".into(), role, partner }, program: program() }
}

/// What must never be shown to a competitor is named `rival…`.
fn conflicts() -> Vec<Conflict> {
    let deal = DealId::new("rival-deal").unwrap();
    let kinds = vec![
        ConflictKind::ProtectedByOther {
            deal: deal.clone(),
            partner: PartnerId::new("rival-partner").unwrap(),
            until: Timestamp(1_893_456_000_000_000),
        },
        ConflictKind::VendorOpportunity { opportunity: OpportunityId::new("rival-opportunity").unwrap() },
        ConflictKind::ExistingCustomer { deal },
        ConflictKind::AmbiguousAccount { accounts: vec![AccountId::new("rival-account").unwrap()] },
        ConflictKind::SimilarAccount { account: AccountId::new("rival-account").unwrap(), score: 930 },
        ConflictKind::PartnerNotActive { state: PartnerState::Suspended },
        ConflictKind::TierTooLow { required: "gold".into(), actual: "silver".into() },
        ConflictKind::TerritoryNotHeld { territory: "DE".into() },
        ConflictKind::SpecialisationNotHeld { specialisation: "cloud".into() },
        ConflictKind::CapacityUsedUp { limit: 20 },
        ConflictKind::OwnRegistration { deal: DealId::new("own-deal").unwrap() },
    ];
    kinds.into_iter().map(|kind| Conflict { kind, matched: vec![AccountKey::Domain("globex.com".into())] }).collect()
}

fn deal() -> Deal {
    Deal {
        id: DealId::new("d-1").unwrap(),
        version: 7,
        state: DealState::Conflicted,
        partner: PartnerId::new("north").unwrap(),
        title: "Storage".into(),
        account: Some(AccountId::new("a-1").unwrap()),
        customer: Some(Customer {
            name: "Globex".into(),
            country: Some("US".into()),
            keys: vec![AccountKey::Duns("150483782".into()), AccountKey::Domain("globex.com".into())],
        }),
        scope: Scope { products: vec![], territories: vec!["US".into()] },
        amount: Some(Money::new(Currency::parse("USD").unwrap(), 105_400)),
        close_date: Date::from_ymd(2027, 3, 31),
        stage: "proposal".into(),
        protection: ProtectionState::Held {
            from: Timestamp(0),
            until: Timestamp(1_000_000),
            basis: Basis::Occurred,
            extensions: 2,
        },
        conflicts: conflicts(),
        requested_action: "send the order".into(),
        previous_deal: None,
        duplicate_of: Some(DealId::new("rival-deal").unwrap()),
        basis: Basis::Occurred,
        registered_at: Some(Timestamp(5)),
        registered_sequence: Some(42),
        closed_at: None,
    }
}

#[test]
fn a_deal_shows_all_it_is() {
    let shown = deal_to_proto(&program(), &deal(), &viewer(Role::Reviewer));
    assert_eq!(shown.name, "programs/acme/deals/d-1");
    assert_eq!(shown.etag, "7");
    assert_eq!(shown.state(), proto::DealState::Conflicted);
    assert_eq!(shown.partner, "programs/acme/partners/north");
    assert_eq!(shown.account, "programs/acme/accounts/a-1");
    let customer = shown.customer.unwrap();
    assert_eq!(
        (customer.duns.as_str(), customer.domain.as_str(), customer.lei.as_str()),
        ("150483782", "globex.com", "")
    );
    assert_eq!(shown.amount.unwrap().minor, 105_400);
    assert_eq!(shown.close_date, "2027-03-31");
    assert_eq!((shown.registered_sequence, shown.historical), (42, true));
    assert_eq!(shown.requested_action, "send the order");
    let protection = shown.protection.unwrap();
    assert_eq!((protection.state(), protection.extensions), (proto::ProtectionState::Held, 2));
    assert_eq!(protection.until.unwrap().seconds, 1);
    assert_eq!(shown.duplicate_of, "programs/acme/deals/rival-deal");
    assert_eq!(shown.conflicts[0].partner, "programs/acme/partners/rival-partner");
    assert_eq!(shown.conflicts[4].score, 930);
    assert!(shown.conflicts.iter().all(|conflict| !conflict.redacted && conflict.matched_keys == ["domain"]));
}

#[test]
fn a_partner_never_learns_who_its_competitor_is() {
    for role in Role::ALL {
        let shown = deal_to_proto(&program(), &deal(), &viewer(role));
        let text = format!("{shown:?}");
        assert_eq!(text.contains("rival"), !role.is_partner(), "{role:?}: {text}");
        if !role.is_partner() {
            continue;
        }
        // Until when a competitor is protected would tell when it registered.
        assert!(shown.conflicts.iter().all(|conflict| conflict.until.is_none()));
        let redacted: Vec<_> = shown.conflicts.iter().map(|conflict| conflict.redacted).collect();
        assert_eq!(redacted, [true, true, true, true, true, false, false, false, false, false, false]);
        // What it can mend, and what is its own, it sees.
        assert_eq!(shown.conflicts[6].required, "gold");
        assert_eq!(shown.conflicts[10].deal, "programs/acme/deals/own-deal");
    }
}

#[test]
fn kinds_of_conflict_keep_their_rank() {
    let numbers: Vec<_> = conflicts().iter().map(|conflict| conflict_kind(&conflict.kind) as i32).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
}

#[test]
fn states_are_the_same_on_both_sides() {
    for number in 1..=13 {
        let state = proto::DealState::try_from(number).unwrap();
        let own = deal_state_of(state).unwrap();
        assert_eq!(deal_state(own), state);
        assert_eq!(format!("DEAL_STATE_{}", deal_state_name(own)), state.as_str_name());
    }
    assert!(proto::DealState::try_from(14).is_err());
    assert_eq!(deal_state_of(proto::DealState::Unspecified), None);
    assert_eq!(partner_state_name(PartnerState::Onboarding), "ONBOARDING");
}

#[test]
fn protection_shows_how_it_stands() {
    let under = protection_to_proto(&program(), &ProtectionState::Under { deal: DealId::new("d-2").unwrap() });
    assert_eq!((under.state(), under.under_deal.as_str()), (proto::ProtectionState::Under, "programs/acme/deals/d-2"));
    let ended =
        protection_to_proto(&program(), &ProtectionState::Ended { from: Timestamp(0), at: Timestamp(2_000_000) });
    assert_eq!((ended.state(), ended.until.unwrap().seconds), (proto::ProtectionState::Ended, 2));
    assert_eq!(protection_to_proto(&program(), &ProtectionState::None).state(), proto::ProtectionState::None);
}
