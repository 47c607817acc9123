//! What appends nothing is answered only when it is proven.

use pactum_journal::{CommandError, Role};

use super::harness::{Harness, claim, done, unavailable};
use crate::bank::{Answer, Op};

fn balance(attempt: u32, at: u64, balance: i64) -> super::harness::Told {
    (attempt, Ok(Answer::Balance { at, balance }))
}

#[test]
fn it_waits_for_the_logs_end_to_be_read() {
    let mut h = Harness::owner();
    h.balance(1);
    assert_eq!(h.told(), []);
    // The log is longer than what was read.
    h.log.push(h.log[1].clone());
    h.answer_end();
    assert_eq!(h.told(), []);
    h.read();
    assert_eq!(h.told(), [balance(1, 0, 0)]);
}

#[test]
fn it_waits_for_the_records_it_was_decided_on() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.balance(2);
    h.answer_end();
    assert_eq!(h.told(), [], "the end was read to, but the deposit may still be lost");
    h.deliver();
    assert_eq!(h.told(), [done(1, 1), balance(2, 1, 10)]);
}

#[test]
fn a_later_record_of_ours_proves_as_much_as_the_end() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.balance(2);
    h.deposit(3);
    h.deliver();
    assert_eq!(h.told(), [done(1, 1)], "appended before deciding: proves nothing about later");
    h.deliver();
    assert_eq!(h.told(), [done(3, 2), balance(2, 1, 10)]);
}

#[test]
fn one_question_serves_all_who_wait_and_only_those() {
    let mut h = Harness::owner();
    h.balance(1);
    let first = h.asked;
    h.balance(2);
    h.balance(3);
    assert_eq!(h.asked, first, "one at a time");
    h.answer_end();
    assert_eq!(h.told(), [balance(1, 0, 0)], "it was asked before the others were decided");
    assert!(h.asked.is_some() && h.asked != first);
    h.answer_end();
    assert_eq!(h.told(), [balance(2, 0, 0), balance(3, 0, 0)]);
    assert_eq!(h.asked, None);
}

#[test]
fn a_question_that_fails_is_asked_again_at_the_next_tick() {
    let mut h = Harness::owner();
    h.balance(1);
    h.answer_end_with(Err(unavailable()));
    assert_eq!((h.asked, h.writer.status().read_error), (None, Some(unavailable())));
    h.pass(1);
    h.answer_end();
    assert_eq!(h.told(), [balance(1, 0, 0)]);
    assert_eq!(h.writer.status().read_error, None);
}

#[test]
fn an_old_answer_to_an_old_question_proves_nothing() {
    let mut h = Harness::owner();
    h.balance(1);
    let old = h.asked.take().expect("asked");
    h.pass(0);
    h.put(claim(Some(1), "them:1"));
    h.told();
    h.pass(1_000);
    h.deliver();
    assert_eq!(h.role(), Role::Owner);
    h.balance(2);
    h.writer.end_answered(old, Ok(0));
    h.advance();
    assert_eq!(h.told(), [], "that was asked before the second was decided");
    h.answer_end();
    assert_eq!(h.told(), [balance(2, 0, 0)]);
}

#[test]
fn what_was_refused_on_effects_that_were_lost_is_decided_again() {
    let mut h = Harness::owner();
    let withdraw = Op::Withdraw { account: 0, amount: 10 };
    h.deposit(1);
    h.submit_until(2, withdraw, h.now + 100_000);
    h.submit(3, withdraw);
    h.answer_end();
    h.deliver();
    assert_eq!(h.told(), [done(1, 1)], "the third is refused because of the second, which is in flight");
    // The second is lost, and nobody waits for it any more.
    h.sent.clear();
    h.pass(100);
    assert_eq!(h.told(), [(2, Err(CommandError::OutcomeUnknown))]);
    h.deliver();
    h.deliver();
    assert_eq!(h.told(), [done(3, 2)], "so the third takes effect instead");
}
