//! The partition as `stateright` takes it: where it starts, what can happen next, what must hold and what must be seen.

use std::marker::PhantomData;

use pactum_journal::validity::Rule;
use stateright::{Model, Property};

use super::bounds::Bounds;
use super::laws::{Law, PEACE};
use super::machine::Answer;
use super::sights;
use super::state::{Attempt, Outcome, State};
use super::steps::Step;

/// Writers under the rule `R`, within bounds.
pub(super) struct Partition<R: Rule> {
    pub(super) bounds: Bounds,
    answers_on_append: bool,
    rule: PhantomData<R>,
}

impl<R: Rule> Partition<R> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, answers_on_append: false, rule: PhantomData }
    }

    /// Leaves the reading back out: a command is answered when the log has taken its record.
    pub(super) fn answering_on_append(self) -> Self {
        Self { answers_on_append: true, ..self }
    }

    /// The first state: an empty partition, or one with an owner, which is what becomes of it if nothing goes wrong.
    fn first(&self) -> State<R> {
        let mut state = State::new(&self.bounds);
        while let Some(step) = self.quiet_step(&state) {
            state.step(&self.bounds, step);
        }
        state
    }

    fn quiet_step(&self, state: &State<R>) -> Option<Step> {
        let mut steps = Vec::new();
        state.steps(&self.bounds, &mut steps);
        let quiet = |step: &Step| matches!(step, Step::Read { .. } | Step::TellEnd { .. } | Step::Land { .. });
        steps.into_iter().find(quiet).filter(|_| self.bounds.owned)
    }

    fn answer_on_append(state: &mut State<R>) {
        let last = state.log.len().checked_sub(1).and_then(|last| state.log.get(last));
        let Some(effect) = last.and_then(|(_, sent)| sent.effect()) else { return };
        let pending = |a: &&Attempt| matches!(a.outcome, Outcome::Pending { .. });
        if state.attempts.iter().filter(pending).any(|attempt| attempt.id == effect.attempt) {
            state.answer(effect.attempt, Ok(Answer::Done { sequence: effect.sequence }));
        }
    }
}

/// Nothing can be said of a law by a function without knowing which: one function each.
macro_rules! laws {
    ($($law:ident),+) => {
        vec![$(Property::always(Law::$law.name(), |_, state: &State<R>| !state.broken.has(Law::$law))),+]
    };
}

impl<R: Rule + Sync> Model for Partition<R> {
    type State = State<R>;
    type Action = Step;

    fn init_states(&self) -> Vec<State<R>> {
        vec![self.first()]
    }

    fn actions(&self, state: &State<R>, steps: &mut Vec<Step>) {
        // What follows on something broken means nothing.
        if !state.broken.any() {
            state.steps(&self.bounds, steps);
        }
    }

    fn next_state(&self, last: &State<R>, step: Step) -> Option<State<R>> {
        let mut state = last.clone();
        state.step(&self.bounds, step);
        if self.answers_on_append && matches!(step, Step::Land { .. } | Step::LandTwice { .. }) {
            Self::answer_on_append(&mut state);
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = laws![
            OneWriter,
            OncePerTerm,
            NoOlderTerm,
            Deposed,
            LateClaim,
            InOrder,
            OnceEver,
            DoneIsInLog,
            RefusedNever,
            RefusedOnAll,
            RefusedOnLog,
            OneState,
            OneAnswer,
            NobodyFails
        ];
        if self.bounds.peace {
            properties.push(Property::always(PEACE, |model: &Self, state: &State<R>| {
                state.broken.any() || state.ends_well(&model.bounds)
            }));
        }
        properties.extend(sights::expected(&self.bounds));
        properties
    }
}
