//! A program's life, and a row for each refusal.

use pactum_domain::actor::Role;
use pactum_domain::command::{Command, Context, PartnerCommand, ProgramCommand};
use pactum_domain::money::Currency;
use pactum_domain::partner::Profile;
use pactum_domain::program::ProgramState;
use pactum_domain::time::Timestamp;

use crate::support::*;

fn create(policy: Option<&str>) -> Command {
    let (display_name, currency) = ("Acme".to_owned(), Currency::parse("USD").unwrap());
    program(ProgramCommand::Create { display_name, currency, policy: policy.map(str::to_owned) })
}
fn publish(document: &str, effective_from: Option<Timestamp>) -> Command {
    program(ProgramCommand::PublishPolicy { document: document.to_owned(), effective_from })
}
fn shorter() -> String {
    POLICY.replace("protection_days: 90", "protection_days: 30")
}
fn start(import: &str) -> Command {
    program(ProgramCommand::StartHistoryImport { import: import_id(import), source: "CRM".to_owned() })
}
fn complete(import: &str) -> Command {
    program(ProgramCommand::CompleteHistoryImport { import: import_id(import) })
}
fn archive() -> Command {
    program(ProgramCommand::Archive { reason: "merged".to_owned() })
}

#[test]
fn it_is_a_draft_until_it_has_a_policy() {
    let mut world = World::empty();
    assert_eq!(names(&world.run(&create(None))), ["Created"]);
    assert_eq!(world.model.program().unwrap().state, ProgramState::Draft);
    world.run(&publish(POLICY, None));
    let acme = world.model.program().unwrap();
    assert_eq!((acme.state, acme.version, acme.policies.len()), (ProgramState::Active, 2, 1));
    let mut at_once = World::empty();
    assert_eq!(names(&at_once.run(&create(Some(POLICY)))), ["Created", "PolicyPublished"]);
    assert_eq!(at_once.model.program().unwrap().state, ProgramState::Active);
}

#[test]
fn a_policy_holds_from_its_moment_on() {
    let mut world = World::new();
    let from = START.plus_days(10);
    world.run(&publish(&shorter(), Some(from)));
    let acme = world.model.program().unwrap();
    assert_eq!(acme.policy_at(Timestamp(from.0 - 1)).unwrap().version, 1);
    assert_eq!(acme.policy_at(from).unwrap().version, 2);
    assert!(acme.policy_at(Timestamp(START.0 - 1)).is_none());
    world.pass(10);
    world.run(&publish(POLICY, None));
    assert_eq!(world.model.program().unwrap().policy_at(world.now).unwrap().version, 3);
}

#[test]
fn the_same_policy_again_is_no_new_version() {
    let world = World::new();
    assert_eq!(world.decide(admin(), &publish(POLICY, None)), Ok(Vec::new()));
    assert_eq!(world.decide(admin(), &publish(POLICY, Some(START))), Ok(Vec::new()));
    assert_eq!(world.decide(admin(), &publish(POLICY, Some(START.plus_days(1)))).unwrap().len(), 1);
}

#[test]
fn imports_are_opened_and_completed_once() {
    let mut world = World::new();
    assert_eq!(names(&world.run(&start("crm"))), ["HistoryImportStarted"]);
    assert_eq!(world.decide(admin(), &start("crm")), Ok(Vec::new()));
    assert!(world.model.program().unwrap().is_importing());
    assert_eq!(names(&world.run(&complete("crm"))), ["HistoryImportCompleted"]);
    assert_eq!(world.decide(admin(), &complete("crm")), Ok(Vec::new()));
    assert_eq!(world.decide(admin(), &start("crm")), Ok(Vec::new()), "it is all in");
    assert!(!world.model.program().unwrap().is_importing());
    check(&world, admin(), &complete("erp"), "NOT_FOUND", "import erp does not exist");
}

