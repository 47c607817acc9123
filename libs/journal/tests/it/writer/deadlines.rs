//! Deadlines: what a caller is told depends on where its command is.

use pactum_journal::{CommandError, Role};

use super::harness::{Harness, Told, claim, done};
use crate::bank::Op;

const DEPOSIT: Op = Op::Deposit { account: 0, amount: 10 };

fn told(attempt: u32, error: CommandError) -> Told {
    (attempt, Err(error))
}

#[test]
fn one_that_comes_too_late_is_not_decided() {
    let mut h = Harness::owner();
    h.submit_until(1, DEPOSIT, h.now);
    assert_eq!(h.told(), [told(1, CommandError::NotDecided)]);
    assert_eq!(h.sent.len(), 0);
}

#[test]
fn waiting_in_flight_and_refused() {
    let mut h = Harness::owner();
    let soon = h.now + 10_000;
    (1..=4).for_each(|attempt| h.submit_until(attempt, DEPOSIT, soon));
    h.submit_until(5, DEPOSIT, soon);
    h.deposit(6);
    h.pass(10);
    assert_eq!(
        h.told(),
        [
            told(5, CommandError::NotDecided),
            told(1, CommandError::OutcomeUnknown),
            told(2, CommandError::OutcomeUnknown),
            told(3, CommandError::OutcomeUnknown),
            told(4, CommandError::OutcomeUnknown),
        ]
    );
    // The records come back: nobody is told twice, and the one that was patient takes its turn.
    h.deliver_all();
    h.deliver_all();
    assert_eq!(h.told(), [done(6, 5)]);

    h.submit_until(7, Op::Balance { account: 0 }, h.now + 10_000);
    h.pass(10);
    assert_eq!(h.told(), [told(7, CommandError::NotDecided)]);
    h.answer_end();
    assert_eq!(h.told(), []);
}

#[test]
fn one_that_expires_unsettled_is_not_decided_again() {
    let mut h = Harness::owner();
    h.submit_until(1, DEPOSIT, h.now + 150_000);
    h.deposit(2);
    h.sent.clear();
    h.pass(100);
    assert_eq!((h.role(), h.told()), (Role::Claiming, vec![]));
    h.pass(50);
    assert_eq!(h.told(), [told(1, CommandError::OutcomeUnknown)]);
    h.deliver();
    h.deliver_all();
    assert_eq!(h.told(), [done(2, 1)], "the first was given up, so the second is the only one");
}

#[test]
fn one_that_expires_unsettled_may_still_take_effect() {
    let mut h = Harness::owner();
    h.submit_until(1, DEPOSIT, h.now + 100_000);
    h.pass(100);
    assert_eq!(h.told(), [told(1, CommandError::OutcomeUnknown)]);
    h.deliver();
    assert_eq!((h.writer.machine().sequence, h.told()), (1, vec![]));
    h.deliver();
    assert_eq!((h.writer.machine().sequence, h.role()), (1, Role::Owner));
}

#[test]
fn waiting_for_another_owner_to_go_is_not_done() {
    let mut h = Harness::owner();
    h.put(claim(Some(1), "them:1"));
    h.deposit(1);
    assert_eq!(h.told(), [told(1, CommandError::NotOwner { owner: Some("them:1".into()) })]);
}
