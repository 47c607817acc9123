//! Makes the topic.

use super::admin::Admin;
use crate::kafka::client::{Client, Description};
use crate::kafka::{KafkaError, KafkaOptions};
use rdkafka::admin::{NewTopic, TopicReplication};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

const PAUSE: Duration = Duration::from_millis(50);

/// What a new topic is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    /// How many partitions. A log keeps its number for ever.
    pub partitions: u32,
    /// How many brokers hold each partition.
    pub replication_factor: u32,
    /// How many of them must have an entry before it is acknowledged.
    pub min_insync_replicas: u32,
}

/// What there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ensured {
    /// Whether it was made now. An existing topic is left as it is; [`check`](super::check) says what is wrong with it.
    pub created: bool,
    /// How many partitions it has.
    pub partitions: u32,
    /// How many brokers hold the partition that the fewest hold.
    pub replication_factor: u32,
}

/// Makes the topic as a log needs it, if there is none, and waits until it can be used.
pub async fn ensure(options: &KafkaOptions, spec: TopicSpec) -> Result<Ensured, KafkaError> {
    let invalid = |option, expected| Err(KafkaError::InvalidOption { option, expected });
    if !(1..=100_000).contains(&spec.partitions) {
        return invalid("partitions", "1 to 100000");
    }
    if !(1..=100).contains(&spec.replication_factor) {
        return invalid("replication_factor", "1 to 100");
    }
    if !(1..=spec.replication_factor).contains(&spec.min_insync_replicas) {
        return invalid("min_insync_replicas", "1 to the replication factor");
    }
    let (options, runtime) = (options.clone(), Handle::current());
    let ensuring = tokio::task::spawn_blocking(move || ensure_blocking(&options, spec, runtime));
    ensuring.await.map_err(|_| KafkaError::Client { reason: "making a topic was stopped".into() })?
}

fn ensure_blocking(options: &KafkaOptions, spec: TopicSpec, runtime: Handle) -> Result<Ensured, KafkaError> {
    options.validate()?;
    let client = Client::new(options)?;
    match client.topic(options) {
        Ok(found) => return Ok(ensured(false, &found)),
        Err(KafkaError::MissingTopic { .. }) => {}
        Err(error) => return Err(error),
    }
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let (in_sync, batch) = (spec.min_insync_replicas.to_string(), options.max_batch_bytes().to_string());
    let replication = TopicReplication::Fixed(number(spec.replication_factor));
    let topic = NewTopic::new(&options.topic, number(spec.partitions), replication)
        .set("cleanup.policy", "delete")
        .set("retention.ms", "-1")
        .set("retention.bytes", "-1")
        .set("min.insync.replicas", &in_sync)
        .set("unclean.leader.election.enable", "false")
        .set("max.message.bytes", &batch)
        // The brokers refuse entries with a time far off their own; a client's clock must not stop the log.
        .set("message.timestamp.type", "LogAppendTime")
        .set("compression.type", "producer");
    let created = Admin::new(options, &client, runtime)?.create(&topic)?;
    // Brokers learn of it one after another.
    let deadline = Instant::now() + options.connect_timeout();
    loop {
        match client.topic(options) {
            Ok(found) if !created || found.partitions == spec.partitions => return Ok(ensured(created, &found)),
            Ok(_) | Err(KafkaError::MissingTopic { .. }) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            Ok(found) => {
                let reason = format!("{} of {} partitions were there in time", found.partitions, spec.partitions);
                return Err(KafkaError::NoPartitions { topic: options.topic.clone(), reason });
            }
            Err(error) => return Err(error),
        }
    }
}

fn ensured(created: bool, found: &Description) -> Ensured {
    let replication_factor = u32::try_from(found.replicas).unwrap_or(u32::MAX);
    Ensured { created, partitions: found.partitions, replication_factor }
}
