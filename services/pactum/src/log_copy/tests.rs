//! Copying between logs in memory: the cases that no real log brings about on demand.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bytes::Bytes;
use pactum_domain::actor::{Actor, Role};
use pactum_domain::time::Timestamp;
use pactum_events::{Record, encode, partition_of};
use pactum_ids::ProgramId;
use pactum_journal::entry::encode_record;
use pactum_journal::{Claim, Entry, Genesis};
use pactum_log::memory::{Faults, FaultyLog, MemoryLog, MemoryOptions};
use pactum_log::{Log, Partition};
use tokio_util::sync::CancellationToken;

use super::copy::{self, Copied};
use super::digest::Digests;
use super::error::LogCopyError;
use super::location::Opened;
use super::progress::Progress;
use super::{survey, verify};

const SOURCE_ID: u128 = 77;

fn program(number: usize) -> ProgramId {
    ProgramId::new(format!("program-{number}")).unwrap()
}

/// A record without events: what it says does not matter here, where it lies does.
fn body(program: &ProgramId, sequence: u64, mark: u64) -> Bytes {
    encode(&Record {
        program: program.clone(),
        sequence,
        recorded_at: Timestamp(1_000_000),
        actor: Actor { subject: format!("subject-{mark}").into(), role: Role::ProgramAdmin, partner: None },
        request: None,
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        policy_version: 0,
        events: Vec::new(),
    })
}

/// A log with so many partitions and what every partition holds after its genesis.
fn log_of(partitions: u32, entries: impl Fn(Partition) -> Vec<Bytes>) -> (Arc<MemoryLog>, Opened) {
    let log = Arc::new(MemoryLog::new(&MemoryOptions { partitions, ..MemoryOptions::default() }));
    for partition in 0..partitions {
        let appender = log.appender(partition).unwrap();
        let genesis = Entry::Genesis(Genesis { log_id: SOURCE_ID, partitions, format: 1 });
        appender.append(genesis.encode()).unwrap();
        entries(partition).into_iter().for_each(|entry| appender.append(entry).unwrap());
    }
    (Arc::clone(&log), Opened::of("source", log))
}

fn claim(after: Option<u64>, owner: &str) -> Bytes {
    Entry::Claim(Claim { after, claim_id: 5, owner: owner.into() }).encode()
}

/// The partition's part of `programs` programs with `records` each, taking turns.
fn history(partition: Partition, partitions: u32, programs: usize, records: u64) -> Vec<Bytes> {
    let mut entries = vec![claim(None, "a:1")];
    for mark in 0..records {
        for program in (0..programs).map(program) {
            if partition_of(&program, partitions) == partition {
                let n = entries.len() as u64 - 1;
                entries.push(encode_record(1, n, &body(&program, 1, mark)));
            }
        }
    }
    entries
}

async fn copy(from: &Opened, to: &Opened) -> Result<(Digests, Copied), LogCopyError> {
    copy::copy(from, to, &CancellationToken::new(), &Progress::new()).await
}

async fn digests(opened: &Opened) -> Result<Digests, LogCopyError> {
    verify::digests(opened, &CancellationToken::new(), &Progress::new(), "test").await
}

fn empty(partitions: u32) -> Opened {
    Opened::of("target", Arc::new(MemoryLog::new(&MemoryOptions { partitions, ..MemoryOptions::default() })))
}

#[tokio::test]
async fn only_what_took_effect_is_copied_and_again_changes_nothing() {
    let program = program(1);
    let (_, from) = log_of(1, |_| {
        let valid = |term, n, mark| encode_record(term, n, &body(&program, 1, mark));
        // A duplicate, one out of order, a stalled writer's, and a claim that comes late.
        vec![
            claim(None, "a:1"),
            valid(1, 0, 0),
            valid(1, 0, 0),
            valid(1, 2, 9),
            claim(Some(1), "b:2"),
            valid(1, 1, 9),
            claim(Some(1), "a:1"),
            valid(5, 0, 1),
        ]
    });
    let to = empty(4);
    let (source, copied) = copy(&from, &to).await.unwrap();
    assert_eq!((copied, source.skipped), (Copied { records: 2, source_grew_by: 0 }, 4));
    let target = digests(&to).await.unwrap();
    verify::compare(&source, &target, &to).unwrap();
    assert_eq!((target.sum(|program| program.records), target.skipped), (2, 0));
    assert_eq!(target.sha256(), source.sha256());

    let before = survey::ends(&to).await.unwrap();
    let (_, again) = copy(&from, &to).await.unwrap();
    assert_eq!((again.records, survey::ends(&to).await.unwrap()), (0, before), "nothing is written twice");
}

