//! What the search rests on: that it takes for the same only what does the same, and leaves nothing out.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use pactum_journal::validity::Protocol;
use stateright::{Checker, Model};

use super::bounds::{Bounds, Faults};
use super::partition::Partition;
use super::state::State;
use super::steps::Step;

type World = State<Protocol>;

fn digest(state: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// What can happen, and what comes of it.
fn next(model: &Partition<Protocol>, state: &World) -> Vec<(Step, World)> {
    let mut steps = Vec::new();
    model.actions(state, &mut steps);
    steps.into_iter().filter_map(|step| model.next_state(state, step).map(|next| (step, next))).collect()
}

/// Writers hold more than their hash shows: times, tickets, how often they claimed. Here every state that is come by on
/// another way is stepped once more, and must lead where the first of its hash led.
fn check(bounds: Bounds) {
    let model = Partition::<Protocol>::new(bounds);
    let mut known: HashMap<u64, Vec<(Step, u64)>> = HashMap::new();
    let mut queue = VecDeque::from(model.init_states());
    let mut again = 0;
    while let Some(state) = queue.pop_front() {
        let next = next(&model, &state);
        let leads: Vec<_> = next.iter().map(|(step, next)| (*step, digest(next))).collect();
        match known.get(&digest(&state)) {
            Some(led) => {
                again += 1;
                assert_eq!(*led, leads, "{}: two states are taken for one: {state:?}", bounds.name);
            }
            None => {
                known.insert(digest(&state), leads);
                queue.extend(next.into_iter().map(|(_, next)| next));
            }
        }
    }
    assert!(again > known.len() / 2, "{}: hardly any state is reached in two ways", bounds.name);
    let checker = model.checker().spawn_bfs().join();
    assert_eq!(checker.unique_state_count(), known.len(), "{}: the search visits everything", bounds.name);
}

const SMALL: Bounds = Bounds {
    name: "",
    writers: 2,
    told: 1,
    owned: true,
    clients: &[9, 1],
    asks: 1,
    window: 2,
    faults: Faults::NONE,
    peace: false,
};

#[test]
fn what_is_taken_for_the_same_does_the_same() {
    let faults = Faults { double: 1, overtake: 1, tell: 1, ..Faults::NONE };
    check(Bounds { name: "log", faults, ..SMALL });
    let faults = Faults { fail: 1, tell: 1, ..Faults::NONE };
    check(Bounds { name: "fail", faults, ..SMALL });
    let faults = Faults { crash: 1, time_out: 1, tell: 1, ..Faults::NONE };
    check(Bounds { name: "crash", clients: &[9], faults, ..SMALL });
    let faults = Faults { time_out: 1, wait: 1, tell: 2, ..Faults::NONE };
    check(Bounds { name: "contest", clients: &[9], asks: 2, faults, ..SMALL });
    check(Bounds { name: "empty", told: 2, owned: false, clients: &[9], ..SMALL });
}
