//! Terms: claiming, being deposed, and settling what a term left behind.

use pactum_log::{LogError, Offset};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::command::{Unsettled, Waiting};
use super::{Moment, Now, Phase, Writer};
use crate::entry::{Claim, Entry, FORMAT, Genesis, RECORD_HEADER};
use crate::error::CommandError;
use crate::machine::Machine;
use crate::validity::Rule;

/// When to claim next, and under which id.
#[derive(Clone)]
pub(super) struct Claims {
    run: u128,
    made: u32,
    failed: u32,
    pub(super) next_at: Moment,
    jitter: ChaCha8Rng,
}

impl Claims {
    pub(super) fn new(instance: u128) -> Self {
        let [seed, _] = split(instance);
        Self { run: instance >> 32 << 32, made: 0, failed: 0, next_at: 0, jitter: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn next_id(&mut self) -> u128 {
        self.made = self.made.wrapping_add(1);
        self.run | u128::from(self.made)
    }

    /// Any claim of this run is ours, also one that was given up and landed late: nothing was written in its term yet.
    fn is_ours(&self, claim: &Claim) -> bool {
        claim.claim_id >> 32 << 32 == self.run
    }

    fn wait(&mut self, now: Now, longest: Moment) {
        self.next_at = now.moment.saturating_add(self.jitter.random_range(longest / 2..=longest));
    }
}

fn split(instance: u128) -> [u64; 2] {
    let bytes = instance.to_be_bytes();
    let mut high = [0; 8];
    let mut low = [0; 8];
    high.copy_from_slice(&bytes[..8]);
    low.copy_from_slice(&bytes[8..]);
    [u64::from_be_bytes(high), u64::from_be_bytes(low)]
}

impl<M: Machine, C, R: Rule> Writer<M, C, R> {
    /// Told to own the partition, or to give it up.
    pub fn own(&mut self, told: bool, now: Now) {
        if std::mem::replace(&mut self.told, told) == told {
            return;
        }
        if told {
            self.deposed = false;
            // Whether the log takes appends is found out anew.
            self.log_error = None;
            self.claims.next_at = now.moment;
            if let Phase::Owner { draining, .. } = &mut self.phase
                && self.stopping.is_none()
            {
                *draining = None;
            }
        } else {
            self.drain(now);
            self.refuse_waiting();
        }
    }

    /// An append failed, at once or later. It may be in the log for all we know; the term ends either way.
    pub fn append_failed(&mut self, error: LogError, now: Now) {
        if let (LogError::TooLarge { limit, .. }, Phase::Owner { .. }) = (&error, &self.phase) {
            // The log takes less than we were told. Commands that need more are refused when they are decided again.
            self.settings.max_body_bytes = self.settings.max_body_bytes.min(limit.saturating_sub(RECORD_HEADER));
            return self.end_term(now);
        }
        if !matches!(self.phase, Phase::Owner { .. } | Phase::Claiming { .. }) {
            return;
        }
        self.end_term(now);
        self.log_refuses(error, now);
    }

    pub(super) fn claim_when_due(&mut self, now: Now) {
        let due = self.phase == Phase::Standby && self.told && self.stopping.is_none();
        if !due || now.moment < self.claims.next_at {
            return;
        }
        let claim_id = self.claims.next_id();
        let entry = if self.position.genesis.is_some() {
            Entry::Claim(Claim { after: self.position.term, claim_id, owner: self.settings.owner.clone() })
        } else {
            // The claim follows when a genesis was read, ours or another's.
            let log_id = self.settings.log_id.unwrap_or(self.settings.instance);
            Entry::Genesis(Genesis { log_id, partitions: self.settings.partitions, format: FORMAT })
        };
        self.out.appends.push(entry.encode());
        self.phase = Phase::Claiming { since: now.moment };
    }

    /// The claim (or genesis) did not come back in time.
    pub(super) fn claim_timed_out(&mut self, now: Now) {
        let error = LogError::Unavailable("a claim was not read back in time".into());
        self.phase = Phase::Standby;
        self.log_refuses(error, now);
    }

    pub(super) fn genesis_read(&mut self) {
        if matches!(self.phase, Phase::Claiming { .. }) {
            self.phase = Phase::Standby;
        }
    }

    /// A valid claim: settles whatever the term before it left, and says who is owner now.
    pub(super) fn claimed(&mut self, offset: Offset, claim: &Claim, now: Now) {
        self.terms += 1;
        if matches!(self.phase, Phase::CatchingUp { .. }) {
            return;
        }
        self.end_term(now);
        self.settle();
        let ours = self.claims.is_ours(claim);
        if ours && self.told && self.stopping.is_none() {
            self.phase = Phase::Owner { term: offset, next: 0, draining: None };
            self.deposed = false;
            self.log_error = None;
            self.claims.failed = 0;
            self.look_for_due = true;
            return;
        }
        self.phase = Phase::Standby;
        if ours || claim.owner == self.settings.owner {
            // Given up meanwhile, or a former run of ours whose claim came late: nobody is there who would answer.
            self.back_off(now);
        } else {
            self.deposed = true;
            self.log_error = None;
            self.claims.failed = 0;
            self.claims.wait(now, self.settings.contest_delay);
        }
        self.refuse_waiting();
    }

    /// Our term is over for us, though others know only when the next claim is valid. Takes the effects in flight back,
    /// newest first; whether they land after all is settled by that claim.
    pub(super) fn end_term(&mut self, now: Now) {
        let Phase::Owner { term, .. } = self.phase else {
            if matches!(self.phase, Phase::Claiming { .. }) {
                self.phase = Phase::Standby;
            }
            return;
        };
        while let Some(own) = self.in_flight.pop_back() {
            self.machine.undo(own.undo);
            let (command, n, body, answer) = (own.command, own.n, own.body, own.answer);
            self.unsettled.push_front(Unsettled { command, term, n, body, answer });
        }
        // Nothing was appended for these: they are simply decided again.
        self.waiting.extend(self.refusals.drain(..).map(|refusal| refusal.command));
        self.restore_order();
        self.phase = Phase::Standby;
        self.claims.next_at = now.moment;
        if !R::AWAIT_SETTLEMENT {
            self.settle();
        }
    }

    /// What is unsettled now never takes effect. Whoever still waits for it is decided for again, in the old order.
    fn settle(&mut self) {
        if self.unsettled.is_empty() {
            return;
        }
        self.waiting.extend(self.unsettled.drain(..).map(|u| u.command).filter(|c| c.caller.is_some()));
        self.restore_order();
    }

    fn restore_order(&mut self) {
        self.waiting.make_contiguous().sort_by_key(|command: &Waiting<M, C>| command.order);
    }

    /// Answers what waits with the reason for which it would now be refused at once.
    pub(super) fn refuse_waiting(&mut self) {
        let Some(error) = self.refusing() else { return };
        for command in self.waiting.drain(..) {
            self.out.answer(command.caller, Err(CommandError::from(error.clone())));
        }
    }

    fn log_refuses(&mut self, error: LogError, now: Now) {
        self.log_error = Some(error);
        self.back_off(now);
        self.refuse_waiting();
    }

    fn back_off(&mut self, now: Now) {
        let doubled = self.settings.claim_backoff.saturating_mul(1 << self.claims.failed.min(16));
        self.claims.failed = self.claims.failed.saturating_add(1);
        self.claims.wait(now, doubled.min(self.settings.claim_backoff_max));
    }
}
