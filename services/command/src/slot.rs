//! One program as the owner of its partition holds it: its model, its place in its history, its request ids.

use pactum_domain::command::Context;
use pactum_domain::deal;
use pactum_domain::event::{AnyEvent, Moment};
use pactum_domain::model::{self, Model};
use pactum_domain::time::Timestamp;
use pactum_events::{Record, Recorded};
use pactum_ids::ProgramId;

use crate::answer::{Answer, Done, Refusal, Resource, Target};
use crate::envelope::Envelope;
use crate::memory::{Forgotten, Key, Memory, Remembered};

/// How long request ids are remembered while no policy says it.
const WINDOW_DAYS: u32 = 7;

/// A program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Slot {
    pub(crate) model: Model,
    /// The sequence of its last event; 0 before the first.
    pub(crate) sequence: u64,
    /// When its last record was taken.
    pub(crate) recorded_at: Timestamp,
    pub(crate) memory: Memory,
}

/// Takes the effect of one record on a slot back.
#[derive(Debug)]
pub(crate) struct Effect {
    // In the order in which the events were folded.
    rows: Vec<model::Undo>,
    sequence: u64,
    recorded_at: Timestamp,
    forgotten: Forgotten,
}

/// What a slot decides.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The record is folded already.
    Append {
        record: Box<Record>,
        done: Done,
        effect: Effect,
    },
    Answer(Answer),
}

/// Why a record does not continue a program's history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfoldable {
    #[error("its first event has sequence {found}, where {expected} comes next")]
    Sequence { found: u64, expected: u64 },
    #[error("event {sequence} makes version {actual} of its aggregate, not {recorded} as recorded")]
    Version { sequence: u64, recorded: u64, actual: u64 },
    #[error("event {sequence} cannot be folded: {why}")]
    Event { sequence: u64, why: String },
}

impl Slot {
    pub(crate) fn new(program: ProgramId) -> Self {
        Self { model: Model::new(program), sequence: 0, recorded_at: Timestamp::MIN, memory: Memory::default() }
    }

    pub(crate) fn decide(&mut self, envelope: &Envelope, now: Timestamp) -> Verdict {
        let recorded_at = now.max(self.recorded_at);
        if let Some(first) = self.repeated(envelope, recorded_at) {
            return Verdict::Answer(first);
        }
        let occurred_at = envelope.occurred_at.unwrap_or(recorded_at);
        let context = Context {
            actor: envelope.actor.clone(),
            recorded_at,
            occurred_at,
            expected_version: envelope.expected_version,
        };
        let events = match self.model.decide(&envelope.command, &context) {
            Ok(events) => events,
            Err(rejection) => return Verdict::Answer(Err(rejection.into())),
        };
        let target = Target::of_command(&envelope.command);
        let Some(last) = events.last() else {
            return Verdict::Answer(self.snapshot(&target, recorded_at));
        };
        if !target.has(last) {
            // Whoever folds the record could not tell what it was answered with.
            let why = "its last event is not of the resource that the command names";
            return Verdict::Answer(Err(Refusal::Unfoldable(why.to_owned())));
        }
        let mut record = Record {
            program: envelope.program.clone(),
            sequence: self.sequence + 1,
            recorded_at,
            actor: context.actor,
            request: envelope.request.clone(),
            correlation_id: envelope.trace.correlation_id.clone(),
            causation_id: envelope.trace.causation_id.clone(),
            traceparent: envelope.trace.traceparent.clone(),
            policy_version: self.policy_version(recorded_at),
            events: events
                .into_iter()
                .map(|event| Recorded { occurred_at: occurred(&event, occurred_at), event, aggregate_version: 0 })
                .collect(),
        };
        let before = self.sequence;
        match self.apply(&mut record, Versions::Fill) {
            Ok((effect, done)) if envelope.validate_only => {
                self.undo(effect);
                Verdict::Answer(Ok(Done { sequence: before, ..done }))
            }
            Ok((effect, done)) => Verdict::Append { record: Box::new(record), done, effect },
            Err(why) => Verdict::Answer(Err(Refusal::Unfoldable(why.to_string()))),
        }
    }

    /// Folds a record from the log.
    pub(crate) fn fold(&mut self, mut record: Record) -> Result<(), Unfoldable> {
        let expected = self.sequence + 1;
        if record.sequence != expected {
            return Err(Unfoldable::Sequence { found: record.sequence, expected });
        }
        self.apply(&mut record, Versions::Check).map(drop)
    }

    /// Takes the newest effect back.
    pub(crate) fn undo(&mut self, effect: Effect) {
        self.memory.undo(effect.forgotten);
        for rows in effect.rows.into_iter().rev() {
            self.model.undo(rows);
        }
        self.sequence = effect.sequence;
        self.recorded_at = effect.recorded_at;
    }

