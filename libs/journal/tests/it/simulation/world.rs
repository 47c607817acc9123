//! Writers, clients and a network, moved one random step at a time by a seed.

use std::collections::{BTreeMap, VecDeque};

use pactum_journal::validity::Rule;
use pactum_journal::writer::{Moment, Now, Settings, Ticket, Writer};
use pactum_journal::{CommandError, JournalOptions, Role};
use pactum_log::{LogError, Offset};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::client::{Attempt, Client};
use super::faults::Faults;
use super::judge::{Judge, Violation, ensure};
use super::network::{Network, Sent};
use crate::bank::{Answer, Bank};

/// One writer's process.
pub(crate) struct Node<R: Rule> {
    pub(crate) writer: Writer<Bank, u32, R>,
    run: u128,
    /// How many entries of the log were read.
    read: usize,
    /// It does nothing until this step; what is sent to it waits.
    stalled_until: u64,
    inbox: VecDeque<Attempt>,
    question: Option<(Ticket, Option<Offset>)>,
    skew: i64,
}

/// What happened in a run, to show that the runs are not idle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) steps: u64,
    pub(crate) done: u64,
    pub(crate) repeated: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
    pub(crate) certain_errors: u64,
    pub(crate) terms: u64,
    pub(crate) skipped: u64,
    pub(crate) crashes: u64,
    pub(crate) stalls: u64,
    pub(crate) timers: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.done += other.done;
        self.repeated += other.repeated;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.certain_errors += other.certain_errors;
        self.terms += other.terms;
        self.skipped += other.skipped;
        self.crashes += other.crashes;
        self.stalls += other.stalls;
        self.timers += other.timers;
    }
}

pub(crate) struct World<R: Rule> {
    pub(crate) rng: ChaCha8Rng,
    pub(crate) faults: Faults,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Option<Node<R>>>,
    pub(crate) clients: Vec<Client>,
    pub(crate) judge: Judge,
    pub(crate) attempts: BTreeMap<u32, Attempt>,
    pub(crate) next_attempt: u32,
    pub(crate) next_request: u32,
    pub(crate) clock: Moment,
    pub(crate) step: u64,
    pub(crate) summary: Summary,
    runs: u128,
    options: JournalOptions,
    trace: bool,
}

