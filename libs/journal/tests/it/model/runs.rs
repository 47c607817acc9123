//! The protocol as it is, within bounds.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use pactum_journal::validity::{Protocol, Rule};
use stateright::{Checker, Expectation, Model, Path};

use super::bounds::{Bounds, Faults};
use super::partition::Partition;
use super::state::State;
use super::steps::Step;

/// More steps than any run is meant to take: one that gets here did not end, so it covered nothing.
const MOST: usize = 400_000_000;

/// A run uses all cores and much memory.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An owner, a standby, and nothing that goes wrong: what the runs start from.
const TWO: Bounds = Bounds {
    name: "",
    writers: 2,
    told: 1,
    owned: true,
    clients: &[ALWAYS, IF_FIRST],
    asks: 1,
    window: 2,
    faults: Faults::NONE,
    peace: true,
};

/// Takes effect whatever did before.
const ALWAYS: u8 = 9;
/// Takes effect if nothing did before, and is refused otherwise.
const IF_FIRST: u8 = 1;
/// Never takes effect: asks what is there.
const NEVER: u8 = 0;

fn deep() -> bool {
    match std::env::var("PACTUM_MODEL") {
        Ok(value) if value == "deep" => true,
        Ok(value) => panic!("PACTUM_MODEL={value} is not known; the only value is deep"),
        Err(_) => false,
    }
}

/// Visits everything within the bounds, or within the deep ones if that is asked for.
fn exhaust(usual: Bounds, deeper: Bounds) {
    let bounds = if deep() { Bounds { name: usual.name, ..deeper } } else { usual };
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let started = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let model = Partition::<Protocol>::new(bounds);
    let checker = model.checker().threads(threads).target_state_count(MOST).spawn_bfs().join();
    report(&bounds, &checker, started);
    let discoveries = checker.discoveries();
    for property in checker.model().properties() {
        match (property.expectation, discoveries.get(property.name)) {
            (Expectation::Sometimes, None) => panic!("{}: it was never seen that {}", bounds.name, property.name),
            (Expectation::Sometimes, Some(_)) | (_, None) => {}
            (_, Some(path)) => panic!("{}: it does not hold that {}:\n{}", bounds.name, property.name, told(path)),
        }
    }
    let exhausted = checker.is_done() && checker.state_count() < MOST;
    assert!(exhausted, "{}: the search ended before everything was visited", bounds.name);
}

#[expect(clippy::print_stderr, reason = "what was covered, for whoever runs it and for the report")]
fn report<R: Rule + Sync>(bounds: &Bounds, checker: &impl Checker<Partition<R>>, started: Instant) {
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    let (depth, seconds) = (checker.max_depth(), started.elapsed().as_secs_f32());
    let peace = if bounds.peace { "into peace" } else { "" };
    eprintln!("model | {} | {states} states | {steps} steps | depth {depth} | {peace} | {seconds:.1} s", bounds.name);
}

/// A path as a list of its steps.
pub(super) fn told<R: Rule>(path: &Path<State<R>, Step>) -> String {
    let steps = path.clone().into_vec().into_iter().map(|(state, step)| match step {
        Some(step) => format!("  {state:?}\n    {step:?}\n"),
        None => format!("  {state:?}\n"),
    });
    steps.collect()
}

#[test]
fn whatever_the_log_does() {
    let faults = Faults { lose: 1, double: 1, overtake: 1, tell: 1, ..Faults::NONE };
    let usual = Bounds { name: "a log that loses, doubles and reorders", faults, ..TWO };
    let faults = Faults { double: 2, tell: 2, ..faults };
    exhaust(usual, Bounds { faults, peace: false, ..usual });
}

#[test]
fn owners_that_hear_of_failures() {
    let faults = Faults { fail: 1, time_out: 1, tell: 2, ..Faults::NONE };
    let usual = Bounds { name: "appends that fail or take too long", faults, peace: false, ..TWO };
    exhaust(usual, Bounds { peace: true, ..usual });
}

#[test]
fn owners_that_crash() {
    let faults = Faults { crash: 1, time_out: 1, tell: 1, ..Faults::NONE };
    let usual = Bounds { name: "owners that crash", clients: &[ALWAYS, NEVER], faults, ..TWO };
    let faults = Faults { fail: 1, ..faults };
    exhaust(usual, Bounds { faults, peace: false, ..usual });
}

#[test]
fn clients_that_ask_again() {
    let faults = Faults { crash: 1, time_out: 1, tell: 1, ..Faults::NONE };
    let usual = Bounds { name: "one command asked again", clients: &[ALWAYS], asks: 2, faults, ..TWO };
    let faults = Faults { double: 1, ..faults };
    exhaust(usual, Bounds { faults, peace: false, ..usual });
}

#[test]
fn clients_that_ask_again_at_once() {
    let faults = Faults { tell: 1, ..Faults::NONE };
    let usual = Bounds { name: "two commands asked again", asks: 2, faults, ..TWO };
    let faults = Faults { double: 1, ..faults };
    exhaust(usual, Bounds { faults, ..usual });
}

#[test]
fn owners_that_contest() {
    let faults = Faults { time_out: 1, wait: 1, tell: 2, ..Faults::NONE };
    let usual = Bounds { name: "writers that contest", faults, ..TWO };
    let faults = Faults { double: 1, ..faults };
    exhaust(usual, Bounds { faults, peace: false, ..usual });
}

#[test]
fn an_empty_partition() {
    let faults = Faults { crash: 1, wait: 1, ..Faults::NONE };
    let name = "an empty partition, two at once";
    let usual = Bounds { name, told: 2, owned: false, clients: &[ALWAYS], faults, ..TWO };
    let faults = Faults { lose: 1, double: 1, wait: 1, ..Faults::NONE };
    exhaust(usual, Bounds { faults, asks: 2, ..usual });
}

#[test]
fn three_writers() {
    let faults = Faults { double: 1, tell: 2, ..Faults::NONE };
    let usual = Bounds { name: "three writers, two told in turn", writers: 3, faults, peace: false, ..TWO };
    let faults = Faults { overtake: 1, ..faults };
    exhaust(usual, Bounds { faults, ..usual });
}

#[test]
fn three_writers_that_crash() {
    let faults = Faults { crash: 1, tell: 1, ..Faults::NONE };
    let usual = Bounds { name: "three writers that crash", writers: 3, clients: &[ALWAYS, NEVER], faults, ..TWO };
    let faults = Faults { time_out: 1, ..faults };
    exhaust(usual, Bounds { faults, peace: false, ..usual });
}
