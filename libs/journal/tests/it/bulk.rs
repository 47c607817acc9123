//! Writing given records straight into a partition.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pactum_journal::entry::encode_record;
use pactum_journal::{BulkError, BulkOptions, BulkWriter, Claim, Entry, Follower, Genesis, GenesisError, Position};
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::memory::{Faults, FaultyLog, MemoryLog, MemoryOptions};
use pactum_log::{Log, LogError};

/// Long, for machines that do other things.
const PATIENCE: Duration = Duration::from_secs(120);

fn options() -> BulkOptions {
    BulkOptions {
        owner: "bulk".into(),
        log_id: 7,
        window: 40,
        read_back_timeout: Duration::from_millis(100),
        backoff: Duration::from_millis(5),
        ..BulkOptions::default()
    }
}

fn body(number: u64) -> Bytes {
    Bytes::from(format!("body {number}"))
}

async fn open(log: &Arc<dyn Log>, position: Position) -> Result<BulkWriter, BulkError> {
    let opening = BulkWriter::open(log, 0, position, options());
    tokio::time::timeout(PATIENCE, opening).await.expect("it ends in time")
}

/// Everything that took effect, and where reading it led.
async fn read(log: &Arc<dyn Log>) -> (Vec<Bytes>, Position) {
    let mut follower = Follower::open(Arc::clone(log), 0, Position::default()).await.expect("it opens");
    let end = follower.end().await.expect("it has an end");
    let mut bodies = Vec::new();
    while follower.position().offset < end {
        let batch = follower.next(100).await.expect("it is read");
        bodies.extend(batch.records.into_iter().map(|record| record.body));
    }
    (bodies, follower.position().clone())
}

fn memory(entries: impl IntoIterator<Item = Entry>) -> Arc<dyn Log> {
    let log = MemoryLog::new(&MemoryOptions::default());
    let appender = log.appender(0).expect("there is a partition");
    for entry in entries {
        appender.append(entry.encode()).expect("a memory log takes everything");
    }
    Arc::new(log)
}

fn genesis(log_id: u128) -> Entry {
    Entry::Genesis(Genesis { log_id, partitions: 1, format: 1 })
}

