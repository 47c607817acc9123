//! What can happen next.

use std::sync::Arc;

use pactum_journal::Role;
use pactum_journal::validity::Rule;
use pactum_log::LogError;

use super::bounds::Bounds;
use super::node::{LATER, NOW};
use super::state::State;

/// One step. Writers are named by their place, entries by their place among what is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Ask { client: usize, writer: usize },
    Land { entry: usize },
    LandTwice { entry: usize },
    Lose { entry: usize },
    Fail { entry: usize, lost: bool },
    Read { writer: usize },
    TellEnd { writer: usize },
    TimeOut { writer: usize },
    Wait { writer: usize },
    Tell { writer: usize, own: bool },
    Crash { writer: usize },
}

impl<R: Rule> State<R> {
    pub(super) fn steps(&self, bounds: &Bounds, steps: &mut Vec<Step>) {
        for writer in 0..self.nodes.len() {
            self.steps_of_writer(writer, steps);
        }
        for entry in 0..self.under_way.len() {
            self.steps_of_entry(entry, steps);
        }
        for client in (0..bounds.clients.len()).filter(|client| self.can_ask(*client)) {
            if self.attempts_of(client).count() < bounds.asks {
                // One that is refused at the door leaves everything as it was.
                let open = (0..self.nodes.len()).filter(|writer| !self.nodes[*writer].writer.refuses());
                steps.extend(open.map(|writer| Step::Ask { client, writer }));
            }
        }
    }

    fn steps_of_writer(&self, writer: usize, steps: &mut Vec<Step>) {
        let (node, left) = (&self.nodes[writer], &self.left);
        let (role, told) = (node.writer.role(), node.writer.told());
        let mut step = |possible: bool, step: Step| steps.extend(possible.then_some(step));
        step(node.read < self.log.len(), Step::Read { writer });
        step(node.question.is_some(), Step::TellEnd { writer });
        let expects = role == Role::Claiming || node.writer.in_flight() > 0;
        step(left.time_out > 0 && expects, Step::TimeOut { writer });
        let waits = matches!((role, told), (Role::Standby, true) | (Role::Owner, false));
        step(left.wait > 0 && waits, Step::Wait { writer });
        step(left.tell > 0, Step::Tell { writer, own: !told });
        // One that has read nothing has nothing to lose.
        step(left.crash > 0 && node.read > 0, Step::Crash { writer });
    }

    fn steps_of_entry(&self, entry: usize, steps: &mut Vec<Step>) {
        let (this, left) = (&self.under_way[entry], &self.left);
        let mut step = |possible: bool, step: Step| steps.extend(possible.then_some(step));
        let may_land = left.overtake > 0 || !self.overtakes(entry);
        step(may_land, Step::Land { entry });
        step(may_land && left.double > 0, Step::LandTwice { entry });
        // A stray one can as well never arrive, without being told so.
        step(left.lose > 0 && !this.stray, Step::Lose { entry });
        let sender = self.nodes.iter().find(|node| node.run == this.sent.run);
        let listens = sender.is_some_and(|node| matches!(node.writer.role(), Role::Owner | Role::Claiming));
        step(left.fail > 0 && listens && !this.stray, Step::Fail { entry, lost: true });
        step(left.fail > 0 && listens && !this.stray, Step::Fail { entry, lost: false });
    }

    fn overtakes(&self, entry: usize) -> bool {
        let this = &self.under_way[entry];
        let earlier = self.under_way[..entry].iter();
        !this.stray && earlier.into_iter().any(|other| !other.stray && other.sent.run == this.sent.run)
    }

    pub(super) fn step(&mut self, bounds: &Bounds, step: Step) {
        match step {
            Step::Ask { client, writer } => self.submit(bounds, client, writer),
            Step::Land { entry } => self.deliver(entry, false),
            Step::LandTwice { entry } => {
                self.left.double -= 1;
                self.deliver(entry, true);
            }
            Step::Lose { entry } => {
                self.left.lose -= 1;
                self.under_way.remove(entry);
            }
            Step::Fail { entry, lost } => {
                self.left.fail -= 1;
                self.fail(entry, lost);
            }
            Step::Read { writer } => self.read(writer),
            Step::TellEnd { writer } => self.tell_end(writer),
            Step::TimeOut { writer } => {
                self.left.time_out -= 1;
                self.input(writer, NOW, |node, _| node.writer.tick(NOW));
            }
            Step::Wait { writer } => {
                self.left.wait -= 1;
                self.input(writer, LATER, |_, _| {});
            }
            Step::Tell { writer, own } => {
                self.left.tell -= 1;
                self.input(writer, NOW, |node, _| node.writer.own(own, NOW));
            }
            Step::Crash { writer } => {
                self.left.crash -= 1;
                self.crash(bounds, writer);
            }
        }
    }

    fn deliver(&mut self, entry: usize, again: bool) {
        self.left.overtake -= u8::from(self.overtakes(entry));
        let sent = Arc::clone(&self.under_way[entry].sent);
        if again {
            self.under_way[entry].stray = true;
        } else {
            self.under_way.remove(entry);
        }
        self.land(&sent);
    }

    fn fail(&mut self, entry: usize, lost: bool) {
        let run = self.under_way[entry].sent.run;
        if lost {
            self.under_way.remove(entry);
        } else {
            self.under_way[entry].stray = true;
        }
        if let Some(writer) = self.nodes.iter().position(|node| node.run == run) {
            let error = LogError::Unavailable("modelled".into());
            self.input(writer, NOW, |node, _| node.writer.append_failed(error, NOW));
        }
    }

    /// A reader sees the log's entries in their order, whenever it looks.
    pub(super) fn read(&mut self, writer: usize) {
        self.input(writer, NOW, |node, log| {
            if let Some((offset, sent)) = log.get(node.read) {
                node.read += 1;
                node.writer.read(offset, &sent.bytes, NOW);
            }
        });
    }

    pub(super) fn tell_end(&mut self, writer: usize) {
        self.input(writer, NOW, |node, _| {
            if let Some((ticket, end)) = node.question.take() {
                node.writer.end_answered(ticket, Ok(end));
            }
        });
    }
}
