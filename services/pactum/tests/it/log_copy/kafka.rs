//! To a topic and back.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pactum_log::Log;
use pactum_log::kafka::topics::{TopicSpec, ensure};
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_testcontainers::{Kafka, Options, Security, shared};

use super::{copied, embedded, made_source, streams, streams_of};
use crate::system::{PACTUM, pactum};

const PATIENCE: Duration = Duration::from_secs(120);

/// A topic that no other test has.
async fn topic(partitions: u32) -> KafkaOptions {
    topic_on(shared().await.unwrap(), partitions).await
}

async fn topic_on(kafka: &Kafka, partitions: u32) -> KafkaOptions {
    static TOPICS: AtomicU64 = AtomicU64::new(0);
    let topic = format!("copy-{}-{}", std::process::id(), TOPICS.fetch_add(1, Ordering::Relaxed));
    let options = KafkaOptions { brokers: kafka.bootstrap(), topic, ..KafkaOptions::default() };
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

fn start(from: &Path, topic: &KafkaOptions) -> Child {
    Command::new(PACTUM)
        .args(["log", "copy", "--from", &embedded(from), "--to", &name(topic)])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until a copy has written something, or has ended.
async fn under_way(log: &Arc<dyn Log>, child: &mut Child) {
    let started = Instant::now();
    loop {
        let mut end = 0;
        for partition in 0..log.partitions() {
            end += log.end(partition).await.unwrap();
        }
        if end > 100 || child.try_wait().unwrap().is_some() {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "the copy gets nowhere");
    }
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
        let mut child = start(&from, &topic);
        under_way(&log, &mut child).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_meanwhile_and_comes_back_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let from = directory.path().join("from");
    made_source(&from, 5_000).await;
    let source = streams_of(&from).await;
    let kafka = Kafka::start(Options::default()).await.unwrap();
    for _ in 0..10 {
        let topic = topic_on(&kafka, 3).await;
        let log = open(&topic).await;
        let mut child = start(&from, &topic);
        under_way(&log, &mut child).await;
        kafka.broker(0).kill().await.unwrap();
        let in_the_middle = child.try_wait().unwrap().is_none();
        kafka.broker(0).start().await.unwrap();
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        assert!(streams(&log).await == source, "the topic differs from the source");
        if in_the_middle {
            return;
        }
    }
    panic!("no copy was caught in the middle");
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_demand_a_password_get_it_from_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let from = directory.path().join("from");
    made_source(&from, 20).await;
    let security = Security::SaslPassword { username: "pactum".into(), password: "moved by night".into() };
    let kafka = Kafka::start(Options { security, ..Options::default() }).await.unwrap();
    let file = |name: &str, password: &str| {
        let (path, secret) = (directory.path().join(name), directory.path().join(format!("{name}.password")));
        std::fs::write(&secret, password).unwrap();
        let settings = format!(
            "[log]\nkind = 'kafka'\n[kafka]\nbrokers = '{}'\ntopic = 'moved'\n[kafka.security]\n\
             protocol = 'sasl_ssl'\nca_file = {:?}\nmechanism = 'scram-sha-512'\nusername = 'pactum'\n\
             password_file = {secret:?}\n",
            kafka.bootstrap(),
            kafka.certificates().unwrap().ca_file,
        );
        std::fs::write(&path, settings).unwrap();
        format!("config:{}", path.display())
    };
    let (right, wrong) = (file("right.toml", "moved by night"), file("wrong.toml", "moved by day"));
    let config = right.strip_prefix("config:").unwrap();
    crate::system::pactum_ok(&["topics", "ensure", "--config", config, "--replication-factor", "1"]);

    let refused = pactum(&["log", "copy", "--from", &embedded(&from), "--to", &wrong]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("refuse the credentials"), "{text}");
    let there = copied(&["--from", &embedded(&from), "--to", &right]);
    let back = directory.path().join("back");
    assert_eq!(copied(&["--from", &right, "--to", &embedded(&back)])["sha256"], there["sha256"]);
    assert_eq!(streams_of(&back).await, streams_of(&from).await);
}
