//! Claiming, losing and settling terms.

use bytes::Bytes;
use pactum_journal::entry::encode_record;
use pactum_journal::{CommandError, Entry, Role, SubmitError};
use pactum_log::LogError;

use super::harness::{Harness, Told, claim, done, genesis, options, unavailable};
use crate::bank::{Bank, Op};
use pactum_journal::Machine;

fn not_owner(attempt: u32) -> Told {
    (attempt, Err(CommandError::NotOwner { owner: Some("them:1".into()) }))
}

#[test]
fn an_empty_log_gets_a_genesis_then_a_claim_then_records() {
    let mut h = Harness::new(&options(), vec![]);
    assert_eq!((h.role(), h.sent.len()), (Role::CatchingUp, 0));
    h.deposit(1);
    h.answer_end();
    assert!(matches!(h.sent_entries()[..], [Entry::Genesis(g)] if g.log_id == 7 && g.partitions == 1));
    h.deliver();
    assert!(matches!(&h.sent_entries()[..], [Entry::Claim(c)] if c.after.is_none() && c.owner == "us:1"));
    assert_eq!(h.role(), Role::Claiming);
    h.deliver();
    assert_eq!(h.role(), Role::Owner);
    assert!(matches!(&h.sent_entries()[..], [Entry::Record(r)] if (r.term, r.n) == (1, 0)));
    assert_eq!(h.told(), [], "nobody is answered before the record is read back");
    h.deliver();
    assert_eq!(h.told(), [done(1, 1)]);
}

#[test]
fn catching_up_reads_to_the_end_before_claiming() {
    let mut h = Harness::new(&options(), vec![genesis(), claim(None, "them:1")]);
    h.answer_end();
    assert_eq!((h.role(), h.sent.len()), (Role::CatchingUp, 0));
    h.read();
    assert!(matches!(&h.sent_entries()[..], [Entry::Claim(c)] if c.after == Some(1)));
}

#[test]
fn who_is_not_told_to_own_writes_nothing() {
    let mut h = Harness::new(&pactum_journal::JournalOptions { own: false, ..options() }, vec![]);
    h.answer_end();
    h.pass(10_000);
    assert_eq!((h.role(), h.sent.len()), (Role::Standby, 0));
    h.own(true);
    assert_eq!(h.sent.len(), 1);
}

#[test]
fn an_idle_owner_writes_nothing() {
    let mut h = Harness::owner();
    for _ in 0..1_000 {
        h.pass(1_000);
    }
    assert_eq!((h.role(), h.sent.len(), h.asked), (Role::Owner, 0, None));
}

#[test]
fn a_record_may_be_in_flight_while_the_next_is_decided() {
    let mut h = Harness::owner();
    (1..=6).for_each(|attempt| h.deposit(attempt));
    assert_eq!((h.sent.len(), h.writer.room()), (4, 0), "the window is full");
    h.deliver();
    assert_eq!(h.told(), [done(1, 1)]);
    assert_eq!(h.sent.len(), 4, "there is room for one more");
    h.deliver_all();
    h.deliver_all();
    assert_eq!(h.told(), (2..=6).map(|n| done(n, u64::from(n))).collect::<Vec<_>>());
}

