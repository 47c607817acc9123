//! Shutdown and release.

use pactum_journal::{CommandError, Role, SubmitError};

use super::harness::{Harness, claim, done};

#[test]
fn shutdown_lets_what_is_in_flight_come_back() {
    let mut h = Harness::owner();
    (1..=5).for_each(|attempt| h.deposit(attempt));
    h.shutdown();
    assert_eq!(h.told(), [(5, Err(CommandError::Stopped))], "it was not decided, and will not be");
    assert_eq!(h.writer.refusing(), Some(SubmitError::Stopped));
    h.deposit(6);
    assert_eq!(h.told(), [(6, Err(CommandError::Stopped))]);
    assert!(!h.writer.is_done());
    h.deliver_all();
    assert_eq!(h.told(), (1..=4).map(|n| done(n, u64::from(n))).collect::<Vec<_>>());
    assert!(h.writer.is_done());
}

#[test]
fn shutdown_proves_what_it_refused() {
    let mut h = Harness::owner();
    h.balance(1);
    h.shutdown();
    assert!(!h.writer.is_done());
    h.answer_end();
    assert!(matches!(h.told()[..], [(1, Ok(_))]));
    assert!(h.writer.is_done());
}

#[test]
fn shutdown_waits_no_longer_than_the_grace_time() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.shutdown();
    h.pass(49);
    assert!(!h.writer.is_done());
    h.pass(1);
    assert_eq!(h.told(), [(1, Err(CommandError::OutcomeUnknown))]);
    assert!(h.writer.is_done());
    assert_eq!(h.writer.machine().sequence, 0, "the machine is left as the log had it");
}

#[test]
fn a_standby_stops_at_once() {
    let mut h = Harness::owner();
    h.put(claim(Some(1), "them:1"));
    h.shutdown();
    assert_eq!((h.writer.is_done(), h.role()), (true, Role::Stopped));
    h.pass(10_000);
    assert_eq!(h.sent.len(), 0);
}

#[test]
fn release_drains_then_leaves_the_partition() {
    let mut h = Harness::owner();
    (1..=5).for_each(|attempt| h.deposit(attempt));
    h.own(false);
    assert_eq!(h.told(), [(5, Err(CommandError::NotOwner { owner: None }))], "nobody else is known");
    h.deliver_all();
    assert_eq!(h.told().len(), 4);
    assert_eq!(h.role(), Role::Standby);
    h.pass(10_000);
    assert_eq!((h.role(), h.sent.len()), (Role::Standby, 0));
    h.own(true);
    h.deliver();
    assert_eq!(h.role(), Role::Owner);
}

#[test]
fn a_release_taken_back_in_time_changes_nothing() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.own(false);
    h.own(true);
    h.deposit(2);
    h.deliver_all();
    assert_eq!(h.told(), [done(1, 1), done(2, 2)]);
    assert_eq!(h.writer.status().terms, 1);
}

#[test]
fn a_claim_under_way_when_released_is_not_used() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.pass(100);
    assert_eq!(h.role(), Role::Claiming);
    h.own(false);
    h.sent.remove(0);
    h.deliver();
    assert_eq!(h.role(), Role::Standby);
    assert_eq!(h.told(), [(1, Err(CommandError::NotOwner { owner: None }))]);
}
