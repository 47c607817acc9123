//! A client that asks questions: what the topic is, where its partitions end.

use super::context::Context;
use super::trouble::{Kind, Troubles};
use super::{KafkaError, KafkaOptions, properties};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::types::RDKafkaErrorCode;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the thread that serves the client looks whether it may end.
const SERVE: Duration = Duration::from_millis(200);
/// What was just made takes a moment until every broker knows it.
const SETTLE: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_millis(50);

/// A client that asks questions. Everything here blocks.
pub(super) struct Client {
    pub(super) consumer: Arc<BaseConsumer<Context>>,
    pub(super) troubles: Arc<Troubles>,
    stop: Arc<AtomicBool>,
}

impl Client {
    /// Makes a client; it connects when it is asked something.
    pub(super) fn new(options: &KafkaOptions) -> Result<Self, KafkaError> {
        let troubles = Arc::<Troubles>::default();
        let context = Context::new(options, troubles.clone());
        let consumer: BaseConsumer<Context> = properties::query(options)?.create_with_context(context)?;
        let (consumer, stop) = (Arc::new(consumer), Arc::<AtomicBool>::default());
        let thread = std::thread::Builder::new().name("kafka-client".into());
        let run = {
            let (consumer, stop) = (consumer.clone(), stop.clone());
            // Errors, tokens and statistics are served here; and the client is usually closed here.
            move || {
                while !stop.load(Ordering::Relaxed) {
                    drop(consumer.poll(SERVE));
                }
            }
        };
        thread.spawn(run).map_err(|error| KafkaError::Client { reason: format!("start a thread: {error}") })?;
        Ok(Self { consumer, troubles, stop })
    }

    /// The topic as the brokers know it, and the cluster. Waits for them, for as long as the options say.
    pub(super) fn topic(&self, options: &KafkaOptions) -> Result<Description, KafkaError> {
        let topic = &options.topic;
        let started = Instant::now();
        let deadline = started + options.connect_timeout();
        let mut patience = Duration::from_millis(250);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let asked = self.consumer.fetch_metadata(Some(topic), patience.min(left.max(Duration::from_millis(1))));
            patience *= 2;
            let failure = match asked {
                Ok(metadata) => match describe(&metadata, topic) {
                    Ok(description) => {
                        self.troubles.clear();
                        return Ok(description);
                    }
                    Err(KafkaError::MissingTopic { topic }) if started.elapsed() >= SETTLE => {
                        return Err(KafkaError::MissingTopic { topic });
                    }
                    Err(error @ KafkaError::Forbidden { .. }) => return Err(error),
                    Err(error) => error,
                },
                Err(error) => self.unreachable(options, &error),
            };
            let hopeless = matches!(failure, KafkaError::Credentials { .. } | KafkaError::Tls { .. });
            if hopeless || Instant::now() >= deadline {
                return Err(failure);
            }
            std::thread::sleep(RETRY.min(deadline.saturating_duration_since(Instant::now())));
        }
    }

    /// Why nobody answered, as far as was seen.
    pub(super) fn unreachable(&self, options: &KafkaOptions, error: &rdkafka::error::KafkaError) -> KafkaError {
        let brokers = options.brokers.clone();
        match self.troubles.last() {
            Some(trouble) => match trouble.kind {
                Kind::Credentials => KafkaError::Credentials { reason: trouble.reason },
                Kind::Tls => KafkaError::Tls { reason: trouble.reason },
                Kind::Other => KafkaError::Unreachable { brokers, reason: trouble.reason },
            },
            None => KafkaError::Unreachable { brokers, reason: error.to_string() },
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A topic as its brokers describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Description {
    pub(super) partitions: u32,
    pub(super) brokers: usize,
    /// The partition with the fewest replicas has this many.
    pub(super) replicas: usize,
}

fn describe(metadata: &Metadata, topic: &str) -> Result<Description, KafkaError> {
    let missing = || KafkaError::MissingTopic { topic: topic.to_owned() };
    let found = metadata.topics().iter().find(|found| found.name() == topic).ok_or_else(missing)?;
    match found.error().map(RDKafkaErrorCode::from) {
        None => {}
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => return Err(missing()),
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => {
            return Err(KafkaError::Forbidden { operation: format!("describe the topic {topic}") });
        }
        Some(code) => return Err(KafkaError::NoPartitions { topic: topic.to_owned(), reason: code.to_string() }),
    }
    let partitions = found.partitions().len();
    if partitions == 0 {
        let reason = "the list is empty".to_owned();
        return Err(KafkaError::NoPartitions { topic: topic.to_owned(), reason });
    }
    Ok(Description {
        partitions: u32::try_from(partitions).unwrap_or(u32::MAX),
        brokers: metadata.brokers().len(),
        replicas: fewest_replicas(found),
    })
}

fn fewest_replicas(topic: &MetadataTopic) -> usize {
    topic.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or(0)
}