/// Every cause but another's claim: the term ends, and we claim anew.
#[test]
fn a_term_that_ends_without_another_is_claimed_anew_and_commands_keep_their_order() {
    type Cause = fn(&mut Harness);
    let causes: [(&str, Cause); 3] = [
        ("an append that failed", |h| {
            h.fail(unavailable());
            h.pass(20);
        }),
        ("no read-back in time", |h| h.pass(100)),
        ("a record that overtook another", |h| {
            let second = h.sent[1].clone();
            h.put(second);
        }),
    ];
    for (cause, end) in causes {
        let mut h = Harness::owner();
        (1..=3).for_each(|attempt| h.deposit(attempt));
        end(&mut h);
        assert_eq!(h.role(), Role::Claiming, "{cause}");
        assert_eq!(h.writer.machine().sequence, 0, "{cause}: the effects in flight are taken back");
        assert_eq!(h.told(), [], "{cause}");
        // The first record was only late; the claim comes behind it.
        let first = h.sent[0].clone();
        h.put(first);
        assert_eq!(h.told(), [done(1, 1)], "{cause}");
        let newest = h.sent.len() - 1;
        h.sent.drain(..newest);
        h.deliver();
        let decided_again: Vec<_> = h.sent_entries();
        let term = h.writer.position().term.expect("a term");
        assert!(
            matches!(&decided_again[..], [Entry::Record(a), Entry::Record(b)] if a.term == term && (a.n, b.n) == (0, 1)),
            "{cause}: {decided_again:?}"
        );
        h.deliver_all();
        assert_eq!(h.told(), [done(2, 2), done(3, 3)], "{cause}");
    }
}

#[test]
fn a_duplicate_does_not_end_the_term() {
    let mut h = Harness::owner();
    h.deposit(1);
    let record = h.sent[0].clone();
    h.deliver();
    h.put(record);
    let ours = h.log[1].clone();
    h.put(ours);
    assert_eq!((h.role(), h.writer.status().skipped.total()), (Role::Owner, 2));
}

#[test]
fn anothers_claim_settles_everything() {
    let mut h = Harness::owner();
    (1..=6).for_each(|attempt| h.deposit(attempt));
    h.deliver();
    h.put(claim(Some(1), "them:1"));
    assert_eq!(h.told(), [done(1, 1), not_owner(2), not_owner(3), not_owner(4), not_owner(5), not_owner(6)]);
    assert_eq!((h.role(), h.writer.machine().sequence), (Role::Standby, 1));
    // What still lands of ours is skipped; what they write is folded.
    h.deliver();
    assert_eq!(h.writer.machine().sequence, 1);
    let mut theirs = Bank { sequence: 1, ..Bank::default() };
    let command = crate::bank::Command { request: 77, attempt: 77, op: Op::Deposit { account: 1, amount: 5 } };
    let pactum_journal::Decision::Append { body, .. } = theirs.decide(&command, 0) else { panic!("it appends") };
    h.put(encode_record(3, 0, &body));
    assert_eq!(h.writer.machine().accounts, [10, 5, 0]);
    h.deposit(7);
    assert_eq!(h.told(), [not_owner(7)]);
}

#[test]
fn who_is_deposed_leaves_the_partition_alone_for_a_while() {
    let mut h = Harness::owner();
    h.put(claim(Some(1), "them:1"));
    assert!(matches!(h.writer.refusing(), Some(SubmitError::NotOwner { owner: Some(_) })));
    h.pass(240);
    assert_eq!((h.role(), h.sent.len()), (Role::Standby, 0));
    h.pass(300);
    assert_eq!((h.role(), h.sent.len()), (Role::Claiming, 1));
    h.deliver();
    assert_eq!((h.role(), h.writer.refusing()), (Role::Owner, None));
}

#[test]
fn a_late_claim_of_a_former_run_is_claimed_over_soon_and_commands_wait() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.sent.clear();
    h.put(claim(Some(1), "us:1"));
    assert_eq!((h.role(), h.told()), (Role::Standby, vec![]));
    h.pass(10);
    h.deliver_all();
    h.deliver_all();
    assert_eq!(h.told(), [done(1, 1)]);
}

#[test]
fn a_claim_given_up_that_lands_late_is_taken() {
    let mut h = Harness::new(&options(), vec![genesis()]);
    h.answer_end();
    h.read();
    let late = h.sent.remove(0);
    h.pass(100);
    assert_eq!(h.role(), Role::Standby, "given up");
    h.put(late);
    assert_eq!(h.role(), Role::Owner);
    h.deposit(1);
    h.deliver_all();
    assert_eq!(h.told(), [done(1, 1)]);
}

