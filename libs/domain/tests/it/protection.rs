//! Windows: who holds one, when it ends, and what a lapse that has no event yet does.

use pactum_domain::actor::Actor;
use pactum_domain::command::{Amendment, DealCommand, ProgramCommand, ProtectionChoice, Submission};
use pactum_domain::deal::{DealState, Event, Grant, ProtectionState};

use crate::deal_matrix::{deal_in, revoke};
use crate::support::*;

#[test]
fn the_timer_finds_what_is_due_in_order() {
    let mut world = World::new();
    world.run(&register("d1", submission("gamma", "a1")));
    let elsewhere = Submission { customer: customer("", "b.example"), ..submission("alpha", "a2") };
    world.run(&register("d2", elsewhere));
    assert_eq!(world.model.next_due(), Some(START.plus_days(90)));
    world.pass(89);
    assert_eq!(world.model.due(world.now, 10), []);
    world.pass(40);
    let expire = |id: &str| deal(id, DealCommand::ExpireProtection);
    assert_eq!(world.model.due(world.now, 10), [expire("d2"), expire("d1")]);
    assert_eq!(world.model.due(world.now, 1), [expire("d2")]);
    assert_eq!(names(&world.run_due()), ["d2 ProtectionExpired", "d1 ProtectionExpired"]);
    assert_eq!((world.model.due(world.now, 10).len(), world.model.next_due()), (0, None));
    let at = START.plus_days(120);
    assert_eq!(world.deal("d1").protection, ProtectionState::Ended { from: START, at });
    assert_eq!(world.decide(Actor::timer(), &expire("d1")), Ok(Vec::new()), "it has lapsed already");
    assert_eq!(world.state("d1"), DealState::Approved, "the policy keeps it open");
}

#[test]
fn a_deal_ends_with_its_protection_where_the_policy_says_so() {
    let world = deal_in(DealState::Expired);
    assert_eq!(world.deal("d").protection, ProtectionState::Ended { from: START, at: START.plus_days(90) });
}

#[test]
fn a_window_is_half_open() {
    for (days, state) in [(89, DealState::Conflicted), (90, DealState::Approved)] {
        let mut world = deal_in(DealState::Approved).days_later(days);
        world.run(&register("n", submission("beta", "unused")));
        assert_eq!(world.state("n"), state);
    }
}

#[test]
fn a_registration_that_rests_on_a_lapse_tells_it_first() {
    let mut world = deal_in(DealState::Approved).days_later(90);
    let events = world.run_as(sales("beta"), &register("n", submission("beta", "unused")));
    assert_eq!(names(&events), ["d ProtectionExpired", "n Registered", "n Approved"]);
    let until = START.plus_days(90);
    assert_eq!(*deal_event(&events[0]), Event::ProtectionExpired { until, deal_expired: true });
}

#[test]
fn so_does_an_approval() {
    let mut world = deal_in(DealState::Conflicted).days_later(90);
    let events = world.run(&approve("d", ProtectionChoice::Policy));
    assert_eq!(names(&events), ["holder ProtectionExpired", "d Approved"]);
    assert!(matches!(world.deal("d").protection, ProtectionState::Held { .. }));
}

#[test]
fn so_does_a_wider_claim() {
    let mut world = World::new();
    let in_france = Submission { scope: scope(&["core"], &["FR"]), ..submission("beta", "initech") };
    world.run(&register("french", in_france));
    world.pass(1);
    world.run(&register("d", submission("alpha", "unused")));
    world.pass(89);
    let wider = Amendment { territories: Some(vec!["EMEA".into()]), ..Amendment::default() };
    assert_eq!(names(&world.run(&amend("d", wider))), ["french ProtectionExpired", "d Amended"]);
}

