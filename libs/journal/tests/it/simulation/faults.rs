//! What goes wrong in a run, and how often: drawn anew for each seed, so that some runs suffer from one thing only and
//! get far, and others from everything at once.

use std::time::Duration;

use pactum_journal::JournalOptions;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Weights of the kinds of steps, and probabilities within them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    pub(crate) steps: u64,
    pub(crate) deliver: u32,
    pub(crate) read: u32,
    pub(crate) question: u32,
    pub(crate) command: u32,
    pub(crate) tick: u32,
    pub(crate) crash: u32,
    pub(crate) stall: u32,
    pub(crate) fail: u32,
    pub(crate) own: u32,
    pub(crate) shutdown: u32,
    /// A step takes up to this long.
    pub(crate) longest_step: u64,
    pub(crate) lose: f64,
    pub(crate) double: f64,
    pub(crate) reorder: f64,
    pub(crate) impatience: f64,
    pub(crate) told: f64,
    /// How many of the commands only read.
    pub(crate) reads: f64,
}

impl Faults {
    pub(crate) fn draw(rng: &mut ChaCha8Rng) -> Self {
        let mut often = |share: f64, most: f64| if rng.random_bool(share) { rng.random_range(0.0..most) } else { 0.0 };
        let (lose, double, reorder) = (often(0.4, 0.1), often(0.5, 0.2), often(0.4, 0.4));
        let (impatience, untold) = (often(0.5, 0.3), often(0.5, 0.8));
        let mut rare = |share: f64, most: u32| if rng.random_bool(share) { rng.random_range(1..=most) } else { 0 };
        let (crash, stall, fail) = (rare(0.4, 6), rare(0.5, 12), rare(0.3, 8));
        let (own, shutdown) = (rare(0.3, 6), rare(0.2, 4));
        Self {
            steps: rng.random_range(100..3_000),
            deliver: rng.random_range(100..400),
            read: rng.random_range(100..500),
            question: rng.random_range(50..200),
            command: rng.random_range(100..400),
            tick: rng.random_range(40..150),
            crash,
            stall,
            fail,
            own,
            shutdown,
            longest_step: *pick(rng, &[2_000, 10_000, 40_000]),
            lose,
            double,
            reorder,
            impatience,
            told: 1.0 - untold,
            reads: *pick(rng, &[0.1, 0.2, 0.7]),
        }
    }

    pub(crate) fn options(&self, rng: &mut ChaCha8Rng) -> JournalOptions {
        let mut millis = |least: u64, most: u64| Duration::from_millis(rng.random_range(least..=most));
        JournalOptions {
            read_back_timeout: millis(100, 2_000),
            claim_backoff: millis(5, 50),
            claim_backoff_max: millis(50, 400),
            contest_delay: millis(50, 10_000),
            grace: millis(10, 500),
            window: *pick(rng, &[1, 2, 4, 16]),
            queue: rng.random_range(4..64),
            due_batch: rng.random_range(1..4),
            ..JournalOptions::default()
        }
    }
}

fn pick<'a, T>(rng: &mut ChaCha8Rng, from: &'a [T]) -> &'a T {
    &from[rng.random_range(0..from.len())]
}
