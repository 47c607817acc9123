//! Deciding: from waiting to in flight or refused.

use super::command::{InFlight, Refusal, Waiting};
use super::{Moment, Now, Phase, Writer};
use crate::entry::{RECORD_HEADER, encode_record};
use crate::error::CommandError;
use crate::machine::{Decision, Machine};
use crate::validity::Rule;

impl<M: Machine, C, R: Rule> Writer<M, C, R> {
    /// A command came in. It is decided by the next [`advance`](Writer::advance) that can.
    pub fn submit(&mut self, command: M::Command, caller: C, deadline: Moment, now: Now) {
        if let Some(error) = self.refusing() {
            return self.out.answer(Some(caller), Err(error.into()));
        }
        if deadline <= now.moment {
            return self.out.answer(Some(caller), Err(CommandError::NotDecided));
        }
        let order = self.arrival();
        self.waiting.push_back(Waiting { order, command, caller: Some(caller), deadline });
    }

    /// How many commands to submit at most now. The rest is better kept in the queue in front.
    pub fn room(&self) -> usize {
        match self.phase {
            // What waits in front of an owner is decided within a round trip to the log.
            Phase::Owner { draining: None, .. } => self.window_room().saturating_sub(self.waiting.len()),
            // Otherwise take them in, so that their deadlines are seen.
            _ => self.settings.queue.saturating_sub(self.waiting.len()),
        }
    }

    fn window_room(&self) -> usize {
        self.settings.window.saturating_sub(self.in_flight.len().max(self.refusals.len()))
    }

    fn arrival(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }

    fn decides(&self) -> bool {
        matches!(self.phase, Phase::Owner { draining: None, .. })
    }

    pub(super) fn decide_waiting(&mut self, now: Now) {
        while self.decides() && self.window_room() > 0 {
            let Some(command) = self.waiting.pop_front() else { break };
            if command.deadline <= now.moment {
                self.out.answer(command.caller, Err(CommandError::NotDecided));
            } else {
                self.decide(command, now);
            }
        }
    }

    /// Decides what fell due, looked for once per tick, or again at once while there is more than fits a batch.
    pub(super) fn decide_due(&mut self, now: Now) {
        let limit = self.settings.due_batch.min(self.window_room());
        if !self.look_for_due || !self.decides() || limit == 0 {
            return;
        }
        let due = self.machine.due(now.wall, limit);
        self.look_for_due = due.len() >= limit;
        let mut appended = false;
        for command in due {
            let order = self.arrival();
            let before = self.in_flight.len();
            self.decide(Waiting { order, command, caller: None, deadline: Moment::MAX }, now);
            appended |= self.in_flight.len() > before;
        }
        // Due commands that change nothing would be due again at once, for ever.
        self.look_for_due &= appended;
    }

    fn decide(&mut self, command: Waiting<M, C>, now: Now) {
        let Phase::Owner { term, next, .. } = &mut self.phase else { return };
        self.out.decided += 1;
        match self.machine.decide(&command.command, now.wall) {
            Decision::Append { body, undo, .. } if body.len() > self.settings.max_body_bytes => {
                self.machine.undo(undo);
                let error = CommandError::TooLarge { bytes: body.len(), limit: self.settings.max_body_bytes };
                self.out.answer(command.caller, Err(error));
            }
            Decision::Append { body, answer, undo } => {
                let n = *next;
                *next += 1;
                let entry = encode_record(*term, n, &body);
                let body = entry.slice(RECORD_HEADER..);
                self.out.appends.push(entry);
                self.in_flight.push_back(InFlight { command, n, body, answer, undo, appended: now.moment });
            }
            Decision::Answer(answer) => {
                if command.caller.is_some() {
                    let (decided_at, ticket) = (*next, self.ends.next_ticket());
                    self.refusals.push_back(Refusal { command, answer, decided_at, ticket, end: None });
                }
            }
        }
    }
}
