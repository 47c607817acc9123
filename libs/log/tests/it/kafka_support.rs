//! Topics of a test's own on real brokers.

use pactum_log::kafka::topics::{TopicSpec, ensure};
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_testcontainers::{Kafka, shared};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Longer than anything here should take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: nothing within {PATIENCE:?}"),
    }
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let reached = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon(what, reached).await;
}

/// Options for a topic that no other test has.
pub(crate) fn on(brokers: String) -> KafkaOptions {
    static TOPICS: AtomicU64 = AtomicU64::new(0);
    let topic = format!("test-{}-{}", std::process::id(), TOPICS.fetch_add(1, Ordering::Relaxed));
    KafkaOptions { brokers, topic, max_entry_bytes: 256 * 1024, ..KafkaOptions::default() }
}

pub(crate) async fn on_shared() -> KafkaOptions {
    on(shared().await.unwrap().bootstrap())
}

/// One copy, or on three brokers three of which two must be there.
pub(crate) async fn make_topic(options: &KafkaOptions, partitions: u32, replication_factor: u32) {
    let min_insync_replicas = if replication_factor == 1 { 1 } else { 2 };
    let made = ensure(options, TopicSpec { partitions, replication_factor, min_insync_replicas }).await.unwrap();
    assert!(made.created && made.partitions == partitions, "{made:?}");
}

pub(crate) async fn connect(options: &KafkaOptions) -> KafkaLog {
    soon("connecting", KafkaLog::connect(options.clone())).await.unwrap()
}

/// The index of the broker that leads the partition.
pub(crate) async fn leader(kafka: &Kafka, options: &KafkaOptions, partition: u32) -> usize {
    let elected = async {
        loop {
            if let Ok(Some(leader)) = kafka.leader(&options.topic, partition).await {
                return leader;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    soon("a leader", elected).await
}
