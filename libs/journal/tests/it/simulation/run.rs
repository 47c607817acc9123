//! One run: faults for a while, then peace, in which everyone must get an answer.

use pactum_journal::validity::Rule;
use pactum_journal::writer::Moment;
use rand::RngExt;

use super::client::Attempt;
use super::judge::Violation;
use super::world::{Summary, World};
use crate::bank::Command;

/// Rounds of peace after which nobody may wait any more. Each is longer than any timeout divided by ten.
const ROUNDS: u32 = 200;

pub(crate) fn run<R: Rule>(seed: u64, trace: bool) -> Result<Summary, Violation> {
    let mut world = World::<R>::new(seed, trace);
    while world.step < world.faults.steps {
        world.step += 1;
        world.clock += world.rng.random_range(0..=world.faults.longest_step);
        world.random_step()?;
    }
    world.make_peace()?;
    Ok(world.summary())
}

impl<R: Rule> World<R> {
    fn random_step(&mut self) -> Result<(), Violation> {
        let f = self.faults;
        let weights = [f.deliver, f.read, f.question, f.command, f.tick, f.crash, f.stall, f.fail, f.own, f.shutdown];
        let mut draw = self.rng.random_range(0..weights.iter().sum());
        let kind = weights.iter().position(|weight| {
            let here = draw < *weight;
            draw = draw.saturating_sub(*weight);
            here
        });
        let node = self.rng.random_range(0..self.nodes.len());
        if self.nodes[node].is_none() {
            // Down: it comes up again, in a while.
            if self.rng.random_bool(0.2) {
                self.start(node);
            }
            return Ok(());
        }
        match kind {
            Some(0) => self.network_step(),
            Some(1) => {
                let limit = if self.rng.random_bool(0.2) { usize::MAX } else { self.rng.random_range(1..6) };
                self.read(node, limit)
            }
            Some(2) => {
                let fails = self.rng.random_bool(self.faults.lose);
                self.move_question(node, fails)
            }
            Some(3) => self.client_step(),
            Some(4) => self.input(node, |node, now, _| node.writer.tick(now)),
            Some(5) => {
                self.crash(node);
                Ok(())
            }
            Some(6) => {
                let steps = self.rng.random_range(5..150);
                self.stall(node, steps);
                Ok(())
            }
            Some(7) if !self.network.under_way.is_empty() => {
                let pick = self.rng.random_range(0..self.network.under_way.len());
                let (lose, full) = (self.rng.random_bool(0.5), self.rng.random_bool(0.5));
                self.fail_append(pick, lose, full)
            }
            Some(8) => {
                let told = self.rng.random_bool(0.6);
                self.note(|_| format!("w{node} is told to own: {told}"));
                self.input(node, |node, now, _| node.writer.own(told, now))
            }
            Some(9) => {
                self.note(|_| format!("w{node} is told to stop"));
                self.input(node, |node, now, _| node.writer.shutdown(now))
            }
            _ => Ok(()),
        }
    }

    fn network_step(&mut self) -> Result<(), Violation> {
        let under_way = self.network.under_way.len();
        if under_way == 0 {
            return Ok(());
        }
        let pick = if self.rng.random_bool(self.faults.reorder) { self.rng.random_range(0..under_way) } else { 0 };
        if self.rng.random_bool(self.faults.lose) {
            let lost = self.network.lose(pick);
            self.note(|_| format!("lost: {:?}", pactum_journal::Entry::decode(&lost.bytes)));
            return Ok(());
        }
        let keep = self.rng.random_bool(self.faults.double);
        self.deliver(pick, keep)
    }

    fn client_step(&mut self) -> Result<(), Violation> {
        let client = self.rng.random_range(0..self.clients.len());
        if self.clients[client].waits.is_some() && !self.rng.random_bool(self.faults.impatience) {
            return Ok(());
        }
        let anyone = self.rng.random_range(0..self.nodes.len());
        let writer = self.clients[client].owner.filter(|_| self.rng.random_bool(0.9)).unwrap_or(anyone);
        let longest = if self.rng.random_bool(0.3) { 100_000 } else { 5_000_000 };
        let patience = self.rng.random_range(10_000..longest);
        self.ask(client, writer, patience)
    }

    fn ask(&mut self, client: usize, writer: usize, patience: Moment) -> Result<(), Violation> {
        if self.nodes[writer].is_none() {
            return Ok(());
        }
        let (request, op) = self.clients[client].want(self.faults.reads, &mut self.next_request, &mut self.rng);
        self.next_attempt += 1;
        let command = Command { request, attempt: self.next_attempt, op };
        self.clients[client].waits = Some((command.attempt, writer));
        let attempt = Attempt { command, deadline: self.clock + patience, floor: self.judge.told };
        self.submit(writer, attempt)
    }

    /// Faults end, one instance is told to own, and clients ask there until they know: all must come to an end.
    fn make_peace(&mut self) -> Result<(), Violation> {
        self.note(|_| "peace".into());
        self.wake();
        let chosen = self.rng.random_range(0..self.nodes.len());
        for client in &mut self.clients {
            client.waits = client.waits.filter(|(_, writer)| *writer == chosen);
        }
        for round in 0..ROUNDS {
            for node in 0..self.nodes.len() {
                if self.nodes[node].is_none() {
                    self.start(node);
                }
                self.input(node, |n, now, _| n.writer.own(node == chosen, now))?;
            }
            self.quiet_round()?;
            if self.clients.iter().all(|client| client.wants.is_none()) && self.is_quiet() {
                return Ok(());
            }
            for client in 0..self.clients.len() {
                if self.clients[client].wants.is_some() && self.clients[client].waits.is_none() && round < ROUNDS / 2 {
                    self.ask(client, chosen, 60_000_000)?;
                }
            }
        }
        let waiting: Vec<_> = self.clients.iter().filter(|client| client.wants.is_some()).collect();
        let owner = self.nodes[chosen].as_ref().map(|node| node.writer.status());
        Err(Violation(format!("no end in peace: {waiting:?} wait, w{chosen} is {owner:?}")))
    }

    fn quiet_round(&mut self) -> Result<(), Violation> {
        self.step += 1;
        self.clock += 200_000;
        while !self.network.under_way.is_empty() {
            self.deliver(0, false)?;
        }
        for node in 0..self.nodes.len() {
            self.read(node, usize::MAX)?;
            self.move_question(node, false)?;
            self.move_question(node, false)?;
            self.input(node, |node, now, _| node.writer.tick(now))?;
        }
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        self.network.under_way.is_empty()
            && self.attempts_are_over()
            && (0..self.nodes.len()).all(|node| self.has_read_all(node))
    }

    fn attempts_are_over(&self) -> bool {
        self.nodes.iter().flatten().all(|node| !node.writer.has_callers() && node.writer.in_flight() == 0)
    }
}

/// Looks for a seed under which a rule with something left out does what must not be.
pub(crate) fn first_violation<R: Rule>(seeds: std::ops::Range<u64>) -> Result<(u64, Violation), Violation> {
    for seed in seeds.clone() {
        if let Err(violation) = run::<R>(seed, false) {
            return Ok((seed, violation));
        }
    }
    Err(Violation(format!("no violation within seeds {seeds:?}")))
}