    /// The first answer, where the caller asked this before.
    fn repeated(&self, envelope: &Envelope, now: Timestamp) -> Option<Answer> {
        let request = envelope.request.as_ref()?;
        let key = Key { party: envelope.actor.partner.clone(), id: request.id.clone() };
        let first = self.memory.find(&key, self.window_days(now), now)?;
        Some(if first.content_hash == request.content_hash {
            Ok(first.answer.clone())
        } else {
            Err(Refusal::RequestIdReused(request.id.clone()))
        })
    }

    fn snapshot(&self, target: &Target, at: Timestamp) -> Answer {
        let resource = target
            .find(&self.model)
            .ok_or_else(|| Refusal::Unfoldable("a command succeeded on a resource that does not exist".to_owned()))?;
        Ok(Done { resource, sequence: self.sequence, at })
    }

    /// Folds a record's events and remembers its request. All or nothing.
    fn apply(&mut self, record: &mut Record, versions: Versions) -> Result<(Effect, Done), Unfoldable> {
        // As of before the record, on the deciding and on the folding side alike.
        let window_days = self.window_days(record.recorded_at);
        let mut effect = Effect {
            rows: Vec::with_capacity(record.events.len()),
            sequence: self.sequence,
            recorded_at: self.recorded_at,
            forgotten: Forgotten::default(),
        };
        let done = match self.fold_events(record, versions, &mut effect.rows) {
            Ok(done) => done,
            Err(why) => {
                self.undo(effect);
                return Err(why);
            }
        };
        self.sequence = record.last_sequence();
        self.recorded_at = record.recorded_at;
        let request = record.request.as_ref().map(|request| {
            let key = Key { party: record.actor.partner.clone(), id: request.id.clone() };
            let (content_hash, recorded_at) = (request.content_hash, record.recorded_at);
            (key, Remembered { content_hash, answer: done.clone(), recorded_at })
        });
        effect.forgotten = self.memory.remember(request, window_days, record.recorded_at);
        Ok((effect, done))
    }

    fn fold_events(
        &mut self,
        record: &mut Record,
        versions: Versions,
        rows: &mut Vec<model::Undo>,
    ) -> Result<Done, Unfoldable> {
        let (first, recorded_at) = (record.sequence, record.recorded_at);
        let mut last = None;
        for (recorded, sequence) in record.events.iter_mut().zip(first..) {
            let moment = Moment { occurred_at: recorded.occurred_at, recorded_at, sequence };
            let undo = self
                .model
                .evolve(&recorded.event, moment)
                .map_err(|why| Unfoldable::Event { sequence, why: why.to_string() })?;
            rows.push(undo);
            let resource = Resource::of_event(&recorded.event, &self.model).ok_or_else(|| Unfoldable::Event {
                sequence,
                why: "its aggregate does not exist afterwards".to_owned(),
            })?;
            let actual = resource.version();
            match versions {
                Versions::Fill => recorded.aggregate_version = actual,
                Versions::Check if recorded.aggregate_version == actual => {}
                Versions::Check => {
                    return Err(Unfoldable::Version { sequence, recorded: recorded.aggregate_version, actual });
                }
            }
            last = Some(resource);
        }
        // A record's last event is of the resource that its command named: what else it had to settle first, such as
        // another deal's lapse, comes before. So the answer can be told from the record alone, by any reader.
        let resource = last.ok_or(Unfoldable::Event { sequence: first, why: "the record is empty".to_owned() })?;
        Ok(Done { resource, sequence: record.last_sequence(), at: recorded_at })
    }

    fn window_days(&self, at: Timestamp) -> u32 {
        let policy = self.model.program().and_then(|program| program.policy_at(at));
        policy.map_or(WINDOW_DAYS, |published| published.policy.request_window_days)
    }

    fn policy_version(&self, at: Timestamp) -> u32 {
        self.model.program().and_then(|program| program.policy_at(at)).map_or(0, |published| published.version)
    }
}

/// What to do with the versions of the aggregates in a record.
#[derive(Clone, Copy, Debug)]
enum Versions {
    /// It was just decided: write them in.
    Fill,
    /// It comes from the log: they must agree, or this fold is not the one that decided.
    Check,
}

/// When an event happened in the world. A lapse happened when its window ended, whoever noticed it and when.
fn occurred(event: &AnyEvent, command: Timestamp) -> Timestamp {
    match event {
        AnyEvent::Deal(_, deal::Event::ProtectionExpired { until, .. }) => *until,
        AnyEvent::Program(_) | AnyEvent::Partner(..) | AnyEvent::Deal(..) | AnyEvent::Opportunity(..) => command,
    }
}
