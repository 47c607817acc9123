//! The history of accounts.

use pactum_domain::account::AccountKey;
use pactum_domain::command::{Amendment, Command, DealCommand, OpportunityCommand};
use pactum_domain::deal::{ConflictKind, ProtectionState, Scope};
use pactum_ids::{AccountId, OpportunityId};
use pactum_views::ownership::history::involves;
use pactum_views::ownership::{History, Query, Step, accounts_of, deal_of, history};

use crate::world::{World, approve, customer, deal, partner, program, win};

fn account(world: &World, of: &str) -> AccountId {
    deal_of(&world.rows["ownership"], &program(), &deal(of)).unwrap().unwrap().account.unwrap()
}

fn read(world: &World, accounts: Vec<AccountId>, size: usize, token: &str) -> History {
    let query = Query::new(program(), "test", accounts, size, token).unwrap();
    history(&world.rows["ownership"], &query, world.model.sequence()).unwrap()
}

fn kinds(history: &History) -> Vec<(String, String)> {
    let kind = |step: &Step| format!("{step:?}").split([' ', '(', '{']).next().unwrap().to_owned();
    let of = |deal: &Option<pactum_ids::DealId>| deal.as_ref().map_or_else(String::new, ToString::to_string);
    history.claims.iter().map(|(_, _, claim)| (of(&claim.deal), kind(&claim.step))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(deal, kind)| ((*deal).to_owned(), (*kind).to_owned())).collect()
}

#[test]
fn every_claim_in_order_with_reasons_and_windows() {
    let mut world = World::new(2);
    world.register("d-1", "p-0", "alpha.com", |_| {});
    world.register("d-2", "p-1", "alpha.com", |_| {});
    world.deal("d-1", DealCommand::ExtendProtection { days: 10, reason: "late".into(), evidence: vec![1] });
    world.days(101);
    world.deal("d-2", DealCommand::StartReview);
    world.deal("d-2", approve());
    world.deal("d-2", win(5, "2026-04-16"));

    let id = account(&world, "d-1");
    assert_eq!(account(&world, "d-2"), id, "the domain is the account's key");
    let found = read(&world, vec![id.clone()], 100, "");
    assert_eq!(
        kinds(&found),
        pairs(&[
            ("d-1", "Registered"),
            ("d-1", "Approved"),
            ("d-2", "Registered"),
            ("d-2", "ConflictDetected"),
            ("d-1", "ProtectionExtended"),
            ("d-1", "ProtectionExpired"),
            ("d-2", "ReviewStarted"),
            ("d-2", "Approved"),
            ("d-2", "Won"),
        ])
    );
    assert!(found.claims.is_sorted_by_key(|(_, sequence, _)| *sequence));
    let claims: Vec<_> = found.claims.iter().map(|(_, _, claim)| claim).collect();
    assert!(matches!(claims[1].protection, Some(ProtectionState::Held { extensions: 0, .. })));
    assert!(matches!(&claims[3].step, Step::ConflictDetected { conflicts }
        if matches!(&conflicts[0].kind, ConflictKind::ProtectedByOther { deal: by, .. } if *by == deal("d-1"))));
    assert!(matches!(claims[4].protection, Some(ProtectionState::Held { extensions: 1, .. })));
    assert!(matches!(claims[5].protection, Some(ProtectionState::Ended { .. })));
    assert_eq!(claims[6].protection, None, "a review changes no protection");
    assert_eq!(
        claims[0].request.as_ref().unwrap().as_str(),
        format!("r-{}", world.records.iter().position(|record| record.sequence == found.claims[0].1).unwrap())
    );
    assert_eq!(claims[5].actor.subject, "timer");
    assert_eq!(claims[7].policy_version, 1);
    assert!(found.current.is_empty(), "a won deal protects nothing any more");
    assert_eq!(found.next, None);
}

