//! What falls due.

use pactum_journal::writer::Now;
use pactum_journal::{Entry, Role};

use super::harness::{Harness, claim};

/// The bank has a timer due every 0.7 s from the epoch on.
fn tick_at(h: &mut Harness, wall: i64) {
    h.now += 1_000;
    let now = Now { wall, moment: h.now };
    h.writer.tick(now);
    h.writer.advance(now);
    let outputs = std::mem::take(h.writer.outputs());
    h.sent.extend(outputs.appends);
}

#[test]
fn what_falls_due_is_decided_in_batches_by_the_owner_alone() {
    let mut h = Harness::owner();
    tick_at(&mut h, 699_999);
    assert_eq!(h.sent.len(), 0);
    tick_at(&mut h, 5 * 700_000);
    assert_eq!(h.sent.len(), 2, "a batch");
    h.deliver_all();
    assert_eq!(h.writer.machine().timers, 2);
    tick_at(&mut h, 5 * 700_000);
    assert_eq!(h.writer.machine().timers, 4);
    h.put(claim(Some(1), "them:1"));
    assert_eq!((h.role(), h.writer.machine().timers), (Role::Standby, 2), "what was in flight is taken back");
    h.sent.clear();
    tick_at(&mut h, 5 * 700_000);
    assert_eq!(h.sent.len(), 0);
}

#[test]
fn what_fell_due_and_was_lost_is_due_again() {
    let mut h = Harness::owner();
    tick_at(&mut h, 700_000);
    h.sent.clear();
    h.pass(100);
    h.deliver();
    tick_at(&mut h, 700_000);
    assert!(matches!(&h.sent_entries()[..], [Entry::Record(r)] if r.n == 0));
    h.deliver();
    assert_eq!(h.writer.machine().timers, 1);
}
