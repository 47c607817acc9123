//! One program's history against its records.

use std::collections::HashMap;

use pactum_api::AccessTable;
use pactum_domain::actor::Role;
use pactum_events::{Record, encode, event_type};
use pactum_ids::ProgramId;

use super::asked::{Asked, Key, describe_read, seconds};
use super::bounds::{Bound, Bounds, Witness};
use super::decide::{self, Would};
use super::findings::{Findings, Kind};
use super::log::Located;
use super::probe::{Decision, Plain, Probe, What};
use super::state::State;
use crate::history::{Outcome, ReadAnswer};

/// A record with the commands that it may be the effect of.
struct Effect<'a> {
    located: &'a Located,
    causes: Vec<usize>,
}

pub(super) struct ProgramCheck<'a, 'h> {
    pub(super) asked: &'a Asked<'h>,
    pub(super) access: &'a AccessTable,
    pub(super) program: &'a ProgramId,
    /// Commands of the program, by their place in the history.
    pub(super) commands: &'a [usize],
    /// Reads of the program, by their place in the history.
    pub(super) reads: &'a [usize],
    pub(super) findings: &'a mut Findings,
}

impl ProgramCheck<'_, '_> {
    pub(super) fn run(mut self, records: &[&Located]) {
        let effects = self.effects(records);
        let bounds = self.bounds(&effects);
        self.order(&effects, &bounds);
        let probes = self.probes(&effects, &bounds);
        self.replay(&effects, probes);
    }