#[test]
fn an_archived_program_takes_nothing_more() {
    let mut world = World::new();
    world.run(&archive());
    assert_eq!(world.decide(admin(), &archive()), Ok(Vec::new()));
    let message = "a program that is archived cannot be changed; it can only be read";
    for command in [
        publish(&shorter(), None),
        start("crm"),
        complete("crm"),
        register("d", submission("alpha", "n")),
        partner("alpha", PartnerCommand::Activate),
        partner("n", PartnerCommand::Apply(Profile::default())),
    ] {
        check(&world, admin(), &command, "INVALID_TRANSITION", message);
    }
    check(&world, admin(), &create(None), "ALREADY_EXISTS", "program acme exists already");
}

#[test]
fn refusals() {
    let empty = World::empty();
    for command in [publish(POLICY, None), start("crm"), complete("crm"), archive()] {
        check(&empty, admin(), &command, "PROGRAM_NOT_FOUND", "the program does not exist");
    }
    check(&empty, sales("alpha"), &create(None), "FORBIDDEN", "only the vendor may do this");
    let (display_name, currency) = (String::new(), Currency::parse("USD").unwrap());
    let nameless = program(ProgramCommand::Create { display_name, currency, policy: None });
    check(&empty, admin(), &nameless, "INVALID_FIELD", "program.display_name: must not be empty");
    let context = Context { expected_version: Some(1), ..empty.context(admin(), empty.now) };
    let message = "the etag is stale: it names version 1, the resource is at 0";
    check_in(&empty, &context, &create(None), "STALE_ETAG", message);
    let context = empty.context(admin(), Timestamp::MIN.plus_days(-1));
    assert!(empty.model.decide(&create(None), &context).is_ok(), "the range's edge is within it");

    let world = World::new();
    check(&world, admin(), &create(None), "ALREADY_EXISTS", "program acme exists already");
    let past = "effective_from: 2025-12-31T00:00:00Z has gone by; a policy holds from now, 2026-01-01T00:00:00Z, at the \
                earliest";
    check(&world, admin(), &publish(&shorter(), Some(START.plus_days(-1))), "INVALID_FIELD", past);
    let never = "effective_from: the time is outside 1900-01-01 to 2199-12-31";
    check(&world, admin(), &publish(&shorter(), Some(Timestamp(i64::MAX))), "INVALID_FIELD", never);
    let long = program(ProgramCommand::Archive { reason: "x".repeat(4_001) });
    check(&world, admin(), &long, "INVALID_FIELD", "reason: longer than 4000 characters");
    let source = "two\nlines".to_owned();
    let import = program(ProgramCommand::StartHistoryImport { import: import_id("crm"), source });
    check(&world, admin(), &import, "INVALID_FIELD", "source: control characters and line breaks are not allowed");
    for command in [publish(&shorter(), None), start("crm"), complete("crm"), archive()] {
        check(&world, sales("alpha"), &command, "FORBIDDEN", "only the vendor may do this");
    }
    let context = Context { expected_version: Some(1), ..world.context(vendor(Role::ProgramAdmin), world.now) };
    let message = "the etag is stale: it names version 1, the resource is at 2";
    check_in(&world, &context, &archive(), "STALE_ETAG", message);
}

#[test]
fn a_policy_that_is_not_valid_is_refused_whole() {
    let bad = POLICY.replace("probability: 50", "probability: 101");
    let refusal = World::empty().decide(admin(), &create(Some(&bad))).unwrap_err();
    assert_eq!(refusal.reason(), "INVALID_POLICY");
    assert!(refusal.to_string().starts_with("the policy is not valid: line 19, "), "{refusal}");
    assert_eq!(World::new().decide(admin(), &publish(&bad, None)).unwrap_err(), refusal);
}

#[test]
fn one_policy_may_wait_at_a_time() {
    let mut world = World::new();
    world.run(&publish(&shorter(), Some(START.plus_days(10))));
    let message = "a program that is waiting for a published policy to come into force cannot be given another; one may \
                   wait at a time";
    check(&world, admin(), &publish(POLICY, None), "INVALID_TRANSITION", message);
}
