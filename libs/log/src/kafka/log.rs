//! The log itself.

use super::appender::KafkaAppender;
use super::client::Client;
use super::ends::Ends;
use super::lane::Lane;
use super::producer::Producer;
use super::reader::{KafkaReader, Readers};
use super::reaper::Reaper;
use super::{KafkaError, KafkaOptions};
use crate::failure::Failure;
use crate::tail::{Limits, Tail};
use crate::{Appender, Log, LogError, Offset, Partition, Reader};
use async_trait::async_trait;
use std::sync::Arc;

/// How many acknowledged entries of a partition are kept for its readers, at most.
const ACKNOWLEDGED_ENTRIES: usize = 8192;

/// A log on Kafka: a topic. Clones are the same log. Its connections close when the last clone, appender and reader is
/// dropped; what is on its way to the brokers then gets half a second.
#[derive(Clone, Debug)]
pub struct KafkaLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    partitions: u32,
    producers: Vec<Arc<Producer>>,
    /// By partition.
    lanes: Vec<Arc<Lane>>,
    readers: Arc<Readers>,
}

impl KafkaLog {
    /// Connects to the brokers and finds the topic, in the time that the options give. Does not look at the topic's
    /// settings: [`topics::check`](super::topics::check) does.
    pub async fn connect(options: KafkaOptions) -> Result<Self, KafkaError> {
        let connecting = tokio::task::spawn_blocking(move || Shared::connect(options));
        let stopped = |_| KafkaError::Client { reason: "connecting was stopped".into() };
        Ok(Self { shared: Arc::new(connecting.await.map_err(stopped)??) })
    }

    fn check(&self, partition: Partition) -> Result<(), LogError> {
        let partitions = self.shared.partitions;
        if partition < partitions { Ok(()) } else { Err(LogError::NoSuchPartition { partition, partitions }) }
    }
}

impl Shared {
    fn connect(options: KafkaOptions) -> Result<Self, KafkaError> {
        options.validate()?;
        let client = Arc::new(Client::new(&options)?);
        let partitions = client.topic(&options)?.partitions;
        let count = options.producers.min(partitions as usize);
        let producers: Result<Vec<_>, _> =
            (0..count).map(|_| Producer::start(&options, client.troubles.clone()).map(Arc::new)).collect();
        let ends = Ends::new(client, options.topic.clone(), partitions, options.request_timeout());
        let limits = Limits { entries: ACKNOWLEDGED_ENTRIES, bytes: options.read_ahead_bytes };
        // Where the partition ends is not known yet, and need not be.
        let acknowledged: Vec<_> = (0..partitions).map(|_| Arc::new(Tail::new(0, limits))).collect();
        let producers = producers?;
        let lanes = (0..partitions).zip(producers.iter().cycle()).zip(&acknowledged);
        let lanes = lanes.map(|((partition, producer), tail)| producer.lane(partition, tail.clone())).collect();
        let readers = Readers { ends: Arc::new(ends), reaper: Reaper::start()?, acknowledged, options };
        Ok(Self { partitions, producers, lanes, readers: Arc::new(readers) })
    }
}

#[async_trait]
impl Log for KafkaLog {
    fn partitions(&self) -> u32 {
        self.shared.partitions
    }

    fn appender(&self, partition: Partition) -> Result<Box<dyn Appender>, LogError> {
        self.check(partition)?;
        let (lane, producers) = (&self.shared.lanes[partition as usize], &self.shared.producers);
        Ok(Box::new(KafkaAppender {
            _producer: producers[partition as usize % producers.len()].clone(),
            lane: lane.clone(),
            max_entry_bytes: self.shared.readers.options.max_entry_bytes,
            failure: Arc::new(Failure::default()),
        }))
    }

    async fn reader(&self, partition: Partition, from: Offset) -> Result<Box<dyn Reader>, LogError> {
        self.check(partition)?;
        Ok(Box::new(KafkaReader::open(self.shared.readers.clone(), partition, from).await?))
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        self.check(partition)?;
        self.shared.readers.ends.end(partition).await
    }
}
