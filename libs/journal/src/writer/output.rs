//! What a writer wants done.

use bytes::Bytes;

use super::Moment;
use crate::error::CommandError;

/// Names one question for the log's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub(super) u64);

/// How many records appended at one moment were read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadBack {
    /// When they were handed over.
    pub appended: Moment,
    /// How many.
    pub count: usize,
}

/// What is to be carried out. Appends keep their order; everything else may be done in any.
#[derive(Debug)]
pub struct Outputs<A, C> {
    /// Entries to append.
    pub appends: Vec<Bytes>,
    /// Ask the log for its end, now or later but not earlier, and tell the writer under this ticket.
    pub ask_end: Option<Ticket>,
    /// Callers and what to tell them.
    pub answers: Vec<(C, Result<A, CommandError>)>,
    /// Own records confirmed, for measurement.
    pub read_back: Vec<ReadBack>,
    /// How many times the machine decided, for measurement.
    pub decided: usize,
}

impl<A, C> Default for Outputs<A, C> {
    fn default() -> Self {
        Self { appends: Vec::new(), ask_end: None, answers: Vec::new(), read_back: Vec::new(), decided: 0 }
    }
}

impl<A, C> Outputs<A, C> {
    pub(super) fn answer(&mut self, caller: Option<C>, result: Result<A, CommandError>) {
        if let Some(caller) = caller {
            self.answers.push((caller, result));
        }
    }

    pub(super) fn confirmed(&mut self, appended: Moment) {
        match self.read_back.last_mut() {
            Some(last) if last.appended == appended => last.count += 1,
            _ => self.read_back.push(ReadBack { appended, count: 1 }),
        }
    }
}
