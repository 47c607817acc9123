//! Which account a customer is found to be.

use pactum_domain::account::{AccountKey, Customer};
use pactum_domain::command::{Amendment, DealCommand, Submission};
use pactum_domain::deal::{ConflictKind, DealState};

use crate::support::*;

fn duns(digits: &str) -> AccountKey {
    AccountKey::Duns(digits.into())
}
fn domain(name: &str) -> AccountKey {
    AccountKey::Domain(name.into())
}
fn keyed(name: &str, keys: &[AccountKey]) -> Customer {
    let mut keys = keys.to_vec();
    keys.sort();
    Customer { name: name.into(), country: None, keys }
}
fn of(customer: Customer, new_account: &str) -> Submission {
    Submission { customer, ..submission("alpha", new_account) }
}

#[track_caller]
fn account_of(world: &World, id: &str) -> String {
    world.deal(id).account.as_ref().unwrap().to_string()
}

#[test]
fn any_known_key_finds_the_account_and_tells_it_the_others() {
    let mut world = World::new();
    world.run(&register("d1", of(keyed("Initech", &[domain("initech.example")]), "a1")));
    world.run(&register("d2", of(keyed("Initech Inc", &[duns("150483782"), domain("initech.example")]), "a2")));
    assert_eq!(account_of(&world, "d2"), "a1");
    let account = world.model.account(&account_id("a1")).unwrap();
    assert_eq!(account.keys, [duns("150483782"), domain("initech.example")]);
    assert_eq!(account.name, "Initech", "the name it was first registered under");
    world.run(&register("d3", of(keyed("", &[duns("150483782")]), "a3")));
    assert_eq!(account_of(&world, "d3"), "a1");
    assert_eq!(world.model.account_by_key(&duns("150483782")), Some(&account_id("a1")));
}

#[test]
fn the_strongest_key_decides_and_the_contradiction_goes_to_review() {
    let mut world = World::new();
    world.run(&register("d1", of(keyed("Initech", &[duns("150483782")]), "a1")));
    world.run(&register("d2", of(keyed("Globex", &[domain("globex.example")]), "a2")));
    world.run(&register("d3", of(keyed("Initech", &[duns("150483782"), domain("globex.example")]), "a3")));
    assert_eq!(account_of(&world, "d3"), "a1");
    assert_eq!(world.state("d3"), DealState::Conflicted);
    let conflict = &world.deal("d3").conflicts[0];
    assert_eq!(conflict.kind, ConflictKind::AmbiguousAccount { accounts: vec![account_id("a1"), account_id("a2")] });
    assert_eq!(conflict.matched, [duns("150483782"), domain("globex.example")]);
    assert_eq!(world.model.account_by_key(&domain("globex.example")), Some(&account_id("a2")), "keys do not move");
}

#[test]
fn a_second_key_of_a_kind_is_not_taken_over() {
    let mut world = World::new();
    world.run(&register("d1", of(keyed("Initech", &[duns("150483782"), domain("initech.example")]), "a1")));
    world.run(&register("d2", of(keyed("Initech", &[duns("150483782"), domain("initech.test")]), "a2")));
    assert_eq!(account_of(&world, "d2"), "a1");
    let keys = &world.model.account(&account_id("a1")).unwrap().keys;
    assert_eq!(*keys, [duns("150483782"), domain("initech.example")]);
}

#[test]
fn a_similar_name_goes_to_review_on_an_account_of_its_own() {
    let mut world = World::new();
    world.run(&register("d1", of(named("Initech Gesellschaft", None), "a1")));
    world.run(&register("d2", of(named("INITECH Gesellschaft GmbH", Some("DE")), "a2")));
    assert_eq!(account_of(&world, "d2"), "a2");
    assert_eq!(world.state("d2"), DealState::Conflicted);
    let kind = &world.deal("d2").conflicts[0].kind;
    assert_eq!(*kind, ConflictKind::SimilarAccount { account: account_id("a1"), score: 1000 });
}

#[test]
fn a_name_is_not_looked_at_where_keys_or_countries_say_it_is_another() {
    let mut world = World::new();
    let german = Customer { country: Some("DE".into()), ..keyed("Initech", &[domain("initech.example")]) };
    world.run(&register("d1", of(german, "a1")));
    let states = [
        (keyed("Initech", &[domain("initech.test")]), DealState::Approved),
        (named("Initech", Some("FR")), DealState::Approved),
        (named("Umbrella", Some("DE")), DealState::Approved),
        (keyed("Initech", &[duns("150483782")]), DealState::Conflicted),
        (named("Initech", Some("DE")), DealState::Conflicted),
        (named("Initech", None), DealState::Conflicted),
        (named("Initehc", None), DealState::Conflicted),
    ];
    for (customer, state) in states {
        let mut world = world.clone();
        world.run(&register("d2", of(customer.clone(), "a2")));
        assert_eq!((world.state("d2"), account_of(&world, "d2").as_str()), (state, "a2"), "{customer:?}");
    }
}

#[test]
fn an_answer_stays_with_its_account_and_may_add_the_key_that_was_missing() {
    let mut world = World::new();
    let large = |customer: Customer, account: &str| Submission { customer, ..large("alpha", account) };
    world.run(&register("d", large(named("Initech", None), "a1")));
    world.run(&deal("d", DealCommand::RequestAction { message: "which domain?".to_owned() }));
    let answer = large(keyed("Initech", &[domain("initech.example")]), "a2");
    world.run(&deal("d", DealCommand::Resubmit(answer)));
    assert_eq!((account_of(&world, "d").as_str(), world.state("d")), ("a1", DealState::Submitted));
    assert_eq!(world.model.account_by_key(&domain("initech.example")), Some(&account_id("a1")));
    assert!(world.model.account(&account_id("a2")).is_none());
}

#[test]
fn a_reviewer_says_which_account_it_is_by_its_key() {
    let mut world = World::new();
    world.run(&register("d1", of(keyed("Initech", &[domain("initech.example")]), "a1")));
    world.run(&register("d2", Submission { customer: named("Initech", None), ..submission("beta", "a2") }));
    assert!(matches!(world.deal("d2").conflicts[0].kind, ConflictKind::SimilarAccount { .. }));
    let told = (keyed("Initech", &[domain("initech.example")]), account_id("a3"));
    world.run(&amend("d2", Amendment { customer: Some(told), ..Amendment::default() }));
    assert_eq!((account_of(&world, "d2").as_str(), world.state("d2")), ("a1", DealState::Conflicted));
    assert!(matches!(world.deal("d2").conflicts[0].kind, ConflictKind::ProtectedByOther { .. }));
}

#[test]
fn the_five_most_alike_are_named_best_first() {
    let mut world = World::new();
    for (n, name) in ["Initechs", "Initech", "Initecha", "Initechb", "Initechc", "Initechd"].iter().enumerate() {
        let id = format!("a{n}");
        world.run(&register(&format!("d{n}"), of(named(name, None), &id)));
    }
    world.run(&register("d", of(named("Initech", None), "a9")));
    let scores: Vec<u16> = world
        .deal("d")
        .conflicts
        .iter()
        .filter_map(|conflict| match conflict.kind {
            ConflictKind::SimilarAccount { score, .. } => Some(score),
            _ => None,
        })
        .collect();
    assert_eq!((scores.len(), scores[0]), (5, 1000));
    assert!(scores.is_sorted_by(|a, b| a >= b));
}