#[tokio::test]
async fn what_comes_later_is_copied_by_the_next_run() {
    let (log, from) = log_of(2, |partition| history(partition, 2, 6, 10));
    let to = empty(3);
    assert_eq!(copy(&from, &to).await.unwrap().1.records, 60);
    let late = (0..6).map(program).find(|program| partition_of(program, 2) == 1).unwrap();
    let n = log.end(1).await.unwrap() - 2;
    log.appender(1).unwrap().append(encode_record(1, n, &body(&late, 1, 99))).unwrap();
    let (source, copied) = copy(&from, &to).await.unwrap();
    assert_eq!(copied.records, 1);
    assert_eq!(source, Digests { skipped: 0, ..digests(&to).await.unwrap() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_with_faults_gets_everything_once_also_over_many_interrupted_runs() {
    let (_, from) = log_of(3, |partition| history(partition, 3, 12, 100));
    let source = digests(&from).await.unwrap();
    let faults = Faults { lose: 0.02, wander: 0.0, ..Faults::SOME };
    let faulty = FaultyLog::start(2, faults, 11);
    let to = Opened::of("target", Arc::new(faulty.clone()));
    let mut interrupted = 0;
    for round in 0..200 {
        let stop = CancellationToken::new();
        let progress = Progress::new();
        let run = copy::copy(&from, &to, &stop, &progress);
        // Dropped in the middle, a little later each time: as if killed.
        match tokio::time::timeout(std::time::Duration::from_millis(10 * round), run).await {
            Err(_) => interrupted += 1,
            Ok(Ok(_)) => break,
            // What a killed run left under way lands later: the next run looks again.
            Ok(Err(LogCopyError::Write { .. } | LogCopyError::NotQuiet { .. })) => {}
            Ok(Err(other)) => panic!("{other:?}"),
        }
    }
    assert!(interrupted > 1, "no run was interrupted");
    faulty.set_faults(Faults::NONE);
    let target = digests(&to).await.unwrap();
    verify::compare(&source, &target, &to).unwrap();
    assert_eq!(target.sum(|program| program.records), 1_200);
}

#[tokio::test]
async fn a_stop_lets_what_was_taken_arrive_and_says_so() {
    let (_, from) = log_of(1, |partition| history(partition, 1, 3, 10));
    let stop = CancellationToken::new();
    stop.cancel();
    let error = copy::copy(&from, &empty(1), &stop, &Progress::new()).await.unwrap_err();
    assert!(matches!(error, LogCopyError::Interrupted { copied: 0 }), "{error:?}");
}

#[tokio::test]
async fn targets_that_are_no_copy_of_the_source_are_left_alone() {
    let (_, from) = log_of(1, |partition| history(partition, 1, 2, 3));
    let target = |log_id, owner: &str| {
        let log = MemoryLog::new(&MemoryOptions::default());
        let appender = log.appender(0).unwrap();
        appender.append(Entry::Genesis(Genesis { log_id, partitions: 1, format: 1 }).encode()).unwrap();
        appender.append(claim(None, owner)).unwrap();
        Opened::of("target", Arc::new(log))
    };
    let refused = async |to: Opened| {
        let error = copy(&from, &to).await.unwrap_err();
        assert_eq!(to.log().end(0).await, Ok(2), "something was written");
        error
    };
    let served = refused(target(1, "127.0.0.1:7400")).await;
    assert!(matches!(&served, LogCopyError::NotEmpty { owner, .. } if owner == "127.0.0.1:7400"), "{served:?}");
    let other = refused(target(1, &survey::mark(5))).await;
    assert!(matches!(other, LogCopyError::OtherSource { found: 5, .. }), "{other:?}");
    let same = refused(target(SOURCE_ID, &survey::mark(SOURCE_ID))).await;
    assert!(matches!(same, LogCopyError::SameLog { .. }), "{same:?}");
}

#[tokio::test]
async fn a_source_that_is_not_whole_stops_at_the_place() {
    let known = program(1);
    let elsewhere = (0..).map(program).find(|program| partition_of(program, 2) == 1).unwrap();
    let record = |n, body: &Bytes| encode_record(1, n, body);
    let good = record(0, &body(&known, 1, 0));
    let run = async |partitions, entry: Bytes| {
        let (_, from) = log_of(partitions, |_| match partitions {
            1 => vec![claim(None, "a:1"), good.clone(), entry.clone()],
            _ => vec![claim(None, "a:1"), entry.clone()],
        });
        copy(&from, &empty(1)).await.unwrap_err()
    };
    let gap = run(1, record(1, &body(&known, 4, 0))).await;
    assert!(matches!(gap, LogCopyError::Gap { offset: 3, found: 4, expected: 1, .. }), "{gap:?}");
    let damaged = run(1, record(1, &Bytes::from_static(b"\x01nothing"))).await;
    assert!(matches!(damaged, LogCopyError::Record { partition: 0, offset: 3, .. }), "{damaged:?}");
    let foreign = run(1, Bytes::from_static(b"{}")).await;
    assert!(matches!(foreign, LogCopyError::Read { .. }), "{foreign:?}");
    let text = format!("{:#}", anyhow::Error::from(foreign));
    assert!(text.contains("offset 3 of partition 0"), "{text}");
    let misplaced = run(2, record(0, &body(&elsewhere, 1, 0))).await;
    assert!(matches!(misplaced, LogCopyError::Misplaced { partition: 0, belongs: 1, .. }), "{misplaced:?}");
    let nothing = copy(&empty(1), &empty(1)).await.unwrap_err();
    assert!(matches!(nothing, LogCopyError::Missing { .. }), "{nothing:?}");
}

#[tokio::test]
async fn every_difference_is_noticed() {
    let at = |programs, records| log_of(1, move |partition| history(partition, 1, programs, records)).1;
    let (to, source) = (empty(1), digests(&at(3, 5)).await.unwrap());
    for (other, expected) in [(at(2, 5), "program-2 is missing"), (at(4, 5), "program-3 is not in the source")] {
        let error = verify::compare(&source, &digests(&other).await.unwrap(), &to).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let swapped = log_of(1, |_| {
        let mut entries = history(0, 1, 3, 5);
        // The marks of two records of one program, in the other order.
        let one = encode_record(1, 0, &body(&program(0), 1, 1));
        let other = encode_record(1, 3, &body(&program(0), 1, 0));
        (entries[1], entries[4]) = (one, other);
        entries
    });
    let error = verify::compare(&source, &digests(&swapped.1).await.unwrap(), &to).unwrap_err();
    assert!(error.to_string().contains("program-0 has other records"), "{error}");
    verify::compare(&source, &digests(&at(3, 5)).await.unwrap(), &to).unwrap();
}