#[test]
fn a_log_that_takes_nothing_refuses_commands_until_it_does() {
    let mut h = Harness::owner();
    (1..=6).for_each(|attempt| h.deposit(attempt));
    let full = LogError::Full("test".into());
    h.sent.clear();
    h.fail(full.clone());
    let refused = |attempt: u32| (attempt, Err(CommandError::LogUnavailable(full.clone())));
    assert_eq!(h.told(), [refused(5), refused(6)], "what was in flight may still land");
    h.deposit(7);
    assert_eq!(h.told(), [refused(7)]);
    // The claims are refused as well, and come ever less often.
    let mut waits = Vec::new();
    for _ in 0..4 {
        let failed_at = h.now;
        while h.sent.is_empty() {
            h.pass(1);
        }
        waits.push((h.now - failed_at) / 1_000);
        h.sent.clear();
        h.fail(full.clone());
    }
    for (wait, longest) in waits.iter().zip([10, 20, 40, 40]) {
        assert!((longest / 2..=longest).contains(wait), "{waits:?}");
    }
    h.pass(40);
    h.deliver();
    assert_eq!((h.role(), h.writer.refusing()), (Role::Owner, None));
    h.deliver_all();
    assert_eq!(h.told(), (1..=4).map(|n| done(n, u64::from(n))).collect::<Vec<_>>());
}

#[test]
fn a_claim_that_does_not_come_back_is_repeated_and_says_so() {
    let mut h = Harness::new(&options(), vec![genesis()]);
    h.answer_end();
    h.read();
    h.sent.clear();
    h.deposit(1);
    h.pass(100);
    assert!(matches!(h.told()[..], [(1, Err(CommandError::LogUnavailable(_)))]));
    assert!(matches!(h.writer.refusing(), Some(SubmitError::LogUnavailable(_))));
    h.pass(10);
    h.deliver();
    assert_eq!((h.role(), h.writer.refusing()), (Role::Owner, None));
}

#[test]
fn a_state_restored_from_the_middle_goes_on_there() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.deliver();
    let mut restored = options();
    restored.position = h.writer.position().clone();
    let bank = h.writer.machine().clone();
    let mut again = Harness::new(&restored, h.log.clone());
    again.writer =
        pactum_journal::writer::Writer::new(bank, pactum_journal::writer::Settings::new(&restored, 1, 6 << 64));
    again.advance();
    again.answer_end();
    assert!(matches!(&again.sent_entries()[..], [Entry::Claim(c)] if c.after == Some(1)), "nothing is read twice");
    again.deliver();
    again.deposit(2);
    again.deliver();
    assert_eq!(again.told(), [done(2, 2)]);
}

#[test]
fn a_record_too_large_is_refused_and_leaves_no_effect() {
    let small = pactum_journal::JournalOptions { max_body_bytes: 21, ..options() };
    let mut h = Harness::owner_with(&small);
    h.deposit(1);
    assert_eq!(h.told(), [(1, Err(CommandError::TooLarge { bytes: 22, limit: 21 }))]);
    assert_eq!((h.sent.len(), h.writer.machine().sequence), (0, 0));
}

#[test]
fn a_log_that_takes_less_than_was_thought_teaches_the_limit() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.sent.clear();
    h.fail(LogError::TooLarge { bytes: 41, limit: 40 });
    h.deliver();
    assert_eq!(h.told(), [(1, Err(CommandError::TooLarge { bytes: 22, limit: 21 }))]);
    assert_eq!((h.role(), h.writer.machine().sequence), (Role::Owner, 0));
}

#[test]
fn an_entry_read_twice_counts_once() {
    let mut h = Harness::owner();
    h.deposit(1);
    h.deliver();
    h.read();
    h.writer.read(0, &Bytes::from_static(b"even garbage"), h.at());
    assert_eq!((h.writer.machine().sequence, h.role()), (1, Role::Owner));
}
