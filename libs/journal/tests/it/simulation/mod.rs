//! The writer's own code, several of it, over one simulated partition, step by step from a seed.
//!
//! `PACTUM_SIM_SEEDS=n` runs n seeds (10,000 unless told), `PACTUM_SIM_SEED=n` runs that one and prints what happens.

mod client;
mod faults;
mod judge;
mod network;
mod run;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};

use pactum_journal::validity::{Protocol, Rule};

use run::{first_violation, run};
use world::Summary;

const SEEDS: u64 = 10_000;

fn from_environment(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

#[test]
fn nothing_forbidden_happens_under_any_seed() {
    if let Some(seed) = from_environment("PACTUM_SIM_SEED") {
        let summary = run::<Protocol>(seed, true).unwrap_or_else(|violation| panic!("seed {seed}: {}", violation.0));
        return println_summary(&summary);
    }
    let seeds = from_environment("PACTUM_SIM_SEEDS").unwrap_or(SEEDS);
    let total = run_all(seeds);
    println_summary(&total);
    // A simulation in which nothing happens proves nothing.
    for (what, count, least) in [
        ("commands done", total.done, 10),
        ("repeats answered", total.repeated, 1),
        ("refusals", total.refused, 3),
        ("outcomes unknown", total.unknown, 0),
        ("terms", total.terms, 5),
        ("entries skipped", total.skipped, 5),
        ("timers", total.timers, 5),
    ] {
        assert!(count >= least * seeds, "only {count} {what} in {seeds} seeds");
    }
    assert!(seeds < 100 || total.crashes > 0 && total.stalls > 0 && total.certain_errors > 0, "{total:?}");
}

/// On every core there is; seeds are independent.
fn run_all(seeds: u64) -> Summary {
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let work = || {
        let mut sum = Summary::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return sum;
            }
            match std::panic::catch_unwind(|| run::<Protocol>(seed, false)) {
                Ok(Ok(summary)) => sum.add(&summary),
                Ok(Err(violation)) => panic!("seed {seed}: {}; PACTUM_SIM_SEED={seed} shows how", violation.0),
                Err(_) => panic!("seed {seed} panicked; PACTUM_SIM_SEED={seed} shows how"),
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut total = Summary::default();
        for worker in workers {
            match worker.join() {
                Ok(sum) => total.add(&sum),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        total
    })
}

#[expect(clippy::print_stderr, reason = "shown by the test runner when asked, or when the test fails")]
fn println_summary(summary: &Summary) {
    eprintln!("{summary:?}");
}

/// The same simulation, with a piece of the protocol left out, must notice. Otherwise either the piece is not needed or
/// the simulation is blind.
macro_rules! needs {
    ($name:ident, $constant:ident, $symptom:expr) => {
        #[test]
        fn $name() {
            enum Without {}
            impl Rule for Without {
                const $constant: bool = false;
            }
            match first_violation::<Without>(0..2_000) {
                Ok((seed, violation)) => {
                    let symptoms: &[&str] = &$symptom;
                    assert!(symptoms.iter().any(|s| violation.0.contains(s)), "seed {seed}: {}", violation.0);
                }
                Err(none) => panic!("{}", none.0),
            }
        }
    };
}

needs!(without_n_duplicates_and_holes_take_effect, CHECK_N, ["takes effect twice", "a hole", "instead of"]);
needs!(without_the_term_a_deposed_writer_has_an_effect, CHECK_TERM, ["deposed has an effect", "a hole"]);
needs!(without_after_a_late_claim_ends_a_healthy_term, CHECK_AFTER, ["had not seen it"]);
needs!(without_the_end_a_refusal_is_stale, AWAIT_END, ["was known when it was asked"]);
needs!(without_the_flight_a_refusal_speaks_of_what_never_was, AWAIT_FLIGHT, ["not in the log", "but the log has"]);
needs!(without_settlement_a_certain_error_is_not, AWAIT_SETTLEMENT, ["said it"]);
