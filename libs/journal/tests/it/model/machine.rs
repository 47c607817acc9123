//! The smallest state machine that can tell whether the journal keeps its word: a list of what took effect.

use bytes::Bytes;
use pactum_journal::{Decision, FoldError, Machine, Timestamp};

/// Takes effect if fewer than `limit` requests did before: no limit in reach is a command that always does, 0 is a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Command {
    /// The same for every attempt at one thing; a repeat takes no second effect.
    pub(super) request: u8,
    /// One submission of it.
    pub(super) attempt: u8,
    pub(super) limit: u8,
}

/// `at` is how many requests had taken effect in the state that was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    Done { sequence: u8 },
    Repeated { sequence: u8, at: u8 },
    Refused { at: u8 },
}

/// A record's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Effect {
    /// From 1.
    pub(super) sequence: u8,
    pub(super) request: u8,
    pub(super) attempt: u8,
}

impl Effect {
    fn encode(self) -> Bytes {
        Bytes::copy_from_slice(&[self.sequence, self.request, self.attempt])
    }

    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let [sequence, request, attempt] = *body else { return None };
        Some(Self { sequence, request, attempt })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Ledger {
    effects: Vec<Effect>,
    /// How many of them are read back; the rest is in flight.
    certain: usize,
}

impl Ledger {
    /// What was read, without what is in flight.
    pub(super) fn certain(&self) -> &[Effect] {
        &self.effects[..self.certain]
    }

    pub(super) fn in_flight(&self) -> usize {
        self.effects.len() - self.certain
    }
}

impl Machine for Ledger {
    type Command = Command;
    type Answer = Answer;
    type Undo = ();

    fn decide(&mut self, command: &Command, _now: Timestamp) -> Decision<Answer, ()> {
        let at = self.effects.len() as u8;
        if let Some(done) = self.effects.iter().find(|effect| effect.request == command.request) {
            return Decision::Answer(Answer::Repeated { sequence: done.sequence, at });
        }
        if at >= command.limit {
            return Decision::Answer(Answer::Refused { at });
        }
        let effect = Effect { sequence: at + 1, request: command.request, attempt: command.attempt };
        self.effects.push(effect);
        Decision::Append { body: effect.encode(), answer: Answer::Done { sequence: effect.sequence }, undo: () }
    }

    fn fold(&mut self, body: &Bytes) -> Result<(), FoldError> {
        let effect = Effect::decode(body).ok_or_else(|| FoldError::new("not an effect"))?;
        if usize::from(effect.sequence) != self.effects.len() + 1 {
            return Err(FoldError::new(format!("sequence {} after {}", effect.sequence, self.effects.len())));
        }
        self.effects.push(effect);
        self.confirmed(body);
        Ok(())
    }

    fn undo(&mut self, (): ()) {
        self.effects.pop();
    }

    fn confirmed(&mut self, _body: &Bytes) {
        self.certain += 1;
    }

    fn due(&mut self, _now: Timestamp, _limit: usize) -> Vec<Command> {
        Vec::new()
    }
}
