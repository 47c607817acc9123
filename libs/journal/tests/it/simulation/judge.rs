//! Sees everything, and says what must not be.

use std::collections::{BTreeMap, BTreeSet};

use pactum_journal::validity::Rule;
use pactum_journal::{CommandError, Entry, Machine, Position, Verdict};
use pactum_log::Offset;

use super::network::Sent;
use crate::bank::{ACCOUNTS, Answer, Bank, Command, Effect, Op};

/// Something happened that must not.
#[derive(Clone, Debug)]
pub(crate) struct Violation(pub(crate) String);

macro_rules! ensure {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err(Violation(format!($($message)+)));
        }
    };
}
pub(crate) use ensure;

/// The state after some sequence.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    accounts: [i64; ACCOUNTS],
}

/// What a reader must have after so many entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Expected {
    history: u64,
    digest: u64,
}

#[derive(Default)]
pub(crate) struct Judge {
    position: Position,
    bank: Bank,
    /// By how many entries were read.
    expected: Vec<Expected>,
    /// By sequence.
    moments: Vec<Moment>,
    /// Whose claim is in force.
    owner: Option<u128>,
    /// Sequence by attempt.
    effects: BTreeMap<u32, u64>,
    /// Attempts of which it was said that they certainly have no effect.
    refused: BTreeSet<u32>,
    /// The highest sequence that anyone was told of.
    pub(crate) told: u64,
    pub(crate) skipped: u64,
    pub(crate) terms: u64,
}

impl Judge {
    pub(crate) fn new() -> Self {
        let mut judge = Self::default();
        judge.moments.push(Moment::default());
        judge.note();
        judge
    }

    fn note(&mut self) {
        self.expected.push(Expected { history: self.bank.history, digest: self.bank.digest() });
    }

    /// An entry is in the log now, for ever: whatever it does is an effect of its sender at this moment.
    pub(crate) fn appended<R: Rule>(&mut self, offset: Offset, sent: &Sent) -> Result<(), Violation> {
        let Ok(entry) = Entry::decode(&sent.bytes) else { return Err(Violation("undecodable".into())) };
        let before = self.position.term;
        match (self.position.observe_by::<R>(offset, &entry), entry) {
            (Verdict::ValidClaim, _) => {
                ensure!(sent.term == before, "term {before:?} was ended by a claim that had not seen it");
                self.owner = Some(sent.run);
                self.terms += 1;
            }
            (Verdict::ValidRecord, Entry::Record(record)) => {
                ensure!(self.owner == Some(sent.run), "a writer that was deposed has an effect at {offset}");
                self.fold(&record.body, offset)?;
            }
            (Verdict::Skipped(_), _) => self.skipped += 1,
            _ => {}
        }
        self.note();
        Ok(())
    }

    fn fold(&mut self, body: &bytes::Bytes, offset: Offset) -> Result<(), Violation> {
        let Some(effect) = Effect::decode(body) else { return Err(Violation("not an effect".into())) };
        let Command { request, attempt, op } = effect.command;
        if let Op::Timer { number } = op {
            ensure!(number == self.bank.timers, "timer {number} instead of {}", self.bank.timers);
        } else {
            ensure!(!self.bank.requests.contains_key(&request), "request {request} takes effect twice, at {offset}");
            ensure!(!self.refused.contains(&attempt), "attempt {attempt} takes effect after it was said it never will");
        }
        self.bank.fold(body).map_err(|error| Violation(format!("a hole at {offset}: {error}")))?;
        ensure!(self.bank.accounts.iter().all(|a| *a >= 0), "an account is overdrawn at {offset}");
        self.moments.push(Moment { accounts: self.bank.accounts });
        if attempt != 0 {
            self.effects.insert(attempt, effect.sequence);
        }
        Ok(())
    }

    /// A writer that read so many entries holds this machine, with so many records in flight.
    pub(crate) fn check_state(&self, read: usize, bank: &Bank, in_flight: usize) -> Result<(), Violation> {
        let expected = self.expected[read];
        ensure!(bank.history == expected.history, "a reader of {read} entries folded another history");
        ensure!(in_flight > 0 || bank.digest() == expected.digest, "a reader of {read} entries is in another state");
        Ok(())
    }

    /// An attempt that was submitted when `floor` was the highest sequence anyone knew of is answered.
    pub(crate) fn answered(
        &mut self,
        command: &Command,
        floor: u64,
        answer: &Result<Answer, CommandError>,
    ) -> Result<(), Violation> {
        let attempt = command.attempt;
        match answer {
            Ok(Answer::Done { sequence }) => {
                ensure!(
                    self.effects.get(&attempt) == Some(sequence),
                    "attempt {attempt} is answered but not in the log"
                );
                ensure!(*sequence > floor, "attempt {attempt} took effect at {sequence}, before it was made ({floor})");
                self.told = self.told.max(*sequence);
            }
            Ok(Answer::Repeated { sequence, at }) => {
                let found = self.bank.requests.get(&command.request);
                ensure!(found == Some(sequence), "a repeat is answered {sequence}, but the log has {found:?}");
                ensure!(sequence <= at, "a repeat of what is not there yet");
                self.saw(*at, floor)?;
                self.has_no_effect(attempt)?;
            }
            Ok(Answer::Balance { at, balance }) => {
                self.saw(*at, floor)?;
                if let Op::Balance { account } = command.op {
                    let found = self.moments[*at as usize].accounts[usize::from(account)];
                    ensure!(found == *balance, "balance {balance} at {at}, but the log has {found}");
                }
                self.has_no_effect(attempt)?;
            }
            Ok(Answer::Refused { at }) => {
                self.saw(*at, floor)?;
                if let Op::Withdraw { account, amount } = command.op {
                    let found = self.moments[*at as usize].accounts[usize::from(account)];
                    ensure!(found < i64::from(amount), "refused {amount} at {at}, where there is {found}");
                    let done = self.bank.requests.get(&command.request);
                    ensure!(done.is_none_or(|sequence| sequence > at), "refused at {at} what was done at {done:?}");
                }
                self.has_no_effect(attempt)?;
            }
            Err(CommandError::OutcomeUnknown) => {}
            Err(_) => self.has_no_effect(attempt)?,
        }
        Ok(())
    }

    /// What appends nothing must have been decided on the log's own state, no older than what the asker could know.
    fn saw(&mut self, at: u64, floor: u64) -> Result<(), Violation> {
        ensure!(at >= floor, "decided on sequence {at}, though {floor} was known when it was asked");
        ensure!(at <= self.bank.sequence, "decided on sequence {at}, which is not in the log");
        self.told = self.told.max(at);
        Ok(())
    }

    /// It was said, by an answer or a certain error, that this attempt appended nothing.
    fn has_no_effect(&mut self, attempt: u32) -> Result<(), Violation> {
        ensure!(
            !self.effects.contains_key(&attempt),
            "attempt {attempt} has an effect, though it was said it has none"
        );
        self.refused.insert(attempt);
        Ok(())
    }
}
