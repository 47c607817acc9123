//! What the client library alone can do, to hold the log against: append to a partition and read back, or read it from the start.

use super::{KafkaError, KafkaOptions, properties};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message as _, TopicPartitionList};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps `window` messages of `bytes` bytes between append and read-back of partition 0 for `length`, with the settings that
/// the log uses, and tells how long each took. Blocks; one thread writes, this one reads. The messages stay in the topic and
/// are no entries of a log, so it needs a topic of its own.
pub fn read_back(
    options: &KafkaOptions,
    window: usize,
    bytes: usize,
    length: Duration,
) -> Result<Vec<Duration>, KafkaError> {
    let consumer: BaseConsumer = properties::reader(options)?.create()?;
    let producer: ThreadedProducer<DefaultProducerContext> = properties::producer(options)?.create()?;
    let (_, end) = consumer.fetch_watermarks(&options.topic, 0, PATIENCE)?;
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&options.topic, 0, rdkafka::Offset::Offset(end))?;
    consumer.assign(&assignment)?;
    // A slot is taken by sending and freed by receiving, so that as many are on their way as there are slots.
    let (slots, freed) = sync_channel(window.max(1));
    let (sent, times) = sync_channel(2 * window.max(1));
    for _ in 0..window.max(1) {
        let _ = slots.try_send(());
    }
    let topic = options.topic.as_str();
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || write(producer, topic, &vec![7; bytes], length, &freed, &sent));
        let waits = take_back(&consumer, &times, &slots);
        // A writer that waits for a slot must not wait for ever where reading failed.
        drop((slots, times));
        let written = writing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        waits.and_then(|waits| written.map(|()| waits))
    })
}

/// Reads partition 0 up to the offset `end`, with the settings that the log uses, and shows every message until `show`
/// breaks off. Blocks.
pub fn read(
    options: &KafkaOptions,
    end: u64,
    mut show: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), KafkaError> {
    let consumer: BaseConsumer = properties::reader(options)?.create()?;
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&options.topic, 0, rdkafka::Offset::Beginning)?;
    consumer.assign(&assignment)?;
    let mut next = 0;
    while next < end {
        let Some(message) = consumer.poll(PATIENCE) else {
            return Err(KafkaError::Client {
                reason: format!("read from offset {next}: nothing came in {PATIENCE:?}"),
            });
        };
        let message = message?;
        if show(message.payload().unwrap_or_default()).is_break() {
            break;
        }
        next = u64::try_from(message.offset()).map_or(end, |offset| offset + 1);
    }
    Ok(())
}

/// Ends, and drops the producer, only when all was acknowledged: dropping it throws away what is on its way.
fn write(
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: &str,
    payload: &[u8],
    length: Duration,
    freed: &Receiver<()>,
    sent: &SyncSender<Instant>,
) -> Result<(), KafkaError> {
    let started = Instant::now();
    while started.elapsed() < length && freed.recv().is_ok() {
        if sent.send(Instant::now()).is_err() {
            break;
        }
        while let Err((error, _)) = producer.send(BaseRecord::<(), _>::to(topic).partition(0).payload(payload)) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            std::thread::yield_now();
        }
    }
    let ended = Instant::now();
    while producer.in_flight_count() > 0 && ended.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

fn take_back(
    consumer: &BaseConsumer,
    times: &Receiver<Instant>,
    slots: &SyncSender<()>,
) -> Result<Vec<Duration>, KafkaError> {
    let mut waits = Vec::new();
    while let Ok(sent) = times.recv() {
        match consumer.poll(PATIENCE) {
            Some(message) => drop(message?),
            None => {
                return Err(KafkaError::Client {
                    reason: format!("read a message back: none came within {PATIENCE:?}"),
                });
            }
        }
        waits.push(sent.elapsed());
        // The writer is done when nobody takes slots any more.
        let _ = slots.try_send(());
    }
    Ok(waits)
}