    /// Who asked for each record; each request at most once.
    fn effects<'r>(&mut self, records: &[&'r Located]) -> Vec<Effect<'r>> {
        let mut taken: HashMap<Key, u64> = HashMap::new();
        let mut effects = Vec::with_capacity(records.len());
        for &located in records {
            let record = &located.record;
            let causes = self.asked.causes(record);
            if let Some(key) = Key::of_record(record)
                && let Some(first) = taken.insert(key, record.sequence)
            {
                let text = format!("{}: the request took effect at sequence {first} already", describe(located));
                self.findings.add(Kind::Doubled, text);
            }
            if causes.is_empty() && record.actor.role != Role::Timer {
                self.findings.add(Kind::Unasked, format!("{}: nobody asked for it", describe(located)));
            }
            self.forbidden(located, &causes);
            let unknown = |index: &&usize| matches!(self.asked.call(**index).outcome, Outcome::Unknown { .. });
            let known = |index: &&usize| matches!(self.asked.call(**index).outcome, Outcome::Answered { .. });
            if causes.iter().any(|index| unknown(&index)) && !causes.iter().any(|index| known(&index)) {
                self.findings.unknown_effective += 1;
            }
            effects.push(Effect { located, causes });
        }
        effects
    }

    /// A record whose every command was told that nothing was appended.
    fn forbidden(&mut self, located: &Located, causes: &[usize]) {
        let possible = causes.iter().any(|index| {
            let call = self.asked.call(*index);
            call.doubtful || matches!(call.outcome, Outcome::Answered { .. } | Outcome::Unknown { .. })
        });
        if let (Some(index), false) = (causes.first(), possible) {
            let text = format!("{}, but it is {}", self.asked.describe(*index), describe(located));
            self.findings.add(Kind::TookEffect, text);
        }
    }

    fn bounds(&self, effects: &[Effect<'_>]) -> Bounds {
        let mut seen = Vec::new();
        for &index in self.commands {
            let call = self.asked.call(index);
            if let Outcome::Answered { sequence, .. } = call.outcome {
                seen.push((call.returned, sequence, Witness::Command(index)));
            }
        }
        for &index in self.reads {
            let call = &self.asked.history.reads[index];
            seen.push((call.returned, call.answer.sequence(), Witness::Read(index)));
        }
        let first_asked = |effect: &Effect<'_>| {
            let first = effect.causes.iter().min_by_key(|index| self.asked.call(**index).first_invoked)?;
            Some((self.asked.call(*first).first_invoked, effect.located.record.sequence, Witness::Command(*first)))
        };
        let asked = effects.iter().filter_map(first_asked).collect();
        Bounds::new(seen, asked, effects.last().map_or(0, |effect| effect.located.record.last_sequence()))
    }

    /// What was asked after an answer lies behind it.
    fn order(&mut self, effects: &[Effect<'_>], bounds: &Bounds) {
        for effect in effects {
            let Some(first) = effect.causes.iter().min_by_key(|index| self.asked.call(**index).first_invoked) else {
                continue;
            };
            let floor = bounds.floor(self.asked.call(*first).first_invoked);
            let record = &effect.located.record;
            if floor.sequence >= record.sequence {
                let text = format!(
                    "{} is {}, though sequence {} had been answered before it was asked: {}",
                    self.asked.describe(*first),
                    describe(effect.located),
                    floor.sequence,
                    self.witness(floor),
                );
                self.findings.add(Kind::OutOfOrder, text);
            }
        }
    }

    /// Everything that has to be right at some state, by the first state it may rest on.
    fn probes(&mut self, effects: &[Effect<'_>], bounds: &Bounds) -> Vec<Probe> {
        // The commands that their record explains: compared with it in the replay.
        let mut explained: HashMap<usize, u64> = HashMap::new();
        for effect in effects {
            explained.extend(effect.causes.iter().map(|index| (*index, effect.located.record.last_sequence())));
        }
        let mut probes = Vec::new();
        for &index in self.commands {
            let call = self.asked.call(index);
            if let Outcome::Answered { sequence, .. } = call.outcome
                && explained.get(&index) == Some(&sequence)
            {
                continue;
            }
            match Decision::of(self.asked, self.access, index, explained.contains_key(&index)) {
                Plain::Nothing => {}
                Plain::Right => self.findings.decisions += 1,
                Plain::Wrong(right) => {
                    let text = format!(
                        "{}; it is refused with {} ({}) whatever the state",
                        self.asked.describe(index),
                        right.reason,
                        right.message,
                    );
                    self.findings.add(Kind::NotLinearizable, text);
                }
                Plain::Depends(decision) => {
                    let (low, high) = (bounds.floor(call.invoked), bounds.ceiling(call.returned));
                    probes.push(Probe::new(low.sequence, high.sequence, What::Decision(decision)));
                }
            }
        }
        for &index in self.reads {
            probes.extend(self.read(index, bounds));
        }
        probes.sort_by_key(|probe| probe.low);
        probes
    }

    /// What a read says of itself; then the states that it may show.
    fn read(&mut self, index: usize, bounds: &Bounds) -> Option<Probe> {
        let call = &self.asked.history.reads[index];
        let (sequence, high) = (call.answer.sequence(), bounds.ceiling(call.returned));
        let found = !matches!(call.answer, ReadAnswer::Deal { seen: None, .. });
        if found && sequence < call.min_sequence {
            self.findings.add(Kind::OldRead, describe_read(call));
            return None;
        }
        if sequence > high.sequence {
            let text = format!(
                "{}; but the log had come to {} at most by then: {}",
                describe_read(call),
                high.sequence,
                self.witness(high),
            );
            self.findings.add(Kind::WrongRead, text);
            return None;
        }
        // One row holds at least what the answer says; a list and a sum are taken from one snapshot.
        let (low, high) = match &call.answer {
            ReadAnswer::Deal { .. } => (sequence.max(call.min_sequence), high.sequence),
            _ => (sequence, sequence),
        };
        Some(Probe::new(low, high, What::Read(index)))
    }

    fn replay(&mut self, effects: &[Effect<'_>], probes: Vec<Probe>) {
        let mut state = State::new(self.program.clone());
        let mut waiting = probes.into_iter().peekable();
        let mut open: Vec<Probe> = Vec::new();
        for effect in effects {
            self.try_state(&mut state, &mut open, &mut waiting);
            let expected = state.sequence + 1;
            if effect.located.record.sequence != expected {
                let text = format!("{}, where {expected} comes next", describe(effect.located));
                self.findings.add(Kind::Hole, text);
                return;
            }
            self.decided(&mut state, effect);
            if let Err(why) = state.fold(&effect.located.record, self.findings) {
                self.findings.add(Kind::Unfoldable, format!("{}: {why}", describe(effect.located)));
                return;
            }
            self.answered(&state, effect);
        }
        self.try_state(&mut state, &mut open, &mut waiting);
        for probe in open.into_iter().chain(waiting) {
            self.failed(&probe);
        }
    }

    /// Asks everything that may rest on this state.
    fn try_state(
        &mut self,
        state: &mut State,
        open: &mut Vec<Probe>,
        waiting: &mut std::iter::Peekable<std::vec::IntoIter<Probe>>,
    ) {
        while let Some(probe) = waiting.next_if(|probe| probe.low <= state.sequence) {
            open.push(probe);
        }
        let mut index = 0;
        while index < open.len() {
            let probe = &mut open[index];
            let in_time = probe.high >= state.sequence;
            if in_time && probe.fits(self.asked, state) {
                match probe.what {
                    What::Decision(_) => self.findings.decisions += 1,
                    What::Read(_) => self.findings.reads += 1,
                }
                open.swap_remove(index);
            } else if probe.high <= state.sequence {
                let probe = open.swap_remove(index);
                self.failed(&probe);
            } else {
                index += 1;
            }
        }
    }

    /// A question that no state answers as it was answered.
    fn failed(&mut self, probe: &Probe) {
        let range = format!(
            "none of the {} states from sequence {} to {} says so; {}",
            probe.tried, probe.low, probe.high, probe.instead
        );
        match &probe.what {
            What::Read(index) => {
                let call = &self.asked.history.reads[*index];
                self.findings.add(Kind::WrongRead, format!("{}; {range}", describe_read(call)));
            }
            What::Decision(decision) => {
                let call = self.asked.call(decision.index);
                let kind = match call.outcome {
                    Outcome::Answered { .. } if self.asked.said[decision.index].validates_only => Kind::NotLinearizable,
                    Outcome::Answered { .. } if decision.recorded => Kind::WrongAnswer,
                    Outcome::Answered { .. } => Kind::Lost,
                    _ => Kind::NotLinearizable,
                };
                self.findings.add(kind, format!("{}; {range}", self.asked.describe(decision.index)));
            }
        }
    }

    /// A record is what the program decides for the command.
    fn decided(&mut self, state: &mut State, effect: &Effect<'_>) {
        let Some(&index) = effect.causes.first() else { return };
        let (record, call) = (&effect.located.record, self.asked.call(index));
        let account = decide::account_in(record);
        let would = match decide::at_edge(self.access, call, self.asked.said[index].hash, account) {
            Err(refused) => Would::Refuse(refused),
            Ok(mut envelope) => {
                envelope.trace.correlation_id.clone_from(&record.correlation_id);
                envelope.trace.causation_id.clone_from(&record.causation_id);
                envelope.trace.traceparent.clone_from(&record.traceparent);
                decide::ask(state, &envelope, record.recorded_at.0, &call.caller)
            }
        };
        if would != Would::Append(encode(record)) {
            let instead = match would {
                Would::Append(_) => "another effect".to_owned(),
                Would::Answer { .. } => "an answer without effect".to_owned(),
                Would::Refuse(refused) => format!("the refusal {} ({})", refused.reason, refused.message),
            };
            let text = format!(
                "{}: for {} the program decides {instead} there",
                describe(effect.located),
                self.asked.describe(index),
            );
            self.findings.add(Kind::WrongEffect, text);
        }
    }

    /// Every answer about a record is what the record says.
    fn answered(&mut self, state: &State, effect: &Effect<'_>) {
        let Some(done) = decide::left_by(state, &effect.located.record) else { return };
        for &index in &effect.causes {
            let call = self.asked.call(index);
            let Outcome::Answered { sequence, resource } = &call.outcome else { continue };
            if *sequence == done.sequence && *resource != decide::shown(self.program, &done, &call.caller) {
                let text = format!("{}: the resource answered is not what the log says", self.asked.describe(index));
                self.findings.add(Kind::WrongAnswer, text);
            }
        }
    }

    fn witness(&self, bound: Bound) -> String {
        match bound.witness {
            Some(Witness::Command(index)) => self.asked.describe(index),
            Some(Witness::Read(index)) => describe_read(&self.asked.history.reads[index]),
            None => "the log ends there".to_owned(),
        }
    }
}

/// A record in words.
fn describe(located: &Located) -> String {
    let record: &Record = &located.record;
    let names: Vec<_> = record.events.iter().map(|recorded| event_type(&recorded.event)).collect();
    let id = record.request.as_ref().map_or("none", |request| request.id.as_str());
    format!(
        "the record of programs/{} at sequence {} (offset {}, request {id:?}, {}, recorded at {})",
        record.program,
        record.sequence,
        located.offset,
        names.join(", "),
        seconds(u64::try_from(record.recorded_at.0.rem_euclid(3_600_000_000)).unwrap_or(0) * 1_000),
    )
}
