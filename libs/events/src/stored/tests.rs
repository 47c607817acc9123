//! Golden bytes: what was ever written must be read for ever.
//!
//! `golden/{Variant}.hex` has a line for each example of a stored form. `PACTUM_WRITE_GOLDEN=1 cargo test -p pactum-events`
//! writes the files that are missing; it never touches one that is there.
#![expect(clippy::unwrap_used, reason = "tests")]

mod samples;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use samples::samples;

use super::*;
use crate::name::{event_type, event_version};
use crate::record::{Record, Recorded, Request};
use crate::{DecodeError, decode, encode, json, program_of};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.hex"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The lines of a golden file; writes it first where it is missing and that was asked for.
fn lines(name: &str, current: impl FnOnce() -> Vec<String>) -> Vec<String> {
    let path = golden(name);
    if !path.exists() && std::env::var_os("PACTUM_WRITE_GOLDEN").is_some() {
        fs::write(&path, current().join("\n") + "\n").unwrap();
    }
    let text = fs::read_to_string(&path).unwrap_or_else(|_| {
        panic!("{} is missing; PACTUM_WRITE_GOLDEN=1 writes it for a new stored form", path.display())
    });
    text.lines().map(str::to_owned).collect()
}

fn stored_bytes(event: &AnyEvent) -> Vec<u8> {
    postcard::to_allocvec(&Stored::of(event)).unwrap()
}

#[test]
fn every_stored_form_reads_as_it_always_did() {
    let samples = samples();
    for (tag, name) in (0_u32..).zip(VARIANTS) {
        let (_, events) = samples.iter().find(|(of, _)| of == name).unwrap_or_else(|| panic!("{name} has no sample"));
        let lines = lines(name, || events.iter().map(|event| hex(&stored_bytes(event))).collect());
        assert_eq!(lines.len(), events.len(), "{name}: a line for each sample");
        for (line, event) in lines.iter().zip(events) {
            let bytes = unhex(line);
            assert_eq!(postcard::take_from_bytes::<u32>(&bytes).unwrap().0, tag, "{name} has its number");
            let stored: Stored<'_> = postcard::from_bytes(&bytes).unwrap();
            assert_eq!(&stored.upcast(), event, "{name}");
            let written_as = format!("{}V{}", event_type(event), event_version(event));
            if written_as == *name {
                assert_eq!(hex(&stored_bytes(event)), *line, "{name} is written as it was");
            }
        }
    }
    assert_eq!(samples.len(), VARIANTS.len(), "no sample without a stored form");
}

#[test]
fn every_golden_file_is_of_a_stored_form() {
    for file in fs::read_dir(golden("x").parent().unwrap()).unwrap() {
        let name = file.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(name == "RecordV1" || VARIANTS.contains(&name.as_str()), "golden/{name}.hex is of nothing");
    }
}

fn record(events: Vec<AnyEvent>) -> Record {
    let events = (1..).zip(events).map(|(version, event)| Recorded {
        event,
        aggregate_version: version,
        occurred_at: Timestamp(1_700_000_000_000_000),
    });
    Record {
        program: pactum_ids::ProgramId::new("acme").unwrap(),
        sequence: 41,
        recorded_at: Timestamp(1_700_000_000_123_456),
        actor: pactum_domain::actor::Actor {
            subject: "u-17".into(),
            role: pactum_domain::actor::Role::PartnerSales,
            partner: Some(PartnerId::new("p-1").unwrap()),
        },
        request: Some(Request {
            id: pactum_ids::RequestId::new("7f0c7c2e-5f3e-4a56-9d56-2f1f2a0c3b7d").unwrap(),
            content_hash: *b"0123456789abcdef",
        }),
        correlation_id: Some("batch 9".into()),
        causation_id: None,
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        policy_version: 3,
        events: events.collect(),
    }
}

fn every_event() -> Vec<AnyEvent> {
    samples().into_iter().flat_map(|(_, events)| events).collect()
}

#[test]
fn a_record_reads_as_it_always_did() {
    let record = record(every_event());
    let lines = lines("RecordV1", || vec![hex(&encode(&record))]);
    assert_eq!(decode(&unhex(&lines[0]).into()).unwrap(), record);
    assert_eq!(hex(&encode(&record)), lines[0]);
}