fn claim(owner: &str) -> Entry {
    Entry::Claim(Claim { after: None, claim_id: 1, owner: owner.into() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_body_takes_effect_once_and_in_order_whatever_the_log_does() {
    for (faults, seeds, count) in [(Faults::NONE, 0..1, 2_000), (Faults::SOME, 1..5, 1_000), (Faults::MANY, 5..7, 60)] {
        for seed in seeds {
            let faulty = FaultyLog::start(1, faults, seed);
            let log: Arc<dyn Log> = Arc::new(faulty.clone());
            let mut writer = open(&log, Position::default()).await.expect("it is taken");
            let writing = async {
                for number in 0..count {
                    writer.append(body(number)).await.expect("faults are no reason to give up");
                    assert!(number + 1 - writer.confirmed() <= 40, "the window is kept");
                }
                writer.flush().await.expect("faults are no reason to give up");
            };
            tokio::time::timeout(PATIENCE, writing).await.expect("it ends in time");
            assert_eq!(writer.confirmed(), count);
            let (bodies, position) = read(&log).await;
            assert_eq!(bodies, (0..count).map(body).collect::<Vec<_>>(), "seed {seed}");
            assert_eq!(position.owner.as_deref(), Some("bulk"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_run_goes_on_where_a_killed_one_stopped() {
    const COUNT: u64 = 500;
    let log: Arc<dyn Log> = Arc::new(FaultyLog::start(1, Faults { lose: 0.0, wander: 0.0, ..Faults::SOME }, 3));
    let mut runs = 0;
    loop {
        let (bodies, position) = read(&log).await;
        let there = bodies.len() as u64;
        if there >= COUNT {
            assert_eq!(bodies, (0..COUNT).map(body).collect::<Vec<_>>());
            break;
        }
        runs += 1;
        assert!(runs < 200, "no run gets anywhere");
        // What a killed run left under way may land between the look and the claim: then it is looked at again.
        let Ok(mut writer) = open(&log, position).await else { continue };
        for number in there..(there + 70).min(COUNT) {
            if writer.append(body(number)).await.is_err() {
                break;
            }
        }
        if there + 70 >= COUNT {
            writer.flush().await.expect("nothing else writes");
        }
    }
    assert!(runs > 3, "one run wrote it all");
}

#[tokio::test]
async fn a_partition_that_is_not_as_it_was_said_is_left_alone() {
    type Expected = fn(&BulkError) -> bool;
    let cases: [(Vec<Entry>, Expected); 3] = [
        (
            vec![genesis(7), claim("a:1")],
            |error| matches!(error, BulkError::Taken { offset: 1, owner, .. } if owner == "a:1"),
        ),
        (vec![genesis(8)], |error| {
            matches!(error, BulkError::Genesis { source: GenesisError::Log { found: 8, expected: 7 }, .. })
        }),
        (vec![Entry::Genesis(Genesis { log_id: 7, partitions: 2, format: 1 })], |error| {
            matches!(error, BulkError::Genesis { source: GenesisError::Partitions { found: 2, expected: 1 }, .. })
        }),
    ];
    for (entries, expected) in cases {
        let (log, before) = (memory(entries.clone()), entries.len() as u64);
        let error = open(&log, Position::default()).await.err().expect("it is refused");
        assert!(expected(&error), "{entries:?}: {error:?}");
        assert_eq!(log.end(0).await, Ok(before), "nothing was written");
    }
}

#[tokio::test]
async fn it_stops_when_another_writer_takes_the_partition() {
    let log = memory([]);
    let mut writer = open(&log, Position::default()).await.expect("it is taken");
    writer.append(body(0)).await.expect("it is taken");
    writer.flush().await.expect("it is written");
    let after = writer.position().term;
    let other = Entry::Claim(Claim { after, claim_id: 1, owner: "b:2".into() });
    let appender = log.appender(0).expect("there is a partition");
    appender.append(other.encode()).expect("a memory log takes everything");
    writer.append(body(1)).await.expect("it does not know yet");
    let error = writer.flush().await.expect_err("it was deposed");
    assert!(matches!(error, BulkError::Taken { offset: 3, ref owner, .. } if owner == "b:2"), "{error:?}");
    assert_eq!(read(&log).await.0, [body(0)]);
}

#[tokio::test]
async fn a_record_under_its_name_that_it_did_not_write_stops_it() {
    let log = memory([]);
    let mut writer = open(&log, Position::default()).await.expect("it is taken");
    let term = writer.position().term.expect("it has one");
    let appender = log.appender(0).expect("there is a partition");
    appender.append(encode_record(term, 0, b"not ours")).expect("a memory log takes everything");
    writer.append(body(0)).await.expect("it does not know yet");
    assert_eq!(writer.flush().await, Err(BulkError::NotOurs { partition: 0, offset: term + 1 }));
}

#[tokio::test]
async fn a_body_larger_than_the_window_goes_alone() {
    let log = memory([]);
    let options = BulkOptions { window_bytes: 10, ..options() };
    let mut writer = BulkWriter::open(&log, 0, Position::default(), options).await.expect("it is taken");
    let bodies: Vec<_> = [5, 100, 5, 5, 5].map(|bytes| Bytes::from(vec![1; bytes])).into();
    for body in &bodies {
        writer.append(body.clone()).await.expect("it fits");
    }
    writer.flush().await.expect("it is written");
    assert_eq!(read(&log).await.0, bodies);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waiting_cannot_mend_is_told_at_once_and_the_rest_after_the_patience() {
    let directory = tempfile::tempdir().expect("a directory");
    let full = EmbeddedLog::open(directory.path(), EmbeddedOptions { reserve_bytes: u64::MAX, ..Default::default() });
    let log: Arc<dyn Log> = Arc::new(full.expect("it opens"));
    let error = open(&log, Position::default()).await.err().expect("there is no room");
    assert!(matches!(error, BulkError::Log { source: LogError::Full(_), .. }), "{error:?}");

    let lost: Arc<dyn Log> = Arc::new(FaultyLog::start(1, Faults { lose: 1.0, ..Faults::NONE }, 1));
    let options = BulkOptions { patience: Duration::from_millis(300), ..options() };
    let error = BulkWriter::open(&lost, 0, Position::default(), options).await.err().expect("nothing arrives");
    assert!(matches!(error, BulkError::Stalled { source: LogError::Unavailable(_), .. }), "{error:?}");

    let small = MemoryLog::new(&MemoryOptions { max_entry_bytes: 100, ..MemoryOptions::default() });
    let log: Arc<dyn Log> = Arc::new(small);
    let mut writer = open(&log, Position::default()).await.expect("it is taken");
    let error = writer.append(Bytes::from(vec![0; 200])).await.expect_err("it is too large");
    assert!(matches!(error, BulkError::Log { source: LogError::TooLarge { limit: 100, .. }, .. }), "{error:?}");
}