#[test]
fn a_command_to_a_deal_tells_its_own_lapse_first() {
    let mut world = World::new();
    world.run(&register("d", submission("alpha", "initech")));
    world.pass(100);
    assert_eq!(names(&world.clone().run(&win("d", usd(1)))), ["d ProtectionExpired", "d Won"]);
    assert_eq!(names(&world.clone().run(&withdraw("d"))), ["d ProtectionExpired", "d Withdrawn"]);
    let nothing = approve("d", ProtectionChoice::Policy);
    assert_eq!(world.decide(admin(), &nothing), Ok(Vec::new()), "what changes nothing tells nothing");
    let message = "a deal that is without protection of its own cannot be protected for longer; it must hold protection \
                   that has not lapsed";
    check(&world, admin(), &extend("d", 1), "INVALID_TRANSITION", message);
}

#[test]
fn an_extension_moves_the_end() {
    let mut world = deal_in(DealState::Approved).days_later(80);
    world.run(&extend("d", 30));
    let until = START.plus_days(120);
    assert!(
        matches!(world.deal("d").protection, ProtectionState::Held { until: end, extensions: 1, .. } if end == until)
    );
    assert_eq!(world.model.due(START.plus_days(119), 10).len(), 1, "only the other deal's");
}

#[test]
fn protection_ends_with_the_deal_and_the_scope_is_free() {
    for end in [win("d", usd(1)), lose("d"), withdraw("d"), revoke()] {
        let mut world = deal_in(DealState::Approved).days_later(1);
        world.run(&end);
        assert_eq!(world.deal("d").protection, ProtectionState::Ended { from: START, at: START.plus_days(1) });
        assert_eq!(world.model.protections(&account_id("initech")).count(), 0);
        assert_eq!(world.model.next_due(), Some(START.plus_days(90)), "the other deal's");
    }
}

#[test]
fn a_reviewer_may_approve_without_protection_or_under_the_partners_own() {
    let mut world = deal_in(DealState::Conflicted);
    world.run(&approve("d", ProtectionChoice::Without));
    assert_eq!(world.deal("d").protection, ProtectionState::None);

    let mut world = deal_in(DealState::Submitted);
    world.run(&register("own", submission("alpha", "unused")));
    let events = world.run(&approve("d", ProtectionChoice::Days(500)));
    let Event::Approved { grant, .. } = deal_event(&events[0]) else { panic!("{events:?}") };
    assert_eq!(*grant, Grant::Under { deal: deal_id("own") });
}

#[test]
fn a_deal_under_another_loses_its_cover_when_it_goes_to_another_partner() {
    let mut world = World::new();
    world.run(&register("first", submission("alpha", "initech")));
    world.run(&register("second", submission("alpha", "unused")));
    world.run(&reassign("second", "gamma", &[1]));
    assert_eq!(world.deal("second").protection, ProtectionState::None);
    world.run(&reassign("first", "beta", &[1]));
    assert!(matches!(world.deal("first").protection, ProtectionState::Held { .. }), "protection goes with the deal");
}

#[test]
fn a_new_policy_changes_no_window_that_was_granted() {
    let mut world = deal_in(DealState::Approved);
    let before = world.deal("d").protection.clone();
    let document = POLICY.replace("protection_days: 90", "protection_days: 10");
    world.run(&program(ProgramCommand::PublishPolicy { document, effective_from: None }));
    assert_eq!(world.deal("d").protection, before);
    let elsewhere = Submission { customer: customer("", "b.example"), ..submission("alpha", "b") };
    world.run(&register("n", elsewhere));
    assert_eq!(world.model.next_due(), Some(START.plus_days(10)));
}

#[test]
fn nothing_falls_due_in_an_archived_program() {
    let mut world = deal_in(DealState::Approved).days_later(100);
    assert_eq!(world.model.due(world.now, 10).len(), 2);
    world.run(&program(ProgramCommand::Archive { reason: String::new() }));
    assert_eq!((world.model.due(world.now, 10).len(), world.model.next_due()), (0, None));
}
