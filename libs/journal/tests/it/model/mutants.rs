//! The protocol with a piece left out: the search must find what then goes wrong, and that it is what the piece is for.
//! Otherwise the piece is not needed, or the model is blind.

use std::collections::BTreeSet;

use pactum_journal::validity::{Protocol, Rule};
use stateright::{Checker, HasDiscoveries, Model};

use super::bounds::{Bounds, Faults};
use super::laws::Law;
use super::partition::Partition;
use super::runs::told;

/// An owner, a standby, and a little of everything.
const BOUNDS: Bounds = Bounds {
    name: "mutants",
    writers: 2,
    told: 1,
    owned: true,
    clients: &[9, 1],
    asks: 1,
    window: 2,
    faults: Faults { double: 1, fail: 1, tell: 1, ..Faults::NONE },
    peace: false,
};

/// More steps than it takes to find any of them.
const MOST: usize = 5_000_000;

#[expect(clippy::print_stderr, reason = "the counterexample, for whoever asks to see it")]
fn breaks<R: Rule + Sync>(model: Partition<R>, law: Law) {
    let name = law.name();
    let found = HasDiscoveries::AllOf(BTreeSet::from([name]));
    let checker = model.checker().finish_when(found).target_state_count(MOST).spawn_bfs().join();
    let Some(path) = checker.discovery(name) else {
        panic!("no counterexample in {} states to this: {name}", checker.unique_state_count())
    };
    eprintln!("model | against “{name}”, in {} states:\n{}", checker.unique_state_count(), told(&path));
}

macro_rules! needs {
    ($test:ident, $piece:ident, $law:ident) => {
        needs!($test, $piece, $law, BOUNDS.clients);
    };
    ($test:ident, $piece:ident, $law:ident, $clients:expr) => {
        #[test]
        fn $test() {
            enum Without {}
            impl Rule for Without {
                const $piece: bool = false;
            }
            breaks(Partition::<Without>::new(Bounds { clients: $clients, ..BOUNDS }), Law::$law);
        }
    };
}

needs!(without_n_a_duplicate_takes_effect, CHECK_N, OncePerTerm);
needs!(without_n_a_request_takes_effect_twice, CHECK_N, OnceEver);
needs!(without_n_a_hole_goes_unnoticed, CHECK_N, InOrder);
needs!(without_the_term_a_deposed_writer_has_an_effect, CHECK_TERM, Deposed);
needs!(without_the_term_a_term_has_records_of_two, CHECK_TERM, OneWriter, &[9, 9, 9]);
needs!(without_the_term_an_older_term_goes_on, CHECK_TERM, NoOlderTerm);
needs!(without_after_a_late_claim_ends_a_healthy_term, CHECK_AFTER, LateClaim);
needs!(without_the_end_a_refusal_is_stale, AWAIT_END, RefusedOnAll, &[9, 0]);
needs!(without_the_flight_a_refusal_speaks_of_what_never_was, AWAIT_FLIGHT, RefusedOnLog);
needs!(without_settlement_what_is_refused_takes_effect, AWAIT_SETTLEMENT, RefusedNever);

#[test]
fn without_reading_back_what_is_answered_is_not_there() {
    breaks(Partition::<Protocol>::new(BOUNDS).answering_on_append(), Law::DoneIsInLog);
}

/// Peace needs an owner: with nobody told, nobody is answered.
#[test]
fn nobody_is_answered_when_nobody_is_told_to_own() {
    let model = Partition::<Protocol>::new(BOUNDS);
    for state in model.init_states() {
        assert!(state.peace(&BOUNDS, Some(0), true) && state.peace(&BOUNDS, Some(1), true), "{state:?}");
        assert!(!state.peace(&BOUNDS, None, true), "{state:?}");
    }
}
