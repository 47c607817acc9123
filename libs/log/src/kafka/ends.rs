//! Where partitions begin and end.

use super::client::Client;
use super::trouble::Troubles;
use crate::{LogError, Offset, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A question that meets a leader that is gone is asked again, of the next leader.
const ONE_TRY: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

#[derive(Clone, Copy, Debug)]
enum Which {
    Start,
    End,
}

/// Asks the leaders. For each partition one question is on its way at a time, so that a partition without a leader holds up
/// neither the others nor more than one thread.
#[derive(Debug)]
pub(super) struct Ends {
    client: Arc<Client>,
    topic: String,
    timeout: Duration,
    turns: Vec<Arc<Mutex<()>>>,
}

impl Ends {
    pub(super) fn new(client: Arc<Client>, topic: String, partitions: u32, timeout: Duration) -> Self {
        Self { client, topic, timeout, turns: (0..partitions).map(|_| Arc::default()).collect() }
    }

    pub(super) fn troubles(&self) -> &Arc<Troubles> {
        &self.client.troubles
    }

    /// The offset of the oldest entry.
    pub(super) async fn start(self: &Arc<Self>, partition: Partition) -> Result<Offset, LogError> {
        self.ask(partition, Which::Start).await
    }

    /// The offset after the newest entry that readers may see.
    pub(super) async fn end(self: &Arc<Self>, partition: Partition) -> Result<Offset, LogError> {
        self.ask(partition, Which::End).await
    }

    async fn ask(self: &Arc<Self>, partition: Partition, which: Which) -> Result<Offset, LogError> {
        let turn = self.turns[partition as usize].clone().lock_owned();
        let busy = |_| LogError::Unavailable(self.client.troubles.reason(&"others wait for the log's end already"));
        let (this, turn) = (self.clone(), tokio::time::timeout(self.timeout, turn).await.map_err(busy)?);
        let asking = tokio::task::spawn_blocking(move || {
            // Until it is answered, whoever asked may be gone.
            let _turn = turn;
            this.ask_until_answered(partition, which)
        });
        asking.await.map_err(|_| LogError::Unavailable("asking for the log's end was stopped".into()))?
    }

    fn ask_until_answered(&self, partition: Partition, which: Which) -> Result<Offset, LogError> {
        let deadline = Instant::now() + self.timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let failure = match self.ask_once(partition, which, ONE_TRY.min(left)) {
                Ok(offset) => {
                    self.client.troubles.clear();
                    return Ok(offset);
                }
                Err(error) => error,
            };
            if deadline.saturating_duration_since(Instant::now()) <= PAUSE {
                let what = format_args!("no leader of partition {partition} said where it ends ({failure})");
                return Err(LogError::Unavailable(self.client.troubles.reason(&what)));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn ask_once(&self, partition: Partition, which: Which, timeout: Duration) -> Result<Offset, KafkaError> {
        let place = match which {
            Which::Start => rdkafka::Offset::Beginning,
            Which::End => rdkafka::Offset::End,
        };
        let number = i32::try_from(partition).unwrap_or(i32::MAX);
        let mut question = TopicPartitionList::with_capacity(1);
        question.add_partition_offset(&self.topic, number, place)?;
        let answer = self.client.consumer.offsets_for_times(question, timeout.max(Duration::from_millis(1)))?;
        let found = answer.find_partition(&self.topic, number).ok_or(KafkaError::NoMessageReceived)?;
        found.error()?;
        match found.offset() {
            rdkafka::Offset::Offset(offset) => {
                u64::try_from(offset).map_err(|_| KafkaError::OffsetFetch(RDKafkaErrorCode::OffsetNotAvailable))
            }
            _ => Err(KafkaError::OffsetFetch(RDKafkaErrorCode::OffsetNotAvailable)),
        }
    }
}
