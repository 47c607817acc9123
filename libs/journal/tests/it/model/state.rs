//! Writers, clients and what is between them, at one moment.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use pactum_journal::validity::Rule;
use pactum_journal::{CommandError, Role};

use super::bounds::{Bounds, Faults};
use super::laws::{Broken, Law};
use super::log::{Log, Sent};
use super::machine::{Answer, Command};
use super::node::{DEADLINE, NOW, Node};
use pactum_journal::writer::Now;

/// Attempts that one client can make, those in peace included.
const ATTEMPTS: u8 = 16;

/// An entry on its way to the log.
#[derive(Clone, Debug)]
pub(super) struct UnderWay {
    pub(super) sent: Arc<Sent>,
    /// It may land at any time, if ever: a second copy, or one of which the sender was told that it failed.
    pub(super) stray: bool,
}

/// One submission of a client's command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Attempt {
    pub(super) id: u8,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outcome {
    /// Waits at a run. `floor` is the highest sequence that anyone knew of when it was asked.
    Pending {
        run: u8,
        floor: u8,
    },
    Done,
    Repeated,
    Refused,
    /// Said to have certainly no effect.
    NotTaken,
    Unknown,
}

pub(super) struct State<R: Rule> {
    pub(super) nodes: Vec<Arc<Node<R>>>,
    pub(super) log: Arc<Log>,
    /// In the order of sending for each run.
    pub(super) under_way: Vec<UnderWay>,
    /// By id.
    pub(super) attempts: Vec<Attempt>,
    /// The clients that have an answer, as bits.
    pub(super) answered: u8,
    /// The highest sequence that anyone was told of.
    told: u8,
    /// The faults that can still happen.
    pub(super) left: Faults,
    pub(super) broken: Broken,
}

impl<R: Rule> Clone for State<R> {
    fn clone(&self) -> Self {
        Self {
            nodes: self.nodes.clone(),
            log: Arc::clone(&self.log),
            under_way: self.under_way.clone(),
            attempts: self.attempts.clone(),
            ..*self
        }
    }
}

impl<R: Rule> Hash for State<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nodes.iter().for_each(|node| state.write_u64(node.digest));
        state.write_u64(self.log.digest);
        self.under_way.iter().for_each(|entry| (entry.sent.digest, entry.stray).hash(state));
        (&self.attempts, self.answered, self.told, self.left, self.broken).hash(state);
    }
}

impl<R: Rule> PartialEq for State<R> {
    fn eq(&self, other: &Self) -> bool {
        let digests = |state: &Self| {
            let mut hasher = std::hash::DefaultHasher::new();
            state.hash(&mut hasher);
            hasher.finish()
        };
        digests(self) == digests(other)
    }
}

impl<R: Rule> std::fmt::Debug for State<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let roles: Vec<Role> = self.nodes.iter().map(|node| node.writer.role()).collect();
        write!(f, "{roles:?}, {} entries, {:?} took effect, ", self.log.len(), self.log.effects())?;
        write!(f, "{} under way, {:?}, {:?}", self.under_way.len(), self.attempts, self.broken)
    }
}

impl<R: Rule> State<R> {
    pub(super) fn new(bounds: &Bounds) -> Self {
        let node = |index: usize| Arc::new(Node::start(index, 0, index < bounds.told, bounds.window));
        let mut state = Self {
            nodes: (0..bounds.writers).map(node).collect(),
            log: Arc::default(),
            under_way: Vec::new(),
            attempts: Vec::new(),
            answered: 0,
            told: 0,
            left: bounds.faults,
            broken: Broken::default(),
        };
        for index in 0..bounds.writers {
            state.input(index, NOW, |_, _| {});
        }
        state
    }

    /// Gives a writer an input, carries its outputs out, and checks everything that can have changed.
    pub(super) fn input(&mut self, index: usize, now: Now, input: impl FnOnce(&mut Node<R>, &Log)) {
        let node = Arc::make_mut(&mut self.nodes[index]);
        input(node, &self.log);
        node.writer.advance(now);
        let (run, seen) = (node.run, node.writer.position().term);
        let outputs = std::mem::take(node.writer.outputs());
        if let Some(ticket) = outputs.ask_end {
            node.question = Some((ticket, self.log.end()));
        }
        let writer = &node.writer;
        let (machine, role) = (writer.machine(), writer.role());
        let agrees = self.log.agrees(node.read, writer.position(), machine.certain());
        self.broken.unless(agrees && machine.in_flight() == writer.in_flight(), Law::OneState);
        self.broken.unless(role != Role::Failed, Law::NobodyFails);
        node.note_digest();
        for bytes in outputs.appends {
            let entry = UnderWay { sent: Arc::new(Sent::new(bytes, run, seen)), stray: false };
            let place = self.under_way.partition_point(|earlier| earlier.sent.run <= run);
            self.under_way.insert(place, entry);
        }
        for (attempt, answer) in outputs.answers {
            self.answer(attempt, answer);
        }
    }

