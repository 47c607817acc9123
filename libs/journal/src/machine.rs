//! What an application brings: a deterministic state machine.

use bytes::Bytes;

/// Microseconds since the Unix epoch, UTC.
pub type Timestamp = i64;

/// A deterministic state machine owned by one partition, pure in (state, command, now).
///
/// The journal shows it the partition's valid records in order, and while it owns the partition asks it to decide. A
/// decision that appends has its effect in the state at once, ahead of the log; the journal either confirms it or takes
/// it back. The order of calls is always such that the state without the effects in flight is the fold of the log so far.
pub trait Machine: Send + 'static {
    /// What is decided.
    type Command: Send + 'static;
    /// What a decision is answered with, success or refusal: the journal does not care.
    type Answer: Send + 'static;
    /// Takes one effect in flight back.
    type Undo: Send + 'static;

    /// Decides on the state including effects in flight. If it appends, the effect is already applied to the state when
    /// this returns, and `undo` takes it back.
    fn decide(&mut self, command: &Self::Command, now: Timestamp) -> Decision<Self::Answer, Self::Undo>;

    /// Folds the body of a valid record that is not one of our own in flight.
    fn fold(&mut self, body: &Bytes) -> Result<(), FoldError>;

    /// Takes an effect in flight back; called newest first.
    fn undo(&mut self, undo: Self::Undo);

    /// Our own record in flight was read back valid: its effect, already in the state, is now certain.
    fn confirmed(&mut self, body: &Bytes) {
        let _ = body;
    }

    /// Commands that fall due by `now`, at most `limit`; asked of the owner only. Their answers are dropped, and one that
    /// did not take effect is asked for again.
    fn due(&mut self, now: Timestamp, limit: usize) -> Vec<Self::Command>;
}

/// What a machine decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<A, U> {
    /// Append a record, answer when it is read back.
    Append {
        /// The record's body.
        body: Bytes,
        /// The answer once it took effect.
        answer: A,
        /// Takes the effect back should the record not take effect.
        undo: U,
    },
    /// Append nothing: a refusal, the answer to a repeated request, a validation.
    Answer(A),
}

/// A record that the machine cannot fold. It stops the partition: going on without it would be another history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FoldError(String);

impl FoldError {
    /// With the reason, for an operator to read.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
