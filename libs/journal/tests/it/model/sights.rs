//! What must be seen within bounds: a run in which nothing goes wrong shows nothing.

use pactum_journal::Role;
use pactum_journal::validity::Rule;
use stateright::Property;

use super::bounds::Bounds;
use super::partition::Partition;
use super::state::{Outcome, State};

/// Whether it can be expected, what it is, and whether it is to be seen in a state.
type Sight<R> = (bool, &'static str, fn(&Partition<R>, &State<R>) -> bool);

pub(super) fn expected<R: Rule + Sync>(bounds: &Bounds) -> impl Iterator<Item = Property<Partition<R>>> {
    let faults = bounds.faults;
    let several = bounds.clients.len() > 1;
    let changes = bounds.told > 1 || faults.tell > 0;
    let holes = several && bounds.window > 1 && faults.lose + faults.overtake > 0;
    let again = holes || bounds.told > 1 || faults.tell > 1 || faults.fail + faults.time_out > 0;
    let sights: [Sight<R>; 14] = [
        (true, "everyone is answered", |model, s| s.answered.count_ones() as usize == model.bounds.clients.len()),
        (changes, "the partition changes hands", |_, s| s.log.sights.taken_over),
        (changes, "two hold themselves owner", |_, s| {
            s.nodes.iter().filter(|node| node.writer.role() == Role::Owner).count() > 1
        }),
        (changes, "a deposed writer's record lands and is skipped", |_, s| s.log.sights.deposed_skipped),
        (again, "a late claim lands and is skipped", |_, s| s.log.sights.late_claim_skipped),
        (!bounds.owned, "a second genesis lands and is skipped", |_, s| s.log.sights.second_genesis_skipped),
        (faults.double > 0, "a duplicate lands and is skipped", |_, s| s.log.sights.duplicate_skipped),
        (holes, "a record after a hole lands and is skipped", |_, s| s.log.sights.hole_skipped),
        (faults.lose > 0, "an append is lost", |model, s| s.left.lose < model.bounds.faults.lose),
        (faults.crash > 0, "the owner is lost", |_, s| {
            s.log.owner.is_some_and(|owner| s.nodes.iter().all(|node| node.run != owner))
        }),
        (several, "a refusal is answered", |_, s| has(s, Outcome::Refused)),
        (bounds.asks > 1, "a repeat is answered with the first answer", |_, s| has(s, Outcome::Repeated)),
        (faults.crash > 0, "an outcome is unknown", |_, s| has(s, Outcome::Unknown)),
        (faults.fail > 0, "a command is certainly not taken", |_, s| has(s, Outcome::NotTaken)),
    ];
    sights.into_iter().filter(|(expected, ..)| *expected).map(|(_, name, seen)| Property::sometimes(name, seen))
}

fn has<R: Rule>(state: &State<R>, outcome: Outcome) -> bool {
    state.attempts.iter().any(|attempt| attempt.outcome == outcome)
}
