//! When faults end: from any state, one instance is told to own the partition and the others are not, whatever is under way
//! lands or is lost, time passes, and whoever has no answer asks there until there is one. That is one fair schedule, and
//! it is short: a state from which it does not end has lost someone's command.

use std::sync::Arc;

use pactum_journal::Role;
use pactum_journal::validity::Rule;

use super::bounds::Bounds;
use super::node::{LATER, NOW};
use super::state::{Outcome, State};

/// Rounds of peace after which nobody may wait any more.
const ROUNDS: usize = 30;

impl<R: Rule> State<R> {
    /// Whoever is chosen, and whatever becomes of what is under way.
    pub(super) fn ends_well(&self, bounds: &Bounds) -> bool {
        (0..self.nodes.len())
            .all(|chosen| [true, false].into_iter().all(|lands| self.peace(bounds, Some(chosen), lands)))
    }

    /// Whether everyone is answered, with nothing broken, when `chosen` alone is told to own.
    pub(super) fn peace(&self, bounds: &Bounds, chosen: Option<usize>, lands: bool) -> bool {
        let mut state = self.clone();
        if !lands {
            state.under_way.clear();
        }
        for writer in 0..state.nodes.len() {
            state.input(writer, NOW, |node, _| node.writer.own(Some(writer) == chosen, NOW));
        }
        for _ in 0..ROUNDS {
            let mut progress = state.land_and_read_everything();
            if let Some(chosen) = chosen {
                progress |= state.ask_again(bounds, chosen);
            }
            if state.answered.count_ones() as usize == bounds.clients.len() {
                return !state.broken.any();
            }
            if !progress {
                state.let_time_pass();
            }
        }
        false
    }

    fn land_and_read_everything(&mut self) -> bool {
        let mut progress = false;
        for entry in std::mem::take(&mut self.under_way) {
            self.land(&entry.sent);
            progress = true;
        }
        for writer in 0..self.nodes.len() {
            while self.nodes[writer].read < self.log.len() {
                self.read(writer);
                progress = true;
            }
            if self.nodes[writer].question.is_some() {
                self.tell_end(writer);
                progress = true;
            }
        }
        progress
    }

    fn ask_again(&mut self, bounds: &Bounds, chosen: usize) -> bool {
        let mut progress = false;
        for client in 0..bounds.clients.len() {
            let run = self.nodes[chosen].run;
            let waits =
                self.attempts_of(client).any(|a| matches!(a.outcome, Outcome::Pending { run: at, .. } if at == run));
            if self.can_ask(client) && !waits && !self.nodes[chosen].writer.refuses() {
                self.submit(bounds, client, chosen);
                progress = true;
            }
        }
        progress
    }

    fn let_time_pass(&mut self) {
        for writer in 0..self.nodes.len() {
            if Arc::clone(&self.nodes[writer]).writer.role() != Role::Failed {
                self.input(writer, NOW, |node, _| node.writer.tick(NOW));
                self.input(writer, LATER, |_, _| {});
            }
        }
    }
}
