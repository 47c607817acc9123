//! What each transition records and leaves behind.

use pactum_domain::command::{Amendment, Context, DealCommand, Draft, ProtectionChoice, Submission};
use pactum_domain::deal::{Basis, DealState, Event, Grant, ProtectionState};
use pactum_domain::event::AnyEvent;

use crate::deal_matrix::{deal_in, request_action};
use crate::support::*;

#[test]
fn a_small_registration_is_approved_at_once_with_protection() {
    let mut world = World::new();
    let events = world.run_as(sales("alpha"), &register("d", submission("alpha", "initech")));
    assert_eq!(names(&events), ["d Registered", "d Approved"]);
    let Event::Approved { decision, grant } = deal_event(&events[1]) else { panic!("{events:?}") };
    assert_eq!(
        (decision.reason_code.as_str(), decision.automatic, decision.policy_version),
        ("AUTO_APPROVED", true, 1)
    );
    let until = START.plus_days(90);
    assert_eq!(*grant, Grant::Window { from: START, until, basis: Basis::Recorded });
    let deal = world.deal("d");
    assert_eq!((deal.version, deal.stage.as_str(), deal.registered_at), (2, "open", Some(START)));
    assert_eq!(deal.registered_sequence, Some(world.model.sequence() - 1));
    assert_eq!(deal.account, Some(account_id("initech")));
}

#[test]
fn a_tiers_own_days_win_over_the_programs() {
    let mut world = World::new();
    world.run(&register("d", submission("gamma", "initech")));
    let ProtectionState::Held { until, .. } = world.deal("d").protection else { panic!() };
    assert_eq!(until, START.plus_days(120));
}

#[test]
fn a_large_registration_waits_for_a_reviewer() {
    let mut world = World::new();
    assert_eq!(names(&world.run(&register("d", large("alpha", "initech")))), ["d Registered"]);
    let review = world.run(&deal("d", DealCommand::StartReview));
    assert_eq!(*deal_event(&review[0]), Event::ReviewStarted { due: START.plus_days(5) });
    let approval = world.run(&approve("d", ProtectionChoice::Days(10)));
    let Event::Approved { decision, grant } = deal_event(&approval[0]) else { panic!("{approval:?}") };
    assert_eq!((decision.reason_code.as_str(), decision.automatic), ("REVIEWED", false));
    assert_eq!(*grant, Grant::Window { from: START, until: START.plus_days(10), basis: Basis::Recorded });
}

#[test]
fn an_expression_that_gives_no_answer_approves_nothing() {
    let mut world = World::new();
    let no_amount = Submission { amount: None, ..submission("alpha", "initech") };
    assert_eq!(names(&world.run(&register("d", no_amount))), ["d Registered"]);
    assert_eq!(world.state("d"), DealState::Submitted);
}

#[test]
fn a_draft_is_registered_as_it_stands_or_with_another_text() {
    let mut world = World::new();
    let proposal = Draft { stage: Some("proposal".into()), ..draft("alpha") };
    world.run_as(sales("alpha"), &deal("d", DealCommand::Draft(proposal)));
    assert!(world.model.account(&account_id("initech")).is_none(), "a draft claims nothing");
    let submitted =
        world.clone().run_as(sales("alpha"), &deal("d", DealCommand::Submit { new_account: account_id("n") }));
    assert_eq!(names(&submitted), ["d Registered", "d Approved"]);
    let other = Submission { title: "Another".to_owned(), ..submission("alpha", "initech") };
    world.run_as(sales("alpha"), &register("d", other));
    let deal = world.deal("d");
    assert_eq!((deal.title.as_str(), deal.stage.as_str(), deal.version), ("Another", "proposal", 3));
}

#[test]
fn scopes_are_kept_sorted_and_without_repetitions() {
    let mut world = World::new();
    let given = Submission { scope: scope(&["core", "addon", "core"], &["FR", "DE"]), ..submission("alpha", "n") };
    world.run(&register("d", given));
    assert_eq!(world.deal("d").scope, scope(&["addon", "core"], &["DE", "FR"]));
}

#[test]
fn an_answer_keeps_the_place_in_line() {
    let mut world = deal_in(DealState::ActionRequired);
    assert_eq!(world.deal("d").requested_action, "who decides there?");
    let first = (world.deal("d").registered_sequence, world.deal("d").registered_at);
    world.pass(3);
    let answer = Submission { title: "Answered".to_owned(), ..large("alpha", "unused") };
    let resubmit = deal("d", DealCommand::Resubmit(answer));
    assert_eq!(names(&world.run_as(sales("alpha"), &resubmit)), ["d Resubmitted"]);
    let deal = world.deal("d");
    assert_eq!((deal.registered_sequence, deal.registered_at), first);
    assert_eq!((deal.title.as_str(), deal.requested_action.as_str()), ("Answered", ""));
    assert_eq!(world.decide(sales("alpha"), &resubmit), Ok(Vec::new()), "the same answer again");
}

#[test]
fn an_answer_may_be_approved_at_once_or_meet_a_conflict() {
    let answered = deal("d", DealCommand::Resubmit(submission("alpha", "unused")));
    assert_eq!(names(&deal_in(DealState::ActionRequired).run(&answered)), ["d Resubmitted", "d Approved"]);
    let mut world = deal_in(DealState::ActionRequired);
    world.run(&register("quicker", submission("beta", "unused")));
    assert_eq!(names(&world.run(&answered)), ["d Resubmitted", "d ConflictDetected"]);
}

