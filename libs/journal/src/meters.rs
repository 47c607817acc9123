//! What the journal counts. Recorded once per batch, so that a command costs no more than an addition.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use pactum_log::Partition;

use crate::error::CommandError;
use crate::status::Role;
use crate::validity::{Skip, Skipped};

/// Handles to the metrics of one partition.
pub(crate) struct Meters {
    decide: Histogram,
    read_back: Histogram,
    queue_depth: Gauge,
    in_flight: Gauge,
    owner: Gauge,
    lag: Gauge,
    outcomes: [Counter; OUTCOMES.len()],
    counted: [u64; OUTCOMES.len()],
    terms: Counter,
    skipped: [Counter; Skip::ALL.len()],
    last_terms: u64,
    last_skipped: Skipped,
}

/// What became of a command, as the journal sees it.
const OUTCOMES: [&str; 8] =
    ["answered", "outcome_unknown", "not_decided", "not_owner", "log_unavailable", "too_large", "failed", "stopped"];

impl Meters {
    pub(crate) fn new(partition: Partition) -> Self {
        let partition = partition.to_string();
        let label = || ("partition", partition.clone());
        Self {
            decide: histogram!("pactum_journal_decide_seconds", &[label()]),
            read_back: histogram!("pactum_journal_readback_seconds", &[label()]),
            queue_depth: gauge!("pactum_journal_queue_depth", &[label()]),
            in_flight: gauge!("pactum_journal_in_flight", &[label()]),
            owner: gauge!("pactum_journal_owner", &[label()]),
            lag: gauge!("pactum_journal_lag_offsets", &[label()]),
            outcomes: OUTCOMES
                .map(|name| counter!("pactum_journal_commands_total", &[label(), ("outcome", name.to_owned())])),
            counted: [0; OUTCOMES.len()],
            terms: counter!("pactum_journal_terms_total", &[label()]),
            skipped: Skip::ALL.map(|reason| {
                counter!("pactum_journal_skipped_total", &[label(), ("reason", reason.name().to_owned())])
            }),
            last_terms: 0,
            last_skipped: Skipped::default(),
        }
    }

    /// A batch was decided: each command took its share.
    pub(crate) fn decided(&self, took: Duration, count: usize) {
        if count > 0 {
            self.decide.record_many(took.as_secs_f64() / count as f64, count);
        }
    }

    pub(crate) fn read_back(&self, took: Duration, count: usize) {
        self.read_back.record_many(took.as_secs_f64(), count);
    }

    pub(crate) fn outcome<A>(&mut self, result: &Result<A, CommandError>) {
        let index = match result {
            Ok(_) => 0,
            Err(CommandError::OutcomeUnknown) => 1,
            Err(CommandError::NotDecided) => 2,
            Err(CommandError::NotOwner { .. }) => 3,
            Err(CommandError::LogUnavailable(_)) => 4,
            Err(CommandError::TooLarge { .. }) => 5,
            Err(CommandError::Failed(_)) => 6,
            Err(CommandError::Stopped) => 7,
        };
        self.counted[index] += 1;
    }

    /// Hands over what was counted since the last time.
    pub(crate) fn publish_outcomes(&mut self) {
        for (counter, counted) in self.outcomes.iter().zip(&mut self.counted) {
            if *counted > 0 {
                counter.increment(std::mem::take(counted));
            }
        }
    }

    pub(crate) fn publish(&mut self, status: &crate::status::Status, queued: usize) {
        self.publish_outcomes();
        self.queue_depth.set((status.waiting + queued) as f64);
        self.in_flight.set(status.in_flight as f64);
        self.owner.set(f64::from(u8::from(status.role == Role::Owner)));
        self.lag.set(status.lag() as f64);
        self.terms.increment(status.terms - self.last_terms);
        self.last_terms = status.terms;
        for (counter, reason) in self.skipped.iter().zip(Skip::ALL) {
            counter.increment(status.skipped.of(reason) - self.last_skipped.of(reason));
        }
        self.last_skipped = status.skipped;
    }
}
