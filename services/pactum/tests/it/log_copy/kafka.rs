//! To a topic and back.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pactum_log::Log;
use pactum_log::kafka::topics::{TopicSpec, ensure};
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_testcontainers::shared;

use super::{copied, embedded, made_source, streams, streams_of};
use crate::system::{PACTUM, pactum};

const PATIENCE: Duration = Duration::from_secs(120);

/// A topic that no other test has.
async fn topic(partitions: u32) -> KafkaOptions {
    static TOPICS: AtomicU64 = AtomicU64::new(0);
    let topic = format!("copy-{}-{}", std::process::id(), TOPICS.fetch_add(1, Ordering::Relaxed));
    let options = KafkaOptions { brokers: shared().await.unwrap().bootstrap(), topic, ..KafkaOptions::default() };
    ensure(&options, TopicSpec { partitions, replication_factor: 1, min_insync_replicas: 1 }).await.unwrap();
    options
}

fn name(options: &KafkaOptions) -> String {
    format!("kafka:{}/{}", options.brokers, options.topic)
}

async fn open(options: &KafkaOptions) -> Arc<dyn Log> {
    Arc::new(KafkaLog::connect(options.clone()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded_to_kafka_and_back_keeps_every_byte() {
    let directory = tempfile::tempdir().unwrap();
    let (from, back) = (directory.path().join("from"), directory.path().join("back"));
    made_source(&from, 1_000).await;
    let source = streams_of(&from).await;
    let topic = topic(4).await;
    let report = copied(&["--from", &embedded(&from), "--to", &name(&topic)]);
    assert_eq!(report["to_partitions"], 4);
    assert!(streams(&open(&topic).await).await == source, "the topic differs from the source");
    let again = copied(&["--from", &name(&topic), "--to", &embedded(&back), "--partitions", "2"]);
    assert_eq!(again["sha256"], report["sha256"]);
    assert!(streams_of(&back).await == source, "what came back differs from the source");
    let same = pactum(&["log", "copy", "--from", &name(&topic), "--to", &format!("{}x", name(&topic))]);
    let text = String::from_utf8_lossy(&same.stderr).into_owned();
    assert!(!same.status.success() && text.contains("pactum topics ensure"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_on_the_way_to_kafka_it_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let from = directory.path().join("from");
    made_source(&from, 5_000).await;
    let source = streams_of(&from).await;
    let total: usize = source.values().map(Vec::len).sum();
    for _ in 0..10 {
        let topic = topic(3).await;
        let log = open(&topic).await;
        let mut child = Command::new(PACTUM)
            .args(["log", "copy", "--from", &embedded(&from), "--to", &name(&topic)])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        loop {
            let mut end = 0;
            for partition in 0..3 {
                end += log.end(partition).await.unwrap();
            }
            if end > 100 || child.try_wait().unwrap().is_some() {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "the copy gets nowhere");
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let there: usize = streams(&log).await.values().map(Vec::len).sum();
        copied(&["--from", &embedded(&from), "--to", &name(&topic)]);
        assert!(streams(&log).await == source, "the topic differs from the source");
        if (1..total).contains(&there) {
            return;
        }
    }
    panic!("no copy was caught in the middle");
}
