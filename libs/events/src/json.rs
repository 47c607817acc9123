//! Events for people: JSON with RFC 3339 times and decimal amounts.

use pactum_domain::event::AnyEvent;
use pactum_ids::ProgramId;
use serde::Serialize;
use serde_json::{Map, Value, json as object};

use crate::name::{event_type, event_version};
use crate::record::{Record, Recorded};

/// What an event says, without its envelope: `{"partner": "p-1", …}`.
///
/// Times are RFC 3339, days ISO 8601, amounts `{"currency": "USD", "amount": "1054.50"}`.
#[must_use]
pub fn data(event: &AnyEvent) -> Value {
    match event {
        AnyEvent::Program(event) => payload(event),
        AnyEvent::Partner(_, event) => payload(event),
        AnyEvent::Deal(_, event) => payload(event),
        AnyEvent::Opportunity(_, event) => payload(event),
    }
}

/// The resource that an event happened to: `programs/{program}/deals/{deal}`.
#[must_use]
pub fn resource_name(program: &ProgramId, event: &AnyEvent) -> String {
    match event {
        AnyEvent::Program(_) => format!("programs/{program}"),
        AnyEvent::Partner(id, _) => format!("programs/{program}/partners/{id}"),
        AnyEvent::Deal(id, _) => format!("programs/{program}/deals/{id}"),
        AnyEvent::Opportunity(id, _) => format!("programs/{program}/opportunities/{id}"),
    }
}

/// One event of a record with its envelope.
#[must_use]
pub fn json(record: &Record, sequence: u64, recorded: &Recorded) -> Value {
    let program = &record.program;
    object!({
        "sequence": sequence,
        "type": event_type(&recorded.event),
        "type_version": event_version(&recorded.event),
        "aggregate": resource_name(program, &recorded.event),
        "aggregate_version": recorded.aggregate_version,
        "occurred_at": recorded.occurred_at.to_string(),
        "recorded_at": record.recorded_at.to_string(),
        "actor": {
            "subject": record.actor.subject,
            "role": record.actor.role.as_str(),
            "partner": record.actor.partner.as_ref().map(|id| format!("programs/{program}/partners/{id}")),
        },
        "request_id": record.request.as_ref().map(|request| request.id.as_str()),
        "correlation_id": record.correlation_id,
        "causation_id": record.causation_id,
        "policy_version": record.policy_version,
        "data": data(&recorded.event),
    })
}

/// The variant's content: serde tags an enum's content with the variant's name, which here is the event's type already.
fn payload(event: &impl Serialize) -> Value {
    let value = serde_json::to_value(event).expect("events have string keys and no numbers that JSON lacks");
    match value {
        Value::Object(tagged) => tagged.into_iter().next().map_or(Value::Null, |(_, content)| content),
        _ => Value::Object(Map::new()),
    }
}
