//! Bringing another system's history in: windows run on the world's clock.

use pactum_domain::actor::Actor;
use pactum_domain::command::{Command, DealCommand, HistoryTerms, ProgramCommand, Submission};
use pactum_domain::deal::{Basis, ConflictKind, DealState, Event, Grant, ProtectionState};
use pactum_domain::time::Timestamp;

use crate::support::*;

fn then(month: u32, date: u32) -> Timestamp {
    day(2017, month, date).start()
}
fn historical(id: &str, partner: &str) -> Command {
    let history = Some(HistoryTerms { protection_days: 90 });
    register(id, Submission { history, ..large(partner, &format!("of-{id}")) })
}
fn start() -> Command {
    program(ProgramCommand::StartHistoryImport { import: import_id("crm"), source: "CRM".to_owned() })
}
fn complete() -> Command {
    program(ProgramCommand::CompleteHistoryImport { import: import_id("crm") })
}
fn importing() -> World {
    let mut world = World::new();
    world.run(&start());
    world
}

#[test]
fn it_is_approved_as_it_was_with_a_window_from_then() {
    let mut world = importing();
    let events = world.run_then(then(1, 10), &historical("d", "alpha"));
    assert_eq!(names(&events), ["d Registered", "d Approved"]);
    let Event::Approved { decision, grant } = deal_event(&events[1]) else { panic!("{events:?}") };
    assert_eq!((decision.reason_code.as_str(), decision.automatic), ("HISTORY_IMPORT", true));
    let (from, until) = (then(1, 10), then(4, 10));
    assert_eq!(*grant, Grant::Window { from, until, basis: Basis::Occurred });
    assert_eq!(world.deal("d").basis, Basis::Occurred);
}

#[test]
fn another_partners_window_on_that_day_is_a_conflict_without_protection() {
    let mut world = importing();
    world.run_then(then(1, 10), &historical("d1", "alpha"));
    let events = world.run_then(then(4, 9), &historical("d2", "beta"));
    assert_eq!(names(&events), ["d2 Registered", "d2 ConflictDetected", "d2 Approved"]);
    let deal = world.deal("d2");
    assert_eq!((deal.state, &deal.protection), (DealState::Approved, &ProtectionState::None));
    let until = then(4, 10);
    let holder = ConflictKind::ProtectedByOther { deal: deal_id("d1"), partner: partner_id("alpha"), until };
    assert_eq!(deal.conflicts[0].kind, holder);
}

#[test]
fn the_same_partners_window_covers_and_none_is_added() {
    let mut world = importing();
    world.run_then(then(1, 10), &historical("d1", "alpha"));
    world.run_then(then(2, 1), &historical("d2", "alpha"));
    assert_eq!(world.deal("d2").protection, ProtectionState::Under { deal: deal_id("d1") });
}

#[test]
fn a_window_that_had_lapsed_by_then_is_told_and_free() {
    let mut world = importing();
    world.run_then(then(1, 10), &historical("d1", "alpha"));
    let events = world.run_then(then(4, 10), &historical("d2", "beta"));
    assert_eq!(names(&events), ["d1 ProtectionExpired", "d2 Registered", "d2 Approved"]);
    assert_eq!(world.deal("d1").protection, ProtectionState::Ended { from: then(1, 10), at: then(4, 10) });
}

#[test]
fn a_closing_ends_the_window_on_its_day() {
    let mut world = importing();
    world.run_then(then(1, 10), &historical("d1", "alpha"));
    world.run_then(then(3, 1), &win("d1", usd(105_400)));
    let deal = world.deal("d1");
    assert_eq!(deal.protection, ProtectionState::Ended { from: then(1, 10), at: then(3, 1) });
    assert_eq!((deal.close_date, deal.closed_at), (Some(day(2017, 3, 1)), Some(then(3, 1))));
    world.run_then(then(3, 1), &historical("d2", "beta"));
    assert!(matches!(world.deal("d2").protection, ProtectionState::Held { .. }));
}

#[test]
fn a_late_closing_tells_the_lapse_first_and_the_deal_is_won_all_the_same() {
    let mut world = World::with(&POLICY.replace("on_lapse: keep", "on_lapse: expire"));
    world.run(&start());
    world.run_then(then(1, 10), &historical("d1", "alpha"));
    let events = world.run_then(then(7, 1), &win("d1", usd(1)));
    assert_eq!(names(&events), ["d1 ProtectionExpired", "d1 Won"]);
    assert_eq!(*deal_event(&events[0]), Event::ProtectionExpired { until: then(4, 10), deal_expired: false });
}

#[test]
fn nothing_historical_falls_due_before_all_of_it_is_in() {
    let mut world = World::with(&POLICY.replace("on_lapse: keep", "on_lapse: expire"));
    world.run(&start());
    world.run_then(then(1, 10), &historical("d1", "alpha"));
    assert_eq!((world.model.due(world.now, 10).len(), world.model.next_due()), (0, None));
    let message = "a deal that is approved cannot be expired; its history is still being brought in";
    let expire = deal("d1", DealCommand::ExpireProtection);
    check(&world, Actor::timer(), &expire, "INVALID_TRANSITION", message);
    world.run(&complete());
    assert_eq!(world.model.next_due(), Some(then(4, 10)));
    assert_eq!(names(&world.run_due()), ["d1 ProtectionExpired"]);
    assert_eq!(world.state("d1"), DealState::Expired);
}

#[test]
fn out_of_order_it_still_never_gives_a_scope_twice() {
    let mut world = importing();
    world.run_then(then(3, 1), &historical("d1", "alpha"));
    let events = world.run_then(then(1, 10), &historical("d2", "beta"));
    assert_eq!(names(&events), ["d2 Registered", "d2 ConflictDetected", "d2 Approved"]);
    assert_eq!(world.deal("d2").protection, ProtectionState::None);
}

#[test]
fn a_live_window_is_judged_by_the_logs_clock() {
    let mut world = importing();
    world.run(&register("live", submission("alpha", "initech")));
    let events = world.run_then(then(1, 10), &historical("d", "beta"));
    assert_eq!(names(&events), ["d Registered", "d ConflictDetected", "d Approved"]);
}

#[test]
fn what_was_not_known_then_is_no_conflict() {
    let mut world = World::with(&POLICY.replace("min_tier: silver", "min_tier: gold"));
    world.run(&start());
    let suspend = pactum_domain::command::PartnerCommand::Suspend { reason: String::new() };
    world.run(&partner("alpha", suspend));
    assert_eq!(names(&world.run_then(then(1, 10), &historical("d", "alpha"))), ["d Registered", "d Approved"]);
}

#[test]
fn no_days_are_no_protection() {
    let mut world = importing();
    let history = Some(HistoryTerms { protection_days: 0 });
    world.run_then(then(1, 10), &register("d", Submission { history, ..large("alpha", "n") }));
    assert_eq!((world.state("d"), &world.deal("d").protection), (DealState::Approved, &ProtectionState::None));
}

#[test]
fn a_draft_may_turn_out_to_be_history() {
    let mut world = importing();
    world.run_then(then(1, 1), &deal("d", DealCommand::Draft(draft("alpha"))));
    world.run_then(then(1, 10), &historical("d", "alpha"));
    assert_eq!((world.state("d"), world.deal("d").basis), (DealState::Approved, Basis::Occurred));
}