#[test]
fn who_holds_it_now() {
    let mut world = World::new(2);
    world.register("d-1", "p-0", "alpha.com", |_| {});
    let id = account(&world, "d-1");
    let holder = |world: &World| {
        let found = read(world, vec![id.clone()], 1, "");
        found.current.iter().map(|current| current.deal.partner.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(holder(&world), ["p-0"]);
    let reassign = DealCommand::Reassign {
        to: partner("p-1"),
        evidence: vec![1],
        reason_code: "DISPUTE".into(),
        note: String::new(),
    };
    world.deal("d-1", reassign);
    assert_eq!(holder(&world), ["p-1"]);
    let last = read(&world, vec![id.clone()], 100, "").claims.pop().unwrap().2;
    assert_eq!((last.partner, last.previous_partner), (Some(partner("p-1")), Some(partner("p-0"))));
    let rows = &world.rows["ownership"];
    for (who, expected) in [("p-0", true), ("p-1", true), ("p", false)] {
        assert_eq!(involves(rows, &program(), &id, &partner(who)).unwrap(), expected, "{who}");
    }
    world.days(400);
    assert!(holder(&world).is_empty());
}

#[test]
fn a_deal_that_moves_leaves_a_step_behind() {
    let mut world = World::new(1);
    world.register("d-1", "p-0", "alpha.com", |_| {});
    let from = account(&world, "d-1");
    let to = AccountId::new("a-new").unwrap();
    let amendment = Amendment { customer: Some((customer("beta.com"), to.clone())), ..Amendment::default() };
    world.deal("d-1", DealCommand::Amend(amendment));
    assert_eq!(account(&world, "d-1"), to);
    let old = read(&world, vec![from.clone()], 100, "");
    assert_eq!(kinds(&old), pairs(&[("d-1", "Registered"), ("d-1", "Approved"), ("d-1", "Amended")]));
    assert!(old.current.is_empty());
    let new = read(&world, vec![to.clone()], 100, "");
    assert_eq!(kinds(&new), pairs(&[("d-1", "Amended")]));
    assert_eq!(new.current.len(), 1);
    // Asked for both, a page is not cut inside the one step that is at both.
    let both = read(&world, vec![from.clone(), to.clone()], 3, "");
    assert_eq!((both.claims.len(), both.next), (4, None));
}

#[test]
fn pages_of_history_go_on_where_they_ended() {
    let mut world = World::new(3);
    for n in 0..3 {
        world.register(&format!("d-{n}"), &format!("p-{n}"), "alpha.com", |_| {});
    }
    let id = account(&world, "d-0");
    let whole = read(&world, vec![id.clone()], 100, "").claims;
    assert!(whole.len() > 4);
    for size in 1..=whole.len() {
        let (mut claims, mut token) = (Vec::new(), String::new());
        loop {
            let page = read(&world, vec![id.clone()], size, &token);
            claims.extend(page.claims);
            match page.next {
                Some(next) => token = next,
                None => break,
            }
        }
        assert_eq!(claims, whole, "by {size}");
    }
    let token = read(&world, vec![id.clone()], 1, "").next.unwrap();
    assert!(Query::new(program(), "another", vec![id], 1, &token).is_err());
}

#[test]
fn accounts_are_found_by_their_keys_and_the_vendor_claims_too() {
    let mut world = World::new(1);
    let open = OpportunityCommand::Open {
        customer: customer("alpha.com"),
        new_account: AccountId::new("a-vendor").unwrap(),
        scope: Scope::default(),
    };
    let id = OpportunityId::new("o-1").unwrap();
    world.must(Command::Opportunity(id.clone(), open));
    world.register("d-1", "p-0", "alpha.com", |_| {});
    world.must(Command::Opportunity(id, OpportunityCommand::Close { reason: "lost".into() }));
    let rows = &world.rows["ownership"];
    let keys = |domain: &str| vec![AccountKey::domain(domain).unwrap()];
    let found = accounts_of(rows, &program(), &keys("www.alpha.com")).unwrap();
    assert_eq!(found, [AccountId::new("a-vendor").unwrap()]);
    assert!(accounts_of(rows, &program(), &keys("beta.com")).unwrap().is_empty());
    let kinds: Vec<_> = kinds(&read(&world, found, 100, "")).into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, ["OpportunityOpened", "Registered", "ConflictDetected", "OpportunityClosed"]);
}
