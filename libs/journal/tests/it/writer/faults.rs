//! What stops a partition: nothing is ever skipped to go on.

use bytes::Bytes;
use pactum_journal::entry::encode_record;
use pactum_journal::{CommandError, Entry, EntryError, Fault, FoldError, Genesis, GenesisError, Role, SubmitError};
use pactum_log::LogError;

use super::harness::{Harness, claim, genesis, options, unavailable};

fn fold(offset: u64, why: &str) -> Fault {
    Fault::Fold { offset, source: FoldError::new(why) }
}

#[test]
fn what_cannot_be_read_or_folded_stops_the_partition() {
    let newer = Bytes::from_static(b"\x02PRxxxxxxxxxxxxxxxx");
    let foreign = Bytes::from_static(b"{}");
    let effect = |sequence: u8| Bytes::from([vec![sequence], vec![0; 21]].concat());
    let rows = [
        (newer, Fault::Entry { offset: 2, source: EntryError::Newer { version: 2, known: 1 } }),
        (foreign, Fault::Entry { offset: 2, source: EntryError::Foreign }),
        (encode_record(1, 0, b"?"), fold(2, "not an effect")),
        (encode_record(1, 0, &effect(9)), fold(2, "sequence 9 after 0")),
    ];
    for (bytes, fault) in rows {
        let mut h = Harness::new(&options(), vec![genesis(), claim(None, "them:1"), bytes]);
        h.deposit(1);
        h.answer_end();
        h.read();
        assert_eq!(h.role(), Role::Failed);
        assert_eq!(h.writer.status().fault, Some(fault.clone()));
        assert_eq!(h.writer.refusing(), Some(SubmitError::Failed(fault.clone())));
        h.deposit(2);
        let failed = |attempt: u32| (attempt, Err(CommandError::Failed(fault.clone())));
        assert_eq!(h.told(), [failed(1), failed(2)]);
        h.pass(10_000);
        assert_eq!(h.sent.len(), 0, "it does not claim");
    }
}

#[test]
fn what_was_in_flight_when_it_stopped_is_unknown() {
    let mut h = Harness::owner();
    (1..=5).for_each(|attempt| h.deposit(attempt));
    h.put(Bytes::from_static(b"garbage"));
    let told = h.told();
    assert!(matches!(told[0], (5, Err(CommandError::Failed(_)))), "{told:?}");
    assert_eq!(told[1..], [1, 2, 3, 4].map(|attempt| (attempt, Err(CommandError::OutcomeUnknown))));
}

#[test]
fn a_record_in_our_term_that_we_did_not_write_stops_us() {
    let mut h = Harness::owner();
    h.put(encode_record(1, 0, &[0; 22]));
    assert_eq!(h.writer.status().fault, Some(Fault::NotOurs { offset: 2 }));
}

#[test]
fn a_genesis_that_does_not_fit_stops_the_partition() {
    let fits = Genesis { log_id: 7, partitions: 1, format: 1 };
    let rows = [
        (Genesis { partitions: 4, ..fits }, GenesisError::Partitions { found: 4, expected: 1 }),
        (Genesis { format: 2, ..fits }, GenesisError::Format { found: 2 }),
        (Genesis { log_id: 8, ..fits }, GenesisError::Log { found: 8, expected: 7 }),
    ];
    for (genesis, error) in rows {
        let mut h = Harness::new(&options(), vec![Entry::Genesis(genesis).encode()]);
        h.read();
        assert_eq!(h.writer.status().fault, Some(Fault::Genesis(error)));
    }
}

#[test]
fn a_log_that_cannot_be_read_stops_us_only_if_it_never_will_be() {
    let mut h = Harness::owner();
    h.writer.read_failed(unavailable());
    assert_eq!((h.role(), h.writer.status().read_error), (Role::Owner, Some(unavailable())));
    h.deposit(1);
    h.deliver();
    assert_eq!(h.writer.status().read_error, None, "it was read again");
    let corrupt = LogError::Corrupt("test".into());
    h.writer.read_failed(corrupt.clone());
    assert_eq!(h.writer.status().fault, Some(Fault::Log(corrupt)));
}
