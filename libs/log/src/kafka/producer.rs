//! A producer, made anew when it breaks.

use super::context::Context;
use super::lane::{Delivery, Lane, Refused};
use super::trouble::Troubles;
use super::{KafkaError, KafkaOptions, measures, properties};
use crate::sync::lock;
use crate::tail::Tail;
use crate::{LogError, Partition};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::types::RDKafkaErrorCode;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// How often the thread looks whether the producer broke or may end, and whether there is room for whoever found none.
const SERVE: Duration = Duration::from_millis(100);
/// What is on its way when the last user is gone gets this long.
const FLUSH: Duration = Duration::from_millis(500);

/// What the users of a producer share with its thread.
pub(super) struct Shared {
    topic: String,
    config: ClientConfig,
    context: Context,
    /// `None` while a broken one is replaced.
    current: RwLock<Option<Arc<BaseProducer<Context>>>>,
    /// Whose entries wait for room in the library's queue, with nothing under way whose report they could go on after.
    starved: Mutex<Vec<Arc<Lane>>>,
    stop: AtomicBool,
}

/// An idempotent producer with the thread that serves it. Entries for one partition keep their order.
pub(super) struct Producer(Arc<Shared>);

impl Producer {
    /// Makes a producer; it connects by itself.
    pub(super) fn start(options: &KafkaOptions, troubles: Arc<Troubles>) -> Result<Self, KafkaError> {
        let (config, context) = (properties::producer(options)?, Context::new(options, troubles));
        let first: BaseProducer<Context> = config.create_with_context(context.clone())?;
        let shared = Arc::new(Shared {
            topic: options.topic.clone(),
            config,
            context,
            current: RwLock::new(Some(Arc::new(first))),
            starved: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let thread = std::thread::Builder::new().name("kafka-producer".into());
        let run = {
            let shared = shared.clone();
            move || shared.serve()
        };
        thread.spawn(run).map_err(|error| KafkaError::Client { reason: format!("start a thread: {error}") })?;
        Ok(Self(shared))
    }

    /// The way of a partition's entries, which tells `acknowledged` what the brokers have.
    pub(super) fn lane(&self, partition: Partition, acknowledged: Arc<Tail>) -> Arc<Lane> {
        Arc::new(Lane::new(partition, acknowledged, Arc::downgrade(&self.0)))
    }
}

impl Shared {
    /// Puts an entry in the library's queue. Never waits.
    pub(super) fn take(&self, partition: Partition, delivery: Box<Delivery>) -> Result<(), Refused> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let Some(producer) = &*current else {
            let error = LogError::Unavailable("the producer broke and is being made anew".into());
            return Err(Refused::Unavailable(delivery, error));
        };
        let (number, entry) = (i32::try_from(partition).unwrap_or(i32::MAX), delivery.entry.clone());
        let record = BaseRecord::<(), [u8], _>::with_opaque_to(&self.topic, delivery);
        producer.send(record.partition(number).payload(&entry)).map_err(|(error, record)| {
            let delivery = record.delivery_opaque;
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => Refused::Busy(delivery),
                _ => Refused::Unavailable(delivery, LogError::Unavailable(self.context.troubles.reason(&error))),
            }
        })
    }

    /// Lets a lane go on when there may be room again, after [`SERVE`] at the latest.
    pub(super) fn try_later(&self, lane: Arc<Lane>) {
        lock(&self.starved).push(lane);
    }

    fn serve(&self) {
        while let Some(producer) = self.producer() {
            producer.poll(SERVE);
            // Apart, because those that find no room again come back.
            let starved = std::mem::take(&mut *lock(&self.starved));
            starved.iter().for_each(|lane| lane.try_again(self));
            if self.stop.load(Ordering::Relaxed) {
                if let Err(error) = producer.flush(FLUSH) {
                    tracing::debug!(%error, "entries were on their way when the log was closed");
                }
                return;
            }
            if let Some((code, reason)) = producer.client().fatal_error() {
                tracing::error!(%code, "the producer broke and is made anew: {reason}");
                measures::producer_restarted();
                self.put(None);
                // What it held is reported as failed when it is dropped, here, before its successor takes anything.
                drop(producer);
            }
        }
    }

    /// The producer that is in use, or a new one; none when there is nobody to use it.
    fn producer(&self) -> Option<Arc<BaseProducer<Context>>> {
        loop {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
            if current.is_some() {
                return current;
            }
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            match self.config.create_with_context::<_, BaseProducer<Context>>(self.context.clone()) {
                Ok(producer) => self.put(Some(Arc::new(producer))),
                Err(error) => {
                    tracing::error!(%error, "cannot make a producer; trying again");
                    std::thread::sleep(SERVE);
                }
            }
        }
    }

    fn put(&self, producer: Option<Arc<BaseProducer<Context>>>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = producer;
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("topic", &self.0.topic).finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("topic", &self.topic).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::failure::Failure;
    use crate::tail::Limits;
    use bytes::Bytes;
    use std::time::Instant;

    /// A broken producer cannot be had on demand; what follows on one can.
    #[test]
    fn a_producer_that_is_gone_is_made_anew() {
        let options = KafkaOptions { brokers: "127.0.0.1:1".into(), ..KafkaOptions::default() };
        let producer = Producer::start(&options, Arc::default()).unwrap();
        let failure = Arc::<Failure>::default();
        let lane = producer.lane(0, Arc::new(Tail::new(0, Limits::NONE)));
        let append = || lane.append(Bytes::from_static(b"entry"), failure.clone());
        append().unwrap();
        producer.0.put(None);
        let started = Instant::now();
        while let Err(error) = append() {
            assert!(matches!(error, LogError::Unavailable(_)), "{error}");
            assert!(started.elapsed() < Duration::from_secs(30), "no new producer: {error}");
            std::thread::sleep(Duration::from_millis(5));
        }
        // What the old one held is reported, not forgotten.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let waiting = async { tokio::time::timeout(Duration::from_secs(30), failure.wait()).await };
        let error = runtime.block_on(waiting).unwrap();
        assert!(error.to_string().contains("producer stopped"), "{error}");
    }
}
