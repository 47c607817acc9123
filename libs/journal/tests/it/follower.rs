//! Following a partition.

use std::sync::Arc;

use bytes::Bytes;
use pactum_journal::entry::encode_record;
use pactum_journal::{Claim, Entry, EntryError, FollowError, Follower, Genesis, GenesisError, Position};
use pactum_log::Log;
use pactum_log::memory::{MemoryLog, MemoryOptions};

fn log_of(entries: impl IntoIterator<Item = Bytes>) -> Arc<dyn Log> {
    let log = MemoryLog::new(&MemoryOptions::default());
    let appender = log.appender(0).expect("there is a partition");
    for entry in entries {
        appender.append(entry).expect("a memory log takes everything");
    }
    Arc::new(log)
}

fn genesis(partitions: u32) -> Bytes {
    Entry::Genesis(Genesis { log_id: 1, partitions, format: 1 }).encode()
}

fn claim(after: Option<u64>) -> Bytes {
    Entry::Claim(Claim { after, claim_id: 1, owner: "a".into() }).encode()
}

fn record(term: u64, n: u64) -> Bytes {
    encode_record(term, n, format!("{term}/{n}").as_bytes())
}

async fn follow(log: &Arc<dyn Log>, position: Position) -> Follower {
    Follower::open(Arc::clone(log), 0, position).await.expect("it opens")
}

/// A history with one of everything.
fn history() -> Vec<Bytes> {
    let term1 = [genesis(1), claim(None), record(1, 0), record(1, 0), record(1, 1)];
    let term5 = [claim(Some(1)), record(1, 2), record(5, 0), claim(Some(1)), record(5, 1)];
    term1.into_iter().chain(term5).collect()
}

#[tokio::test]
async fn only_what_took_effect_is_handed_out_in_batches_of_any_size() {
    let log = log_of(history());
    for max in 1..12 {
        let mut follower = follow(&log, Position::default()).await;
        let mut bodies = Vec::new();
        while follower.position().offset < follower.end().await.expect("it has one") {
            let batch = follower.next(max).await.expect("all is well");
            assert_eq!(&batch.position, follower.position());
            bodies.extend(batch.records.into_iter().map(|valid| (valid.offset, valid.body)));
        }
        let expected = [(2, "1/0"), (4, "1/1"), (7, "5/0"), (9, "5/1")];
        assert_eq!(bodies, expected.map(|(offset, body)| (offset, Bytes::from(body))), "by {max}");
        assert_eq!(follower.skipped().total(), 3);
    }
}

#[tokio::test]
async fn it_goes_on_from_any_stored_position() {
    let log = log_of(history());
    let mut whole = follow(&log, Position::default()).await;
    for _ in 0..history().len() {
        let position = whole.next(1).await.expect("all is well").position;
        if position.offset < 10 {
            let mut resumed = follow(&log, position).await;
            let rest = resumed.next(100).await.expect("all is well");
            assert_eq!(rest.records.last().map(|valid| valid.offset), Some(9));
            assert_eq!(rest.position.next, 2);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_stops_it_after_what_can() {
    let mut entries = history();
    entries.push(Bytes::from_static(b"foreign"));
    entries.push(record(5, 2));
    let mut follower = follow(&log_of(entries), Position::default()).await;
    let batch = follower.next(100).await.expect("the good ones come first");
    assert_eq!((batch.records.len(), batch.position.offset), (4, 10));
    let stopped = Err(FollowError::Entry { partition: 0, offset: 10, source: EntryError::Foreign });
    assert_eq!(follower.next(100).await, stopped);
    assert_eq!(follower.next(100).await, stopped, "it stays stopped");
    assert_eq!(follower.position().offset, 10);
}

#[tokio::test]
async fn another_layout_is_an_error() {
    let source = GenesisError::Partitions { found: 4, expected: 1 };
    let error = FollowError::Genesis { partition: 0, source };
    let log = log_of([genesis(4)]);
    assert_eq!(follow(&log, Position::default()).await.next(1).await, Err(error.clone()));
    let stored = Position { genesis: Some(Genesis { log_id: 1, partitions: 4, format: 1 }), ..Position::default() };
    assert_eq!(Follower::open(log, 0, stored).await.err(), Some(error));
}

#[tokio::test]
async fn a_log_that_fails_is_tried_again() {
    let memory = MemoryLog::new(&MemoryOptions::default());
    let mut follower = follow(&(Arc::new(memory.clone()) as Arc<dyn Log>), Position::default()).await;
    memory.close();
    for _ in 0..2 {
        assert!(matches!(follower.next(1).await, Err(FollowError::Log { partition: 0, .. })));
    }
}
