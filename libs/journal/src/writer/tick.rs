//! Time: deadlines, timeouts, timers. Cheap enough to be called often; writes nothing by itself.

use std::collections::VecDeque;

use super::{Now, Phase, Writer};
use crate::error::CommandError;
use crate::machine::Machine;
use crate::validity::Rule;

impl<M: Machine, C, R: Rule> Writer<M, C, R> {
    /// Time passed.
    pub fn tick(&mut self, now: Now) {
        self.expire(now);
        self.ends.paused = false;
        self.look_for_due = true;
        let oldest = match self.phase {
            Phase::Owner { .. } => self.in_flight.front().map(|oldest| oldest.appended),
            Phase::Claiming { since } => Some(since),
            _ => None,
        };
        if oldest.is_none_or(|since| now.moment.saturating_sub(since) < self.settings.read_back_timeout) {
            return;
        }
        match self.phase {
            Phase::Owner { .. } => self.end_term(now),
            _ => self.claim_timed_out(now),
        }
    }

    fn expire(&mut self, now: Now) {
        let overdue = |deadline| deadline <= now.moment;
        let out = &mut self.out;
        remove(&mut self.waiting, |w| overdue(w.deadline), |w| out.answer(w.caller, Err(CommandError::NotDecided)));
        remove(
            &mut self.refusals,
            |r| overdue(r.command.deadline),
            |r| out.answer(r.command.caller, Err(CommandError::NotDecided)),
        );
        // Their records stay: what is in flight must still be confirmed or settled, only nobody waits for it any more.
        let in_flight = self.in_flight.iter_mut().map(|own| &mut own.command);
        let unsettled = self.unsettled.iter_mut().map(|own| &mut own.command);
        for command in in_flight.chain(unsettled).filter(|command| overdue(command.deadline)) {
            out.answer(command.caller.take(), Err(CommandError::OutcomeUnknown));
        }
    }
}

/// Takes out what is `over`, keeping the order of the rest.
fn remove<T>(queue: &mut VecDeque<T>, over: impl Fn(&T) -> bool, mut taken: impl FnMut(T)) {
    if !queue.iter().any(&over) {
        return;
    }
    for item in std::mem::take(queue) {
        if over(&item) {
            taken(item);
        } else {
            queue.push_back(item);
        }
    }
}