impl<R: Rule> World<R> {
    pub(crate) fn new(seed: u64, trace: bool) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let faults = Faults::draw(&mut rng);
        let options = faults.options(&mut rng);
        let nodes = rng.random_range(2..=4);
        let clients = rng.random_range(1..=8);
        let mut world = Self {
            faults,
            network: Network::default(),
            nodes: (0..nodes).map(|_| None).collect(),
            clients: (0..clients).map(|_| Client::default()).collect(),
            judge: Judge::new(),
            attempts: BTreeMap::new(),
            next_attempt: 0,
            next_request: 0,
            clock: 0,
            step: 0,
            summary: Summary::default(),
            runs: 0,
            options,
            trace,
            rng,
        };
        world.note(|w| format!("{:?}", w.faults));
        for node in 0..nodes {
            world.start(node);
        }
        world
    }

    #[expect(clippy::print_stderr, reason = "the trace of one seed, asked for by whoever runs it")]
    pub(crate) fn note(&self, what: impl FnOnce(&Self) -> String) {
        if self.trace {
            eprintln!("{:>5} {:>9}us  {}", self.step, self.clock, what(self));
        }
    }

    pub(crate) fn now(&self, node: usize) -> Now {
        let skew = self.nodes[node].as_ref().map_or(0, |n| n.skew);
        Now { wall: self.clock as i64 + skew, moment: self.clock }
    }

    /// A process starts with nothing but its configuration.
    pub(crate) fn start(&mut self, index: usize) {
        self.runs += 1;
        let run = self.runs << 64;
        let own = self.rng.random_bool(self.faults.told);
        let options = JournalOptions { owner: format!("w{index}"), own, ..self.options.clone() };
        let skew = self.rng.random_range(-50_000..=50_000);
        self.note(|_| format!("w{index} starts, told to own: {own}"));
        self.nodes[index] = Some(Node {
            writer: Writer::new(Bank::default(), Settings::new(&options, 1, run)),
            run,
            read: 0,
            stalled_until: 0,
            inbox: VecDeque::new(),
            question: None,
            skew,
        });
    }

    pub(crate) fn crash(&mut self, index: usize) {
        self.note(|_| format!("w{index} crashes"));
        self.nodes[index] = None;
        self.summary.crashes += 1;
        for client in &mut self.clients {
            client.lost(index);
        }
    }

    pub(crate) fn stall(&mut self, index: usize, steps: u64) {
        self.note(|_| format!("w{index} stalls for {steps} steps"));
        self.summary.stalls += 1;
        if let Some(node) = &mut self.nodes[index] {
            node.stalled_until = self.step + steps;
        }
    }

    pub(crate) fn wake(&mut self) {
        for node in self.nodes.iter_mut().flatten() {
            node.stalled_until = 0;
        }
    }

    fn stalls(&self, index: usize) -> bool {
        self.nodes[index].as_ref().is_none_or(|node| node.stalled_until > self.step)
    }

    /// Gives a node an input, carries its outputs out, and checks everything that can have changed.
    pub(crate) fn input(
        &mut self,
        index: usize,
        input: impl FnOnce(&mut Node<R>, Now, &Network),
    ) -> Result<(), Violation> {
        let now = self.now(index);
        if self.stalls(index) {
            return Ok(());
        }
        let Some(node) = &mut self.nodes[index] else { return Ok(()) };
        for attempt in node.inbox.drain(..) {
            node.writer.submit(attempt.command, attempt.command.attempt, attempt.deadline, now);
        }
        input(node, now, &self.network);
        node.writer.advance(now);
        let term = node.writer.position().term;
        let outputs = std::mem::take(node.writer.outputs());
        if let Some(ticket) = outputs.ask_end {
            ensure!(node.question.is_none(), "w{index} asks for the end twice at a time");
            node.question = Some((ticket, None));
        }
        self.judge.check_state(node.read, node.writer.machine(), node.writer.in_flight())?;
        ensure!(node.writer.role() != Role::Failed, "w{index} stopped: {:?}", node.writer.status().fault);
        ensure!(node.writer.in_flight() <= self.options.window, "w{index} has too much in flight");
        let (run, done) = (node.run, node.writer.is_done());
        for bytes in outputs.appends {
            self.note(|_| format!("w{index} appends {:?}", pactum_journal::Entry::decode(&bytes)));
            self.network.send(Sent { bytes, run, writer: index, term });
        }
        for (attempt, answer) in outputs.answers {
            self.answer(attempt, &answer)?;
        }
        if done {
            self.note(|_| format!("w{index} stopped cleanly"));
            self.nodes[index] = None;
        }
        Ok(())
    }

    fn answer(&mut self, id: u32, answer: &Result<Answer, CommandError>) -> Result<(), Violation> {
        self.note(|_| format!("attempt {id}: {answer:?}"));
        let Some(attempt) = self.attempts.remove(&id) else {
            return Err(Violation(format!("attempt {id} is answered twice")));
        };
        match answer {
            Ok(Answer::Done { .. }) => self.summary.done += 1,
            Ok(Answer::Repeated { .. }) => self.summary.repeated += 1,
            Ok(Answer::Refused { .. } | Answer::Balance { .. }) => self.summary.refused += 1,
            Err(CommandError::OutcomeUnknown) => self.summary.unknown += 1,
            Err(_) => self.summary.certain_errors += 1,
        }
        self.judge.answered(&attempt.command, attempt.floor, answer)?;
        for client in &mut self.clients {
            client.answered(id, answer);
        }
        Ok(())
    }

    pub(crate) fn submit(&mut self, index: usize, attempt: Attempt) -> Result<(), Violation> {
        self.note(|_| format!("w{index} is sent {attempt:?}"));
        if let Some(node) = &mut self.nodes[index] {
            self.attempts.insert(attempt.command.attempt, attempt);
            node.inbox.push_back(attempt);
        }
        self.input(index, |_, _, _| {})
    }

    pub(crate) fn deliver(&mut self, pick: usize, keep: bool) -> Result<(), Violation> {
        let (offset, sent) = self.network.deliver(pick, keep, &mut self.rng);
        self.note(|_| format!("at {offset}: {:?} of w{}", pactum_journal::Entry::decode(&sent.bytes), sent.writer));
        self.judge.appended::<R>(offset, &sent)
    }

    pub(crate) fn read(&mut self, index: usize, limit: usize) -> Result<(), Violation> {
        self.input(index, |node, now, network| {
            for (offset, sent) in network.log.iter().skip(node.read).take(limit) {
                node.writer.read(*offset, &sent.bytes, now);
                node.read += 1;
            }
        })
    }

    /// The log learns of the question, or its answer arrives: two steps, so that the answer may be old.
    pub(crate) fn move_question(&mut self, index: usize, fails: bool) -> Result<(), Violation> {
        self.input(index, |node, _, network| match node.question {
            Some((ticket, None)) if !fails => node.question = Some((ticket, Some(network.end()))),
            Some((ticket, end)) => {
                node.question = None;
                node.writer.end_answered(ticket, end.ok_or_else(|| LogError::Unavailable("simulated".into())));
            }
            None => {}
        })
    }

    pub(crate) fn fail_append(&mut self, pick: usize, lose: bool, full: bool) -> Result<(), Violation> {
        let sent = if lose { self.network.lose(pick) } else { self.network.under_way[pick].clone() };
        let error =
            || if full { LogError::Full("simulated".into()) } else { LogError::Unavailable("simulated".into()) };
        let same = self.nodes[sent.writer].as_ref().is_some_and(|node| node.run == sent.run);
        if same {
            self.input(sent.writer, |node, now, _| node.writer.append_failed(error(), now))?;
        }
        Ok(())
    }

    pub(crate) fn has_read_all(&self, index: usize) -> bool {
        self.nodes[index].as_ref().is_some_and(|node| node.read == self.network.log.len())
    }

    pub(crate) fn summary(&self) -> Summary {
        let timers = self.nodes.iter().flatten().map(|n| u64::from(n.writer.machine().timers)).max().unwrap_or(0);
        Summary { steps: self.step, terms: self.judge.terms, skipped: self.judge.skipped, timers, ..self.summary }
    }
}
