//! A record as bytes: a version byte, the envelope, the events.
//!
//! ```text
//! 1 byte        the version of this layout
//! envelope      postcard of `EnvelopeV1`, which ends with the number of events
//! per event     postcard of `EventV1`, then postcard of one `Stored` variant (its number first, as a varint)
//! ```
//!
//! The events are not one postcard list, so that a variant this build does not know is told apart from damaged bytes.

use std::borrow::Cow;

use bytes::Bytes;
use pactum_domain::actor::Actor;
use pactum_domain::time::Timestamp;
use pactum_ids::ProgramId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::record::{Record, Recorded, Request};
use crate::stored::{Stored, VARIANTS};

/// The layout written today.
const VERSION: u8 = 1;

/// Bytes that are no record, or none that this build can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer build.
    #[error("the record has layout version {found}; this build reads up to {newest}: upgrade it")]
    NewerVersion {
        /// The version found.
        found: u8,
        /// The newest this build knows.
        newest: u8,
    },
    /// It holds an event that this build does not know: written by a newer build.
    #[error("event {index} of the record has stored form {tag}, which this build does not know: upgrade it")]
    UnknownEvent {
        /// Which event of the record, from 0.
        index: usize,
        /// The number of its stored form.
        tag: u32,
    },
    /// The bytes are damaged, or no record at all.
    #[error("the record is malformed in its {part}")]
    Malformed {
        /// Which part cannot be read.
        part: &'static str,
    },
    /// Bytes are left after the last event.
    #[error("{0} bytes are left after the record's last event")]
    TrailingBytes(usize),
}

#[derive(Serialize, Deserialize)]
struct EnvelopeV1<'a> {
    program: Cow<'a, ProgramId>,
    sequence: u64,
    recorded_at: Timestamp,
    actor: Cow<'a, Actor>,
    request: Option<Cow<'a, Request>>,
    correlation_id: Option<Cow<'a, SmolStr>>,
    causation_id: Option<Cow<'a, SmolStr>>,
    traceparent: Option<Cow<'a, SmolStr>>,
    policy_version: u32,
    events: u32,
}

#[derive(Serialize, Deserialize)]
struct EventV1 {
    aggregate_version: u64,
    occurred_at: Timestamp,
}

/// Encodes a record as the body of a journal entry.
#[must_use]
pub fn encode(record: &Record) -> Bytes {
    let mut bytes = Vec::with_capacity(512);
    bytes.push(VERSION);
    let envelope = EnvelopeV1 {
        program: Cow::Borrowed(&record.program),
        sequence: record.sequence,
        recorded_at: record.recorded_at,
        actor: Cow::Borrowed(&record.actor),
        request: record.request.as_ref().map(Cow::Borrowed),
        correlation_id: record.correlation_id.as_ref().map(Cow::Borrowed),
        causation_id: record.causation_id.as_ref().map(Cow::Borrowed),
        traceparent: record.traceparent.as_ref().map(Cow::Borrowed),
        policy_version: record.policy_version,
        events: u32::try_from(record.events.len()).expect("a command has no more than u32::MAX events"),
    };
    let mut bytes = put(&envelope, bytes);
    for Recorded { event, aggregate_version, occurred_at } in &record.events {
        bytes = put(&EventV1 { aggregate_version: *aggregate_version, occurred_at: *occurred_at }, bytes);
        bytes = put(&Stored::of(event), bytes);
    }
    Bytes::from(bytes)
}

/// Decodes the body of a journal entry. Old stored forms of events come back as today's events.
///
/// # Errors
/// [`DecodeError`] where the bytes were written by a newer build, or are damaged.
pub fn decode(bytes: &Bytes) -> Result<Record, DecodeError> {
    let (envelope, mut rest) = take::<EnvelopeV1<'_>>(envelope_of(bytes)?, "envelope")?;
    // A damaged count must not make us reserve memory that the bytes cannot fill: an event is at least three bytes.
    let mut events = Vec::with_capacity((envelope.events as usize).min(rest.len() / 3));
    for index in 0..envelope.events as usize {
        let (EventV1 { aggregate_version, occurred_at }, after) = take(rest, "event")?;
        let (tag, _) = take::<u32>(after, "event")?;
        if tag as usize >= VARIANTS.len() {
            return Err(DecodeError::UnknownEvent { index, tag });
        }
        let (stored, after) = take::<Stored<'_>>(after, "event")?;
        events.push(Recorded { event: stored.upcast(), aggregate_version, occurred_at });
        rest = after;
    }
    if !rest.is_empty() {
        return Err(DecodeError::TrailingBytes(rest.len()));
    }
    Ok(Record {
        program: envelope.program.into_owned(),
        sequence: envelope.sequence,
        recorded_at: envelope.recorded_at,
        actor: envelope.actor.into_owned(),
        request: envelope.request.map(Cow::into_owned),
        correlation_id: envelope.correlation_id.map(Cow::into_owned),
        causation_id: envelope.causation_id.map(Cow::into_owned),
        traceparent: envelope.traceparent.map(Cow::into_owned),
        policy_version: envelope.policy_version,
        events,
    })
}

/// Whose record it is, without decoding the rest: for readers of one program among many.
///
/// # Errors
/// [`DecodeError`] where the bytes were written by a newer build, or are damaged.
pub fn program_of(bytes: &Bytes) -> Result<&str, DecodeError> {
    take(envelope_of(bytes)?, "envelope").map(|(program, _)| program)
}

/// What follows the version byte.
fn envelope_of(bytes: &Bytes) -> Result<&[u8], DecodeError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        None | Some((0, _)) => Err(DecodeError::Malformed { part: "version" }),
        Some((&found, _)) => Err(DecodeError::NewerVersion { found, newest: VERSION }),
    }
}

fn put<T: Serialize>(value: &T, bytes: Vec<u8>) -> Vec<u8> {
    postcard::to_extend(value, bytes).expect("a Vec takes any number of bytes, and no stored type refuses to serialize")
}

fn take<'de, T: Deserialize<'de>>(bytes: &'de [u8], part: &'static str) -> Result<(T, &'de [u8]), DecodeError> {
    postcard::take_from_bytes(bytes).map_err(|_| DecodeError::Malformed { part })
}
