//! A client that reads one partition from one offset on.

use super::context::Context;
use super::reader::Readers;
use super::{KafkaError, KafkaOptions, properties};
use crate::{Entry, LogError, Offset, Partition};
use bytes::Bytes;
use futures::task::AtomicWaker;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::types::RDKafkaErrorCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Given out at once, at most, whatever was asked for: a copy is made of each.
const MOST_ENTRIES: usize = 4096;
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What a source met behind the entries that it gave out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The brokers do not have this offset.
    NoSuchOffset,
    /// The partition cannot be read now.
    Passing(LogError),
    /// What is stored is damaged.
    Final(LogError),
}

/// A client that reads one partition. Its threads fetch ahead into its queue, within bounds.
pub(super) struct Source {
    consumer: Option<BaseConsumer<Context>>,
    /// Woken when the queue is no longer empty.
    waker: Arc<AtomicWaker>,
    served: Arc<AtomicU64>,
    partition: Partition,
    readers: Arc<Readers>,
}

impl Source {
    pub(super) async fn open(readers: Arc<Readers>, partition: Partition, from: Offset) -> Result<Self, LogError> {
        // Making a client reads certificates and starts threads.
        let opening = tokio::task::spawn_blocking(move || {
            let opened = Self::connect(&readers, partition, from);
            opened.map_err(|error| LogError::Unavailable(error.to_string()))
        });
        opening.await.map_err(|_| LogError::Unavailable("opening a reader was stopped".into()))?
    }

    fn connect(readers: &Arc<Readers>, partition: Partition, from: Offset) -> Result<Self, KafkaError> {
        let options: &KafkaOptions = &readers.options;
        let context = Context::new(options, readers.ends.troubles().clone());
        let (waker, served) = (Arc::<AtomicWaker>::default(), context.served.clone());
        let mut consumer: BaseConsumer<Context> = properties::reader(options)?.create_with_context(context)?;
        consumer.set_nonempty_callback({
            let waker = waker.clone();
            move || waker.wake()
        });
        let source = Self { consumer: Some(consumer), waker, served, partition, readers: readers.clone() };
        source.fetch(from)?;
        Ok(source)
    }

    /// Fetches from this offset on, whatever was fetched before. Takes a moment, but speaks to no broker.
    pub(super) fn fetch(&self, from: Offset) -> Result<(), KafkaError> {
        let number = i32::try_from(self.partition).unwrap_or(i32::MAX);
        let from = rdkafka::Offset::Offset(i64::try_from(from).unwrap_or(i64::MAX));
        let mut assignment = TopicPartitionList::with_capacity(1);
        assignment.add_partition_offset(&self.readers.options.topic, number, from)?;
        Ok(self.consumer.as_ref().map_or(Ok(()), |consumer| consumer.assign(&assignment))?)
    }

    /// Fetches nothing until told to again. Takes a moment, too.
    pub(super) fn rest(&self) -> Result<(), KafkaError> {
        Ok(self.consumer.as_ref().map_or(Ok(()), BaseConsumer::unassign)?)
    }

    pub(super) fn waker(&self) -> &AtomicWaker {
        &self.waker
    }

    /// Takes what is in the queue from `next` on, and moves `next` behind it.
    pub(super) fn take(&self, next: &mut Offset, max: usize, entries: &mut Vec<Entry>) -> Option<Fault> {
        let consumer = self.consumer.as_ref()?;
        let (most, mut bytes) = (max.clamp(1, MOST_ENTRIES), 0);
        while entries.len() < most && bytes < MOST_BYTES {
            let served = self.served.load(Ordering::Relaxed);
            match consumer.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    if let Some(entry) = entry(&message, *next) {
                        *next = entry.offset + 1;
                        bytes += entry.bytes.len();
                        entries.push(entry);
                    }
                }
                Some(Err(error)) => {
                    let fault = error.rdkafka_error_code().and_then(|code| fault(code, *next));
                    if fault.is_some() {
                        return fault;
                    }
                }
                // Served something else on the way: there may be more, and nobody would wake us for it.
                None if self.served.load(Ordering::Relaxed) != served => {}
                None => break,
            }
        }
        None
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            self.readers.reaper.close(consumer);
        }
    }
}

fn entry(message: &BorrowedMessage<'_>, next: Offset) -> Option<Entry> {
    let offset = u64::try_from(message.offset()).ok().filter(|offset| *offset >= next)?;
    Some(Entry { offset, bytes: message.payload().map_or_else(Bytes::new, Bytes::copy_from_slice) })
}

/// What the library's error means for the partition; none if it goes on by itself.
fn fault(code: RDKafkaErrorCode, next: Offset) -> Option<Fault> {
    Some(match code {
        RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::LogTruncation => {
            Fault::NoSuchOffset
        }
        RDKafkaErrorCode::BadMessage | RDKafkaErrorCode::BadCompression | RDKafkaErrorCode::InvalidMessage => {
            Fault::Final(LogError::Corrupt(format!(
                "what the brokers sent from offset {next} on is damaged ({code}); look for a failing disk on the partition's leader, \
                 and restore the log from a replica or a copy"
            )))
        }
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownPartition => Fault::Passing(LogError::Unavailable(format!(
            "the topic or partition does not exist any more ({code}): see `pactum topics check`"
        ))),
        RDKafkaErrorCode::TopicAuthorizationFailed => Fault::Passing(LogError::Unavailable(
            "the Kafka user may not read the topic: grant it READ by an ACL on the brokers".into(),
        )),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_final_and_a_lost_connection_is_no_fault() {
        assert_eq!(fault(RDKafkaErrorCode::AutoOffsetReset, 7), Some(Fault::NoSuchOffset));
        assert!(matches!(fault(RDKafkaErrorCode::BadMessage, 7), Some(Fault::Final(LogError::Corrupt(_)))));
        let gone = fault(RDKafkaErrorCode::UnknownTopicOrPartition, 7);
        assert!(matches!(gone, Some(Fault::Passing(LogError::Unavailable(_)))));
        for code in [RDKafkaErrorCode::BrokerTransportFailure, RDKafkaErrorCode::AllBrokersDown] {
            assert_eq!(fault(code, 7), None);
        }
    }
}
