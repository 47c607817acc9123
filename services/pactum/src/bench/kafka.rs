//! `RegisterDeal` on Kafka, beside what the brokers and their client library alone can do.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hdrhistogram::Histogram;
use pactum_log::Log;
use pactum_log::kafka::topics::{self, TopicSpec};
use pactum_log::kafka::{KafkaError, KafkaLog, KafkaOptions, raw};
use tokio_util::sync::CancellationToken;

use super::commands::{self, PROGRAM};
use super::echo;
use super::load::Figures;
use super::program;
use super::read_back::ReadBack;
use crate::serve::{self, Roles};

/// About what a registration is in the log.
const ENTRY_BYTES: usize = 400;

/// The log in a topic of its own, removed afterwards.
pub(super) async fn run(
    kafka: KafkaOptions,
    in_flight: &[usize],
    seconds: f64,
) -> anyhow::Result<Vec<(String, Figures)>> {
    let scratch = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(".")?;
    let log_topic = Topic::make(&kafka, "log", 1).await?;
    let raw_topic = Topic::make(&kafka, "raw", 1).await?;
    let stop = CancellationToken::new();
    let log: Arc<dyn Log> = Arc::new(KafkaLog::connect(log_topic.0.clone()).await?);
    let echo_topic = Topic::make(&kafka, "echo", 1).await?;
    let echo_log: Arc<dyn Log> = Arc::new(KafkaLog::connect(echo_topic.0.clone()).await?);
    let system = serve::start_roles(log, Roles::Command, scratch.path(), stop.clone()).await?;
    let token = program::make(system.grpc, &system.key, PROGRAM).await?;
    let sizes = commands::sizes(system.grpc, &token).await?;
    let numbers = Arc::new(AtomicU64::new(1));
    let mut rows = Vec::new();
    for &callers in in_flight {
        rows.push(echo::measure(&sizes, callers, seconds).await?);
        rows.push((
            format!("append and read back, librdkafka alone, {ENTRY_BYTES} bytes"),
            read_back(&raw_topic.0, callers, seconds).await?,
        ));
        rows.push((
            format!("echo that appends and reads back, no domain, {ENTRY_BYTES} bytes"),
            echo::measure_over(Some(ReadBack::start(&echo_log, ENTRY_BYTES).await?), &sizes, callers, seconds).await?,
        ));
        rows.push((
            "RegisterDeal, Kafka log".to_owned(),
            commands::register(system.grpc, &token, callers, seconds, &numbers).await?,
        ));
    }
    stop.cancel();
    system.finish().await?;
    drop(echo_log);
    log_topic.remove().await?;
    echo_topic.remove().await?;
    raw_topic.remove().await?;
    Ok(rows)
}

/// The client library alone, after a warm-up of a fifth of the time.
async fn read_back(topic: &KafkaOptions, window: usize, seconds: f64) -> anyhow::Result<Figures> {
    let topic = topic.clone();
    let waits = tokio::task::spawn_blocking(move || {
        raw::read_back(&topic, window, ENTRY_BYTES, Duration::from_secs_f64(seconds / 5.0))?;
        raw::read_back(&topic, window, ENTRY_BYTES, Duration::from_secs_f64(seconds))
    })
    .await??;
    let mut latencies = Histogram::<u64>::new(3)?;
    for wait in waits {
        latencies.record(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX).max(1))?;
    }
    Ok(Figures::of(window, &latencies, Duration::from_secs_f64(seconds)))
}

/// A topic that is there while something is measured.
pub(super) struct Topic(pub(super) KafkaOptions);

impl Topic {
    pub(super) async fn make(kafka: &KafkaOptions, what: &str, partitions: u32) -> anyhow::Result<Self> {
        let topic = format!("pactum-bench-{what}-{:08x}", rand::random::<u32>());
        let options = KafkaOptions { topic, ..kafka.clone() };
        let spec = |replication_factor: u32| TopicSpec {
            partitions,
            replication_factor,
            min_insync_replicas: replication_factor.min(2),
        };
        // As a cluster is run, where there is one.
        match topics::ensure(&options, spec(3)).await {
            Err(KafkaError::Refused { .. }) => topics::ensure(&options, spec(1)).await?,
            ensured => ensured?,
        };
        Ok(Self(options))
    }

    pub(super) async fn remove(self) -> anyhow::Result<()> {
        Ok(topics::remove(&self.0).await?)
    }
}