#[test]
fn bytes_that_are_no_record_are_told_apart() {
    let good = encode(&record(vec![AnyEvent::Partner(PartnerId::new("p").unwrap(), partner::Event::Activated)]));
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.to_vec();
        change(&mut bytes);
        decode(&bytes.into()).unwrap_err()
    };
    assert_eq!(with(&|bytes| bytes.clear()), DecodeError::Malformed { part: "version" });
    assert_eq!(with(&|bytes| bytes[0] = 0), DecodeError::Malformed { part: "version" });
    assert_eq!(with(&|bytes| bytes[0] = 2), DecodeError::NewerVersion { found: 2, newest: 1 });
    assert_eq!(with(&|bytes| bytes.truncate(9)), DecodeError::Malformed { part: "envelope" });
    assert_eq!(with(&|bytes| bytes.truncate(good.len() - 1)), DecodeError::Malformed { part: "event" });
    assert_eq!(with(&|bytes| bytes.push(0)), DecodeError::TrailingBytes(1));
    // The event's number is in front of its partner's length and id.
    let tag = good.len() - 3;
    let unknown = u8::try_from(VARIANTS.len()).unwrap();
    assert_eq!(with(&|bytes| bytes[tag] = unknown), DecodeError::UnknownEvent { index: 0, tag: u32::from(unknown) });
    assert_eq!(program_of(&good), Ok("acme"));
}

#[test]
fn people_read_times_and_amounts() {
    let won = deal::Event::Won {
        amount: Money { currency: Currency::parse("USD").unwrap(), minor: 105_450 },
        closed_on: Date::from_ymd(2017, 3, 1).unwrap(),
    };
    let record = record(vec![AnyEvent::Deal(DealId::new("d-1").unwrap(), won)]);
    let value = json(&record, 41, &record.events[0]);
    assert_eq!(value["type"], "DealWon");
    assert_eq!(value["aggregate"], "programs/acme/deals/d-1");
    assert_eq!(value["occurred_at"], "2023-11-14T22:13:20Z");
    assert_eq!(value["recorded_at"], "2023-11-14T22:13:20.123456Z");
    assert_eq!(value["actor"]["role"], "partner-sales");
    assert_eq!(value["data"]["closed_on"], "2017-03-01");
    assert_eq!(value["data"]["amount"], serde_json::json!({"currency": "USD", "amount": "1054.50"}));
    let activated = AnyEvent::Partner(PartnerId::new("p").unwrap(), partner::Event::Activated);
    assert_eq!(crate::data(&activated), serde_json::json!({}));
}

#[test]
fn every_event_can_be_shown() {
    for event in every_event() {
        let data = crate::data(&event);
        assert!(data.is_object(), "{}: {data}", event_type(&event));
    }
}

proptest! {
    #[test]
    fn records_round_trip(
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        sequence in 1_u64..1 << 60,
        moment in -2_208_988_800_000_000_i64..7_258_118_399_999_999,
        text in "\\PC{0,40}",
        policy_version: u32,
        has_request: bool,
    ) {
        let all = every_event();
        let mut record = record(picks.iter().map(|pick| pick.get(&all).clone()).collect());
        record.sequence = sequence;
        record.recorded_at = Timestamp(moment);
        record.policy_version = policy_version;
        record.causation_id = Some(text.as_str().into());
        record.events.push(Recorded {
            event: AnyEvent::Deal(DealId::new("d").unwrap(), deal::Event::Withdrawn { reason: text }),
            aggregate_version: sequence,
            occurred_at: Timestamp(-moment.clamp(-1 << 50, 1 << 50)),
        });
        if !has_request {
            record.request = None;
        }
        let bytes = encode(&record);
        prop_assert_eq!(program_of(&bytes).unwrap(), "acme");
        prop_assert_eq!(decode(&bytes).unwrap(), record);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = decode(&bytes.into());
    }

    #[test]
    fn no_damage_makes_it_panic(at: prop::sample::Index, value: u8) {
        let mut bytes = encode(&record(every_event())).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = value;
        let _ = decode(&bytes.into());
    }
}
