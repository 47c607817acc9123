//! A command on its way.

use bytes::Bytes;
use pactum_log::Offset;

use super::{Moment, Ticket};
use crate::machine::Machine;

/// Not decided, or to be decided again: nothing was appended for it that can still take effect.
pub(super) struct Waiting<M: Machine, C> {
    /// The place among all commands ever submitted here. Deciding again keeps it.
    pub(super) order: u64,
    pub(super) command: M::Command,
    /// Nobody, for what fell due, and once the caller was told that the outcome is unknown.
    pub(super) caller: Option<C>,
    pub(super) deadline: Moment,
}

/// Decided and appended in the term in force, not read back yet. Its effect is in the state.
pub(super) struct InFlight<M: Machine, C> {
    pub(super) command: Waiting<M, C>,
    pub(super) n: u64,
    pub(super) body: Bytes,
    pub(super) answer: M::Answer,
    pub(super) undo: M::Undo,
    pub(super) appended: Moment,
}

/// In flight when our term ended. Its effect was taken back; it may still land until the next valid claim.
pub(super) struct Unsettled<M: Machine, C> {
    pub(super) command: Waiting<M, C>,
    pub(super) term: Offset,
    pub(super) n: u64,
    pub(super) body: Bytes,
    /// Still the right answer if the record lands. For `(term, n)` to be valid, all of `(term, 0..n)` were, in order, so
    /// the state it was decided on is the very one it then takes effect on.
    pub(super) answer: M::Answer,
}

/// Decided, with nothing to append, and not yet proven.
pub(super) struct Refusal<M: Machine, C> {
    pub(super) command: Waiting<M, C>,
    pub(super) answer: M::Answer,
    /// The `n` that the next record had when this was decided: the records below it are what it was decided on.
    pub(super) decided_at: u64,
    /// The first question for the log's end that is asked after deciding.
    pub(super) ticket: Ticket,
    /// What that question, or a later one, was answered.
    pub(super) end: Option<Offset>,
}