    /// A client asks a writer, for the first time or once more.
    pub(super) fn submit(&mut self, bounds: &Bounds, client: usize, index: usize) {
        let try_ = self.attempts_of(client).count() as u8;
        let id = client as u8 * ATTEMPTS + try_;
        let command = Command { request: client as u8, attempt: id, limit: bounds.clients[client] };
        let outcome = Outcome::Pending { run: self.nodes[index].run, floor: self.told };
        let place = self.attempts.partition_point(|earlier| earlier.id < id);
        self.attempts.insert(place, Attempt { id, outcome });
        self.input(index, NOW, |node, _| node.writer.submit(command, id, DEADLINE, NOW));
    }

    pub(super) fn attempts_of(&self, client: usize) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(move |attempt| usize::from(attempt.id / ATTEMPTS) == client)
    }

    pub(super) fn can_ask(&self, client: usize) -> bool {
        self.answered & 1 << client == 0 && self.attempts_of(client).count() < usize::from(ATTEMPTS)
    }

    /// The entry is in the log.
    pub(super) fn land(&mut self, sent: &Arc<Sent>) {
        let effect = Arc::make_mut(&mut self.log).append::<R>(sent, &mut self.broken);
        if let Some(attempt) = effect.and_then(|effect| self.attempts.iter().find(|a| a.id == effect.attempt)) {
            let refused = matches!(attempt.outcome, Outcome::Refused | Outcome::Repeated | Outcome::NotTaken);
            self.broken.unless(!refused, Law::RefusedNever);
        }
    }

    /// A process ends at once and starts again, knowing nothing.
    pub(super) fn crash(&mut self, bounds: &Bounds, index: usize) {
        let old = &self.nodes[index];
        let run = old.run;
        let node = Node::start(index, old.incarnation() + 1, old.writer.told(), bounds.window);
        self.nodes[index] = Arc::new(node);
        for attempt in &mut self.attempts {
            if matches!(attempt.outcome, Outcome::Pending { run: at, .. } if at == run) {
                attempt.outcome = Outcome::Unknown;
            }
        }
        self.input(index, NOW, |_, _| {});
    }

    /// An answer to an attempt, checked against everything there is.
    pub(super) fn answer(&mut self, id: u8, answer: Result<Answer, CommandError>) {
        let Some(place) = self.attempts.iter().position(|attempt| attempt.id == id) else { return };
        let Outcome::Pending { floor, .. } = self.attempts[place].outcome else {
            return self.broken.unless(false, Law::OneAnswer);
        };
        let (log, broken) = (Arc::clone(&self.log), &mut self.broken);
        let effects = log.effects();
        let client = id / ATTEMPTS;
        let taken = effects.iter().filter(|effect| effect.attempt == id).count();
        if answer.is_ok() {
            self.answered |= 1 << client;
        }
        let outcome = match answer {
            Ok(Answer::Done { sequence }) => {
                let there = effects.get(usize::from(sequence) - 1).is_some_and(|effect| effect.attempt == id);
                broken.unless(there && taken == 1 && sequence > floor, Law::DoneIsInLog);
                self.told = self.told.max(sequence);
                Outcome::Done
            }
            Ok(Answer::Repeated { sequence, at }) => {
                let found = effects.get(usize::from(sequence) - 1).is_some_and(|effect| effect.request == client);
                broken.unless(found && sequence <= at && usize::from(at) <= effects.len(), Law::RefusedOnLog);
                broken.unless(at >= floor, Law::RefusedOnAll);
                self.told = self.told.max(at);
                Outcome::Repeated
            }
            Ok(Answer::Refused { at }) => {
                let on = effects.get(..usize::from(at));
                broken.unless(on.is_some_and(|on| on.iter().all(|e| e.request != client)), Law::RefusedOnLog);
                broken.unless(at >= floor, Law::RefusedOnAll);
                self.told = self.told.max(at);
                Outcome::Refused
            }
            Err(CommandError::OutcomeUnknown) => Outcome::Unknown,
            Err(_) => Outcome::NotTaken,
        };
        let certain = matches!(outcome, Outcome::Repeated | Outcome::Refused | Outcome::NotTaken);
        broken.unless(!certain || taken == 0, Law::RefusedNever);
        self.attempts[place].outcome = outcome;
    }
}
