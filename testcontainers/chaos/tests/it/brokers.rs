//! Two command roles on three real brokers that are killed, stalled and cut off, each role by a network of its own.

use std::sync::Arc;
use std::time::Duration;

use pactum_chaos::{LoadOptions, check};
use pactum_journal::JournalOptions;
use pactum_log::Log;
use pactum_log::kafka::{KafkaLog, KafkaOptions, topics};
use pactum_testcontainers::{Kafka, Options};

use crate::local::{Local, PATIENCE, contents};

const TOPIC: &str = "contested";

/// Each role is told to own everything, and takes it back some seconds after it lost it: the other takes over meanwhile.
fn contested() -> JournalOptions {
    JournalOptions { contest_delay: Duration::from_secs(4), ..JournalOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_die_stall_and_are_cut_off_lose_and_double_nothing() {
    let kafka = Kafka::start(Options { brokers: 3, network_paths: 2, ..Options::default() }).await.unwrap();
    let options = |brokers| KafkaOptions { brokers, topic: TOPIC.into(), ..KafkaOptions::default() };
    let spec = topics::TopicSpec { partitions: 2, replication_factor: 3, min_insync_replicas: 2 };
    topics::ensure(&options(kafka.bootstrap()), spec).await.unwrap();
    let mut logs: Vec<Arc<dyn Log>> = Vec::new();
    for path in 0..2 {
        logs.push(Arc::new(KafkaLog::connect(options(kafka.path(path).bootstrap())).await.unwrap()));
    }
    let views = tempfile::tempdir().unwrap();
    let local = Local::start(&logs, contested(), views.path()).await;
    let load = local.load(LoadOptions { seed: 21, ..LoadOptions::default() }).await;
    load.answered(20, PATIENCE).await.unwrap();

    let leader = kafka.leader(TOPIC, 0).await.unwrap().unwrap();
    kafka.broker(leader).kill().await.unwrap();
    load.answered(10, PATIENCE).await.unwrap();
    kafka.broker(leader).start().await.unwrap();
    kafka.whole(PATIENCE).await.unwrap();

    for path in 0..2 {
        kafka.path(path).cut();
        load.answered(10, PATIENCE).await.unwrap();
        kafka.path(path).heal();
        load.answered(10, PATIENCE).await.unwrap();
    }

    let leader = kafka.leader(TOPIC, 1).await.unwrap().unwrap();
    kafka.broker(leader).pause().await.unwrap();
    load.answered(10, PATIENCE).await.unwrap();
    kafka.broker(leader).resume().await.unwrap();
    kafka.whole(PATIENCE).await.unwrap();

    let history = load.stop().await;
    let log = contents(&local.finish().await).await;
    let findings = check(&history, &log);
    assert!(findings.is_clean(), "{findings}");
    assert!(log.terms > 2 && findings.decisions > 10 && findings.reads > 10, "{} terms, {findings:?}", log.terms);
}
