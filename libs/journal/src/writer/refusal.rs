//! What appends nothing, and when it may be answered.
//!
//! A refusal is decided on the state with the effects in flight, at a writer that may have been deposed without knowing.
//! So it is answered only when
//!
//! 1. every record in flight when it was decided is confirmed: else it would speak of an effect that may never be (a
//!    repeated request answered with a sequence that another record then gets), and
//! 2. it is proven that the term was in force when it was decided: the log's end, asked for after deciding, has been read
//!    to with no valid claim in between. A record of ours appended after deciding and read back valid proves the same, so
//!    a busy owner need not wait for the question.
//!
//! If the term ends first it is decided again, after settlement.

use pactum_log::{LogError, Offset};

use super::{Phase, Ticket, Writer};
use crate::machine::Machine;
use crate::validity::Rule;

/// Questions for the log's end: one at a time, shared by all who wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    issued: Ticket,
    pub(super) outstanding: bool,
    /// The last question failed: the next is asked at the next tick.
    pub(super) paused: bool,
    /// The highest answer.
    pub(super) known: Offset,
}

impl Ends {
    /// The first question that is asked later than now.
    pub(super) fn next_ticket(&self) -> Ticket {
        Ticket(self.issued.0 + 1)
    }

    /// Whether the question was asked already.
    pub(super) fn is_asked(&self, ticket: Ticket) -> bool {
        ticket <= self.issued
    }
}

impl<M: Machine, C, R: Rule> Writer<M, C, R> {
    /// The log's end was answered, or could not be.
    pub fn end_answered(&mut self, ticket: Ticket, end: Result<Offset, LogError>) {
        if ticket != self.ends.issued {
            return;
        }
        self.ends.outstanding = false;
        match end {
            Ok(end) => {
                self.read_error = None;
                self.ends.known = self.ends.known.max(end);
                for refusal in self.refusals.iter_mut().filter(|r| r.end.is_none() && r.ticket <= ticket) {
                    refusal.end = Some(end);
                }
                if let Phase::CatchingUp { to: to @ None } = &mut self.phase {
                    *to = Some(end);
                }
                self.finish_catching_up();
            }
            Err(error) => {
                self.ends.paused = true;
                self.read_failed(error);
            }
        }
    }

    pub(super) fn ask_for_the_end(&mut self) {
        let wanted = match self.phase {
            Phase::CatchingUp { to: None } => true,
            Phase::Owner { .. } => self.refusals.back().is_some_and(|last| last.end.is_none()),
            _ => false,
        };
        if wanted && !self.ends.outstanding && !self.ends.paused {
            self.ends.issued = self.ends.next_ticket();
            self.ends.outstanding = true;
            self.out.ask_end = Some(self.ends.issued);
        }
    }

    pub(super) fn release_refusals(&mut self) {
        if !matches!(self.phase, Phase::Owner { .. }) {
            return;
        }
        while let Some(refusal) = self.refusals.front() {
            let confirmed = !R::AWAIT_FLIGHT || self.position.next >= refusal.decided_at;
            let in_force = !R::AWAIT_END
                || self.position.next > refusal.decided_at
                || refusal.end.is_some_and(|end| self.position.offset >= end);
            if !(confirmed && in_force) {
                break;
            }
            let Some(refusal) = self.refusals.pop_front() else { break };
            self.out.answer(refusal.command.caller, Ok(refusal.answer));
        }
    }
}
