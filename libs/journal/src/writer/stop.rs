//! Giving up: release, shutdown, and what cannot be gone on from.

use super::{Now, Phase, Writer};
use crate::error::{CommandError, Fault};
use crate::machine::Machine;
use crate::validity::Rule;

impl<M: Machine, C, R: Rule> Writer<M, C, R> {
    /// Shut down: decide nothing more, let what is in flight come back within the grace time, then stop.
    pub fn shutdown(&mut self, now: Now) {
        if self.stopping.is_some() {
            return;
        }
        self.stopping = Some(now.moment.saturating_add(self.settings.grace));
        self.drain(now);
        self.refuse_waiting();
    }

    /// An owner decides nothing more; the term ends when nothing is in flight, or after the grace time.
    pub(super) fn drain(&mut self, now: Now) {
        let by = now.moment.saturating_add(self.settings.grace);
        if let Phase::Owner { draining: draining @ None, .. } = &mut self.phase {
            *draining = Some(by);
        }
    }

    pub(super) fn finish_draining(&mut self, now: Now) {
        if let Phase::Owner { draining: Some(by), .. } = self.phase {
            let drained = self.in_flight.is_empty() && self.refusals.is_empty();
            if drained || now.moment >= by {
                self.end_term(now);
                self.refuse_waiting();
            }
        }
        if self.stopping.is_some() && !matches!(self.phase, Phase::Owner { .. } | Phase::Failed(_) | Phase::Stopped) {
            self.phase = Phase::Stopped;
            self.abandon();
        }
    }

    /// Stops the partition for good. Nothing is skipped to go on: that would be another history than other readers have.
    pub(super) fn fail(&mut self, fault: Fault) {
        if self.reads() {
            self.phase = Phase::Failed(fault);
            self.waiting.extend(self.refusals.drain(..).map(|refusal| refusal.command));
            self.abandon();
        }
    }

    fn abandon(&mut self) {
        self.refuse_waiting();
        let in_flight = self.in_flight.drain(..).map(|own| own.command.caller);
        let unsettled = self.unsettled.drain(..).map(|own| own.command.caller);
        for caller in in_flight.chain(unsettled) {
            self.out.answer(caller, Err(CommandError::OutcomeUnknown));
        }
    }
}
