//! Clients: ask for one thing at a time, and repeat it under the same request id until they know.

use pactum_journal::CommandError;
use pactum_journal::writer::Moment;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::bank::{ACCOUNTS, Answer, Command, Op};

/// One submission of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) command: Command,
    pub(crate) deadline: Moment,
    /// The highest sequence anyone knew of when it was made.
    pub(crate) floor: u64,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Client {
    /// What it wants now, under which request.
    pub(crate) wants: Option<(u32, Op)>,
    /// The attempt it waits for, and at which writer.
    pub(crate) waits: Option<(u32, usize)>,
    /// What it asked for last, and got.
    pub(crate) last: Option<(u32, Op)>,
    /// Who is said to be the owner.
    pub(crate) owner: Option<usize>,
}

impl Client {
    pub(crate) fn lost(&mut self, writer: usize) {
        if self.waits.is_some_and(|(_, at)| at == writer) {
            self.waits = None;
        }
    }

    pub(crate) fn answered(&mut self, attempt: u32, answer: &Result<Answer, CommandError>) {
        if self.waits.is_some_and(|(id, _)| id == attempt) {
            let asked = self.waits.take().map(|(_, writer)| writer);
            self.owner = match answer {
                Ok(_) | Err(CommandError::OutcomeUnknown) => asked,
                Err(CommandError::NotOwner { owner: Some(owner) }) => owner[1..].parse().ok(),
                Err(_) => None,
            };
            if answer.is_ok() {
                self.last = self.wants.take();
            }
        }
    }

    /// What to ask for: what it wants still, or something new, or what it had before, once more.
    pub(crate) fn want(&mut self, reads: f64, next_request: &mut u32, rng: &mut ChaCha8Rng) -> (u32, Op) {
        if let Some(wants) = self.wants {
            return wants;
        }
        let wants = match self.last {
            Some(last) if rng.random_bool(0.15) => last,
            _ => {
                *next_request += 1;
                let account = rng.random_range(0..ACCOUNTS as u8);
                let amount = rng.random_range(1..100);
                let op = match rng.random_range(0..10) {
                    _ if rng.random_bool(reads) => Op::Balance { account },
                    0..=5 => Op::Deposit { account, amount },
                    _ => Op::Withdraw { account, amount },
                };
                (*next_request, op)
            }
        };
        self.wants = Some(wants);
        wants
    }
}