#[test]
fn a_new_attempt_that_went_to_another_partner_can_be_answered_for() {
    let mut world = deal_in(DealState::Rejected);
    let attempt = Submission { previous_deal: Some(deal_id("d")), ..large("alpha", "unused") };
    world.run(&register("n", attempt));
    world.run(&deal("n", DealCommand::StartReview));
    world.run(&reassign("n", "beta", &[1]));
    world.run(&deal("n", DealCommand::RequestAction { message: "who decides there?".to_owned() }));
    let answer = deal("n", DealCommand::Resubmit(large("beta", "unused")));
    assert_eq!(names(&world.run_as(sales("beta"), &answer)), ["n Resubmitted"]);
    assert_eq!(world.deal("n").previous_deal, Some(deal_id("d")));
}

#[test]
fn a_second_request_is_told_to_the_partner() {
    let mut world = deal_in(DealState::ActionRequired);
    world.run(&request_action("and by when?"));
    assert_eq!(world.deal("d").requested_action, "and by when?");
}

#[test]
fn a_win_ends_protection_and_says_how_much_and_when() {
    let mut world = deal_in(DealState::Approved).days_later(10);
    world.run_as(sales("alpha"), &win("d", usd(0)));
    let won = world.deal("d");
    assert_eq!(won.protection, ProtectionState::Ended { from: START, at: START.plus_days(10) });
    assert_eq!((won.amount, won.close_date), (Some(usd(0)), Some(day(2026, 1, 11))));
    assert_eq!(won.closed_at, Some(START.plus_days(10)));
    let again = DealCommand::Win { amount: usd(0), closed_on: Some(day(2026, 1, 11)) };
    assert_eq!(world.decide(sales("alpha"), &deal("d", again)), Ok(Vec::new()));
}

#[test]
fn a_win_may_be_dated_tomorrow_for_those_who_live_ahead_of_utc() {
    let mut world = deal_in(DealState::Approved);
    world.run(&deal("d", DealCommand::Win { amount: usd(5), closed_on: Some(day(2026, 1, 2)) }));
    assert_eq!(world.deal("d").close_date, Some(day(2026, 1, 2)));
}

#[test]
fn a_reopened_deal_is_open_without_protection() {
    let mut world = deal_in(DealState::Won).days_later(30);
    world.run(&deal("d", DealCommand::Reopen { reason: "the order was cancelled".to_owned() }));
    let deal = world.deal("d");
    assert_eq!((deal.state, deal.closed_at), (DealState::Approved, None));
    assert!(matches!(deal.protection, ProtectionState::Ended { .. }));
    assert_eq!(world.model.protections(&account_id("initech")).count(), 0);
}

#[test]
fn only_what_differs_is_amended() {
    let mut world = deal_in(DealState::Draft);
    let same = Amendment {
        title: Some("Initech, core".to_owned()),
        products: Some(vec![product_id("core")]),
        amount: Some(Some(usd(100_000))),
        expected_close: Some(None),
        customer: Some((customer("Initech", "initech.example"), account_id("n"))),
        ..Amendment::default()
    };
    assert_eq!(world.decide(sales("alpha"), &amend("d", same)), Ok(Vec::new()));
    let events =
        world.run(&amend("d", Amendment { amount: Some(None), title: Some(String::new()), ..Amendment::default() }));
    let Event::Amended(amended) = deal_event(&events[0]) else { panic!("{events:?}") };
    assert_eq!((amended.amount, amended.scope.as_ref(), amended.expected_close), (Some(None), None, None));
    assert_eq!((world.deal("d").amount, world.deal("d").title.as_str()), (None, ""));
}

#[test]
fn a_partner_may_amend_what_it_sells_but_not_what_it_claims_once_approved() {
    let mut world = deal_in(DealState::Approved);
    let terms = Amendment {
        title: Some("Initech, next year".to_owned()),
        amount: Some(Some(eur(7))),
        expected_close: Some(Some(day(2027, 1, 1))),
        ..Amendment::default()
    };
    world.run_as(sales("alpha"), &amend("d", terms));
    assert_eq!((world.deal("d").amount, world.deal("d").close_date), (Some(eur(7)), Some(day(2027, 1, 1))));
}

#[test]
fn reassignment_keeps_protection_place_and_the_old_owner_in_the_chain() {
    let mut world = deal_in(DealState::Approved);
    let before = world.deal("d").clone();
    let events = world.run(&reassign("d", "gamma", &[7, 3, 7]));
    let Event::Reassigned { from, to, evidence, decision } = deal_event(&events[0]) else { panic!("{events:?}") };
    assert_eq!((from.as_str(), to.as_str(), evidence.as_slice()), ("alpha", "gamma", [3, 7].as_slice()));
    assert_eq!(decision.reason_code, "DISPUTE");
    let deal = world.deal("d");
    assert_eq!(deal.partner, partner_id("gamma"));
    assert_eq!((&deal.protection, deal.registered_sequence), (&before.protection, before.registered_sequence));
    assert_eq!(world.decide(admin(), &reassign("d", "gamma", &[7])), Ok(Vec::new()));
}

#[test]
fn versions_count_the_events_of_the_aggregate() {
    let mut world = deal_in(DealState::Won);
    let events = world.log.iter().filter(|(event, _)| matches!(event, AnyEvent::Deal(id, _) if *id == deal_id("d")));
    assert_eq!(world.deal("d").version, u64::try_from(events.count()).unwrap());
    let context = Context { expected_version: Some(3), ..world.context(admin(), world.now) };
    let reopen = deal("d", DealCommand::Reopen { reason: String::new() });
    assert_eq!(names(&world.run_in(&context, &reopen).unwrap()), ["d Reopened"]);
}
