//! Entries that readers are given because the brokers acknowledged them, on a real broker.

use crate::kafka_support::{connect, make_topic, on_shared, soon};
use bytes::Bytes;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use pactum_log::kafka::KafkaLog;
use pactum_log::{Entry, Log, LogError};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longer than fetching rests, so that what comes after such a pause meets a reader that fetches.
const PAUSE: Duration = Duration::from_millis(120);

/// Counts what readers were given without fetching it.
#[derive(Default)]
struct Acknowledged(Arc<AtomicU64>);

impl Recorder for Acknowledged {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if key.name() == "pactum_kafka_reader_acknowledged_entries_total" {
            Counter::from_arc(self.0.clone())
        } else {
            Counter::noop()
        }
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Appends, however full the queue is.
async fn append(log: &KafkaLog, entries: impl Iterator<Item = Bytes>) {
    let appender = log.appender(0).unwrap();
    for entry in entries {
        while let Err(error) = appender.append(entry.clone()) {
            assert_eq!(error, LogError::Busy);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn read(log: KafkaLog, count: usize) -> Vec<Entry> {
    let mut reader = log.reader(0, 0).await.unwrap();
    let mut entries = Vec::new();
    while entries.len() < count {
        entries.extend(reader.next(1000).await.unwrap());
    }
    entries
}

fn numbered(writer: &str, numbers: std::ops::Range<u64>) -> impl Iterator<Item = Bytes> {
    numbers.map(move |number| Bytes::from(format!("{writer} {number}")))
}

/// Two processes append by turns and at once, with and without pauses. Whoever reads, and whether it appended or not, is given
/// the same entries, each writer's in their order.
#[tokio::test]
async fn all_readers_are_given_the_same_whoever_appended() {
    let options = on_shared().await;
    make_topic(&options, 1, 1).await;
    let logs = [connect(&options).await, connect(&options).await, connect(&options).await];
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let bursts: Vec<(u64, u64, bool)> =
        (0..30).map(|_| (rng.random_range(0..300), rng.random_range(0..300), rng.random_bool(0.3))).collect();
    let (first, second): (u64, u64) = bursts.iter().fold((0, 0), |(a, b), burst| (a + burst.0, b + burst.1));
    let total = usize::try_from(first + second).unwrap();

    let readers: Vec<_> = logs.iter().map(|log| tokio::spawn(read(log.clone(), total))).collect();
    let (mut from_first, mut from_second) = (0, 0);
    for (of_first, of_second, pause) in bursts {
        let (a, b) = (
            numbered("first", from_first..from_first + of_first),
            numbered("second", from_second..from_second + of_second),
        );
        tokio::join!(append(&logs[0], a), append(&logs[1], b));
        (from_first, from_second) = (from_first + of_first, from_second + of_second);
        if pause {
            tokio::time::sleep(PAUSE).await;
        }
    }
    let mut read = Vec::new();
    for reader in readers {
        read.push(soon("the same entries everywhere", reader).await.unwrap());
    }
    assert!(read[0] == read[2] && read[1] == read[2], "who appended reads something else than who did not");
    assert!(read[0].windows(2).all(|pair| pair[0].offset < pair[1].offset), "each once");
    for (writer, count) in [("first", first), ("second", second)] {
        let of_writer = read[0].iter().map(|entry| &entry.bytes).filter(|bytes| bytes.starts_with(writer.as_bytes()));
        assert!(of_writer.eq(numbered(writer, 0..count).collect::<Vec<_>>().iter()), "{writer}'s in their order");
    }
}

/// Who alone appends is given nearly everything without fetching; what another appends then is read all the same, whether
/// entries of our own come behind it or not.
#[tokio::test]
async fn own_entries_need_not_be_fetched_and_others_are() {
    let recorder = Acknowledged::default();
    let counted = recorder.0.clone();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let options = on_shared().await;
    make_topic(&options, 1, 1).await;
    let (ours, theirs) = (connect(&options).await, connect(&options).await);
    let mut reader = ours.reader(0, 0).await.unwrap();
    let mut next = async |what: &str, bytes: &Bytes| {
        let entries = soon(what, reader.next(1)).await.unwrap();
        assert_eq!(&entries[0].bytes, bytes, "{what}");
    };
    for entry in numbered("ours", 0..1000) {
        append(&ours, std::iter::once(entry.clone())).await;
        next("ours", &entry).await;
    }
    // All but those that a fetch brought before the acknowledgement was heard: at the start, and after a pause of ours.
    let unfetched = counted.load(Ordering::Relaxed);
    assert!(unfetched > 500, "{unfetched} of 1000 were given without fetching");

    // Whoever opens the log later, to verify it for instance, is told by the brokers.
    let entries = soon("all again", read(ours.clone(), 1000)).await;
    assert!(entries.iter().map(|entry| entry.bytes.clone()).eq(numbered("ours", 0..1000)));
    assert_eq!(counted.load(Ordering::Relaxed), unfetched, "what was there before is fetched");

    let (foreign, own) = (Bytes::from_static(b"theirs"), Bytes::from_static(b"ours again"));
    append(&theirs, std::iter::once(foreign.clone())).await;
    let mut theirs_reader = theirs.reader(0, 1000).await.unwrap();
    soon("theirs", theirs_reader.next(1)).await.unwrap();
    append(&ours, std::iter::once(own.clone())).await;
    next("theirs, in front of ours", &foreign).await;
    next("ours, behind theirs", &own).await;
    append(&theirs, std::iter::once(foreign.clone())).await;
    next("theirs, with nothing behind", &foreign).await;
}
