//! Brokers die and come back: nothing that was read back is lost, and appender and reader go on by themselves.

use crate::kafka_support::{PATIENCE, connect, leader, make_topic, on, soon, until};
use crate::support::{number, numbered};
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_log::{Entry, Log, LogError, Offset};
use pactum_testcontainers::{Kafka, Options};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Appends numbers as long as it lives, and keeps all that it reads.
struct Load {
    stop: Arc<AtomicBool>,
    appended: Arc<AtomicU64>,
    read: Arc<AtomicU64>,
    writing: JoinHandle<()>,
    reading: JoinHandle<BTreeMap<Offset, Entry>>,
}

impl Load {
    async fn start(log: &KafkaLog) -> Self {
        let (stop, appended, read) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default(), Arc::default());
        let appender = log.appender(0).unwrap();
        let writing = tokio::spawn({
            let (stop, appended) = (stop.clone(), appended.clone());
            async move {
                while !stop.load(Ordering::Relaxed) {
                    match appender.append(numbered(appended.load(Ordering::Relaxed), 200)) {
                        Ok(()) => drop(appended.fetch_add(1, Ordering::Relaxed)),
                        Err(LogError::Busy | LogError::Unavailable(_)) => {}
                        Err(error) => panic!("an append: {error}"),
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
        let reading = tokio::spawn(keep_reading(log.clone(), stop.clone(), Arc::clone(&read)));
        Self { stop, appended, read, writing, reading }
    }

    /// Waits until something that is appended from now on is read.
    async fn goes_on(&self) -> Duration {
        let (started, from) = (Instant::now(), self.appended.load(Ordering::Relaxed));
        until("reading what is appended now", || self.read.load(Ordering::Relaxed) > from).await;
        started.elapsed()
    }

    async fn end(self) -> BTreeMap<Offset, Entry> {
        self.stop.store(true, Ordering::Relaxed);
        soon("the writer", self.writing).await.unwrap();
        soon("the reader", self.reading).await.unwrap()
    }
}

async fn keep_reading(log: KafkaLog, stop: Arc<AtomicBool>, read: Arc<AtomicU64>) -> BTreeMap<Offset, Entry> {
    let mut entries: BTreeMap<Offset, Entry> = BTreeMap::new();
    let mut reader = log.reader(0, 0).await.unwrap();
    while !stop.load(Ordering::Relaxed) {
        match tokio::time::timeout(Duration::from_millis(100), reader.next(1000)).await {
            Ok(Ok(more)) => {
                for entry in more {
                    read.fetch_max(number(&entry), Ordering::Relaxed);
                    assert!(entries.last_key_value().is_none_or(|(last, _)| *last < entry.offset), "offsets grow");
                    entries.insert(entry.offset, entry);
                }
            }
            // The same reader goes on.
            Ok(Err(error)) => assert!(matches!(error, LogError::Unavailable(_)), "{error}"),
            Err(_) => {}
        }
    }
    entries
}

/// What was read is in the log as it was read; and nothing is in it twice. Order is not asked for: an entry that was reported as
/// failed, because a broker stood still for longer than it may take, can turn up behind later ones.
async fn check(log: &KafkaLog, seen: &BTreeMap<Offset, Entry>) {
    let last = *seen.last_key_value().unwrap().0;
    let mut found: BTreeMap<Offset, Entry> = BTreeMap::new();
    let mut reader = log.reader(0, 0).await.unwrap();
    while found.last_key_value().is_none_or(|(offset, _)| *offset < last) {
        let more = soon("entries", reader.next(1000)).await.unwrap();
        found.extend(more.into_iter().map(|entry| (entry.offset, entry)));
    }
    found.retain(|offset, _| *offset <= last);
    assert!(found == *seen, "the log is no longer what was read: {} and {} entries", found.len(), seen.len());
    let mut numbers: Vec<u64> = found.values().map(number).collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), count, "nothing is there twice");
}

/// Fails fast enough for a test to see it.
fn impatient(options: KafkaOptions) -> KafkaOptions {
    KafkaOptions { message_timeout_ms: 2000, request_timeout_ms: 1500, unavailable_after_ms: 1000, ..options }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_is_killed_and_comes_back() {
    let kafka = Kafka::start(Options::default()).await.unwrap();
    let options = impatient(on(kafka.bootstrap()));
    make_topic(&options, 2, 1).await;
    let log = connect(&options).await;
    let load = Load::start(&log).await;
    load.goes_on().await;

    let (appender, mut reader) = (log.appender(1).unwrap(), log.reader(1, 0).await.unwrap());
    kafka.broker(0).kill().await.unwrap();
    appender.append(numbered(0, 8)).unwrap();
    let failed = soon("a failed append", appender.failed()).await;
    assert!(matches!(&failed, LogError::Unavailable(why) if why.contains("last seen")), "{failed}");
    let unreadable = async {
        loop {
            if let Err(error) = reader.next(1000).await {
                return error;
            }
        }
    };
    let error = soon("an error from the reader", unreadable).await;
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    let error = soon("no end", log.end(0)).await.unwrap_err();
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");

    kafka.broker(0).start().await.unwrap();
    println!("appended and read {:?} after the broker was back", load.goes_on().await);
    assert!(soon("the end", log.end(0)).await.is_ok());
    let seen = load.end().await;
    check(&log, &seen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_leader_of_three_is_killed_and_then_stalled() {
    let kafka = Kafka::start(Options { brokers: 3, ..Options::default() }).await.unwrap();
    let options = on(kafka.bootstrap());
    make_topic(&options, 2, 3).await;
    let log = connect(&options).await;
    let load = Load::start(&log).await;
    load.goes_on().await;

    let dead = leader(&kafka, &options, 0).await;
    kafka.broker(dead).kill().await.unwrap();
    println!("went on {:?} after the leader was killed", load.goes_on().await);
    let started = Instant::now();
    for partition in 0..2 {
        soon("the end", log.end(partition)).await.unwrap();
    }
    println!("ends were told {:?} later", started.elapsed());
    kafka.broker(dead).start().await.unwrap();
    kafka.whole(PATIENCE).await.unwrap();

    let stalled = leader(&kafka, &options, 0).await;
    kafka.broker(stalled).pause().await.unwrap();
    println!("went on {:?} after the leader was stalled", load.goes_on().await);
    kafka.broker(stalled).resume().await.unwrap();
    load.goes_on().await;
    let seen = load.end().await;
    check(&log, &seen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_goes_silent_and_heals() {
    let kafka = Kafka::start(Options { network_paths: 1, ..Options::default() }).await.unwrap();
    let direct = on(kafka.bootstrap());
    make_topic(&direct, 2, 1).await;
    let options = impatient(KafkaOptions { brokers: kafka.path(0).bootstrap(), ..direct.clone() });
    let (log, other) = (connect(&options).await, connect(&direct).await);
    let load = Load::start(&log).await;
    load.goes_on().await;

    let (appender, mut reader) = (log.appender(1).unwrap(), log.reader(1, 0).await.unwrap());
    kafka.path(0).cut();
    appender.append(numbered(0, 8)).unwrap();
    soon("a failed append", appender.failed()).await;
    let unreadable = async {
        loop {
            if let Err(error) = reader.next(1000).await {
                return error;
            }
        }
    };
    let error = soon("an error from the reader", unreadable).await;
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    assert!(other.end(0).await.is_ok(), "others are not cut off");

    kafka.path(0).heal();
    println!("went on {:?} after the network healed", load.goes_on().await);
    let seen = load.end().await;
    check(&other, &seen).await;
}
