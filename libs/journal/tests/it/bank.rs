//! A small state machine whose every answer can be checked against the log: accounts, repeated requests, refusals, timers.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use pactum_journal::{Decision, FoldError, Machine, Timestamp};

pub(crate) const ACCOUNTS: usize = 3;

/// Time from one timer to the next, in microseconds.
const PERIOD: Timestamp = 700_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Always takes effect.
    Deposit { account: u8, amount: u32 },
    /// Refused if it would overdraw.
    Withdraw { account: u8, amount: u32 },
    /// Never appends.
    Balance { account: u8 },
    /// What falls due: the timer of this number.
    Timer { number: u32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// The same for every attempt at one thing; a repeat takes no second effect.
    pub(crate) request: u32,
    /// One submission of it.
    pub(crate) attempt: u32,
    pub(crate) op: Op,
}

/// `at` is the sequence of the last record in the state that was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done { sequence: u64 },
    Repeated { sequence: u64, at: u64 },
    Refused { at: u64 },
    Balance { at: u64, balance: i64 },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bank {
    pub(crate) accounts: [i64; ACCOUNTS],
    pub(crate) sequence: u64,
    pub(crate) requests: BTreeMap<u32, u64>,
    pub(crate) timers: u32,
    /// A hash over every body folded or confirmed, in order: the history without what is in flight.
    pub(crate) history: u64,
    /// Bytes to fill bodies with.
    pub(crate) padding: usize,
}

/// A record's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) sequence: u64,
    pub(crate) command: Command,
}

impl Effect {
    fn encode(&self, padding: usize) -> Bytes {
        let (kind, account, value) = match self.command.op {
            Op::Deposit { account, amount } => (0, account, amount),
            Op::Withdraw { account, amount } => (1, account, amount),
            Op::Timer { number } => (2, 0, number),
            Op::Balance { account } => (3, account, 0),
        };
        let mut out = BytesMut::with_capacity(22 + padding);
        out.put_u64_le(self.sequence);
        out.put_u32_le(self.command.request);
        out.put_u32_le(self.command.attempt);
        out.put_u8(kind);
        out.put_u8(account);
        out.put_u32_le(value);
        out.put_bytes(0, padding);
        out.freeze()
    }

    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let (sequence, rest) = body.split_first_chunk::<8>()?;
        let (request, rest) = rest.split_first_chunk::<4>()?;
        let (attempt, rest) = rest.split_first_chunk::<4>()?;
        let ([kind, account], rest) = rest.split_first_chunk::<2>()?;
        let value = u32::from_le_bytes(*rest.first_chunk::<4>()?);
        let account = *account;
        let op = match kind {
            0 => Op::Deposit { account, amount: value },
            1 => Op::Withdraw { account, amount: value },
            2 => Op::Timer { number: value },
            _ => return None,
        };
        let (request, attempt) = (u32::from_le_bytes(*request), u32::from_le_bytes(*attempt));
        Some(Self { sequence: u64::from_le_bytes(*sequence), command: Command { request, attempt, op } })
    }
}

impl Bank {
    /// Two banks with one digest are in one state.
    pub(crate) fn digest(&self) -> u64 {
        let state = self.accounts.iter().fold(mix(self.sequence, u64::from(self.timers)), |h, a| mix(h, *a as u64));
        self.requests.iter().fold(state, |h, (request, sequence)| mix(mix(h, u64::from(*request)), *sequence))
    }

    fn apply(&mut self, effect: &Effect) {
        self.sequence = effect.sequence;
        match effect.command.op {
            Op::Deposit { account, amount } => self.accounts[usize::from(account)] += i64::from(amount),
            Op::Withdraw { account, amount } => self.accounts[usize::from(account)] -= i64::from(amount),
            Op::Timer { .. } => {
                self.timers += 1;
                return;
            }
            Op::Balance { .. } => {}
        }
        self.requests.insert(effect.command.request, effect.sequence);
    }
}

impl Machine for Bank {
    type Command = Command;
    type Answer = Answer;
    type Undo = Effect;

    fn decide(&mut self, command: &Command, _now: Timestamp) -> Decision<Answer, Effect> {
        let at = self.sequence;
        let appends = match command.op {
            Op::Balance { account } => {
                return Decision::Answer(Answer::Balance { at, balance: self.accounts[usize::from(account)] });
            }
            Op::Timer { number } => number == self.timers,
            Op::Deposit { .. } | Op::Withdraw { .. } => {
                if let Some(sequence) = self.requests.get(&command.request) {
                    return Decision::Answer(Answer::Repeated { sequence: *sequence, at });
                }
                match command.op {
                    Op::Withdraw { account, amount } => self.accounts[usize::from(account)] >= i64::from(amount),
                    _ => true,
                }
            }
        };
        if !appends {
            return Decision::Answer(Answer::Refused { at });
        }
        let effect = Effect { sequence: at + 1, command: *command };
        self.apply(&effect);
        let answer = Answer::Done { sequence: effect.sequence };
        Decision::Append { body: effect.encode(self.padding), answer, undo: effect }
    }

    fn fold(&mut self, body: &Bytes) -> Result<(), FoldError> {
        let effect = Effect::decode(body).ok_or_else(|| FoldError::new("not an effect"))?;
        if effect.sequence != self.sequence + 1 {
            return Err(FoldError::new(format!("sequence {} after {}", effect.sequence, self.sequence)));
        }
        self.apply(&effect);
        self.confirmed(body);
        Ok(())
    }

    fn undo(&mut self, effect: Effect) {
        assert_eq!(effect.sequence, self.sequence, "effects are taken back newest first");
        self.sequence -= 1;
        match effect.command.op {
            Op::Deposit { account, amount } => self.accounts[usize::from(account)] -= i64::from(amount),
            Op::Withdraw { account, amount } => self.accounts[usize::from(account)] += i64::from(amount),
            Op::Timer { .. } => {
                self.timers -= 1;
                return;
            }
            Op::Balance { .. } => {}
        }
        self.requests.remove(&effect.command.request);
    }

    fn confirmed(&mut self, body: &Bytes) {
        self.history = body.chunks(8).fold(self.history, |h, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            mix(h, u64::from_le_bytes(word))
        });
    }

    fn due(&mut self, now: Timestamp, limit: usize) -> Vec<Command> {
        // All that are due are named, though deciding one makes the next due number count: numbers go one by one.
        let due = u32::try_from(now / PERIOD).unwrap_or(0);
        (self.timers..due)
            .take(limit)
            .map(|number| Command { request: 0, attempt: 0, op: Op::Timer { number } })
            .collect()
    }
}

/// The finaliser of splitmix64 over a running hash.
fn mix(hash: u64, word: u64) -> u64 {
    let mut z = hash.rotate_left(5) ^ word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
