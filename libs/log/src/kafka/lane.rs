//! Between a partition's appenders and the client library: what the library could not send yet waits here.
//!
//! An idempotent producer of the library has at most five entries of a partition under way: one batch of five or more, and the
//! next is sent when that is acknowledged. What waits inside it meanwhile keeps its thread looking, without a pause, whether it may
//! be sent, and that thread takes a processor from whoever could acknowledge it. So it waits here, and is handed over in one go.

use super::producer::Shared;
use crate::failure::Failure;
use crate::sync::lock;
use crate::tail::Tail;
use crate::{LogError, Offset, Partition};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};

/// The library sends an entry while fewer than five are under way.
const UNDER_WAY: usize = 4;

/// More than this is handed over, so that a bulk load's next batch is made while the one before it is under way.
const MOST_WAITING: usize = 256;
const MOST_WAITING_BYTES: usize = 1024 * 1024;

/// An entry on its way to the brokers, and who hears what became of it.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) entry: Bytes,
    pub(super) failure: Arc<Failure>,
    pub(super) lane: Arc<Lane>,
}

/// Why the library did not take an entry.
pub(super) enum Refused {
    /// Its queue is full.
    Busy(Box<Delivery>),
    /// It cannot be used.
    Unavailable(Box<Delivery>, LogError),
}

/// The way of one partition's entries. They keep their order.
#[derive(Debug)]
pub(super) struct Lane {
    partition: Partition,
    /// What the brokers acknowledged, for readers.
    acknowledged: Arc<Tail>,
    producer: Weak<Shared>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    waiting: VecDeque<(Bytes, Arc<Failure>)>,
    waiting_bytes: usize,
    /// The producer's thread was told to go on with what waits.
    is_told: bool,
}

impl State {
    fn has_to_wait(&self) -> bool {
        let has_room = self.waiting.len() < MOST_WAITING && self.waiting_bytes < MOST_WAITING_BYTES;
        self.under_way >= UNDER_WAY && has_room
    }

    fn push_back(&mut self, entry: Bytes, failure: Arc<Failure>) {
        self.waiting_bytes += entry.len();
        self.waiting.push_back((entry, failure));
    }

    fn push_front(&mut self, entry: Bytes, failure: Arc<Failure>) {
        self.waiting_bytes += entry.len();
        self.waiting.push_front((entry, failure));
    }

    fn pop_front(&mut self) -> Option<(Bytes, Arc<Failure>)> {
        let (entry, failure) = self.waiting.pop_front()?;
        self.waiting_bytes -= entry.len();
        Some((entry, failure))
    }
}

impl Lane {
    pub(super) fn new(partition: Partition, acknowledged: Arc<Tail>, producer: Weak<Shared>) -> Self {
        Self { partition, acknowledged, producer, state: Mutex::default() }
    }

    /// Takes an entry. Never waits.
    pub(super) fn append(self: &Arc<Self>, entry: Bytes, failure: Arc<Failure>) -> Result<(), LogError> {
        let Some(producer) = self.producer.upgrade() else { return Err(LogError::Closed) };
        let mut state = lock(&self.state);
        if state.has_to_wait() {
            state.push_back(entry, failure);
            return Ok(());
        }
        self.hand_over(&mut state, &producer);
        if !state.waiting.is_empty() {
            return Err(LogError::Busy);
        }
        match self.give(&mut state, &producer, entry, failure) {
            Ok(()) => Ok(()),
            Err(Refused::Busy(_)) => Err(LogError::Busy),
            Err(Refused::Unavailable(_, error)) => Err(error),
        }
    }

    /// The brokers have an entry, at this offset if they said where.
    pub(super) fn acknowledged(self: &Arc<Self>, offset: Option<Offset>, entry: Bytes) {
        if let Some(offset) = offset {
            self.acknowledged.publish_at(offset, entry);
        }
        let mut state = lock(&self.state);
        state.under_way = state.under_way.saturating_sub(1);
        if state.under_way < UNDER_WAY
            && !state.waiting.is_empty()
            && let Some(producer) = self.producer.upgrade()
        {
            self.hand_over(&mut state, &producer);
        }
    }

    /// An entry was not acknowledged. What waits behind it is not sent any more: its appender goes on from what it reads.
    pub(super) fn failed(&self, failure: &Failure, error: &LogError) {
        failure.report(error.clone());
        let waiting = {
            let mut state = lock(&self.state);
            state.under_way = state.under_way.saturating_sub(1);
            state.waiting_bytes = 0;
            std::mem::take(&mut state.waiting)
        };
        for (_, failure) in waiting {
            failure.report(error.clone());
        }
    }

    /// Goes on with what waits, because the library may have room again.
    pub(super) fn try_again(self: &Arc<Self>, producer: &Shared) {
        let mut state = lock(&self.state);
        state.is_told = false;
        self.hand_over(&mut state, producer);
    }

    /// Gives the library of what waits as much as it takes.
    fn hand_over(self: &Arc<Self>, state: &mut State, producer: &Shared) {
        while let Some((entry, failure)) = state.pop_front() {
            match self.give(state, producer, entry, failure) {
                Ok(()) => {}
                Err(Refused::Busy(delivery)) => {
                    state.push_front(delivery.entry, delivery.failure);
                    // With none under way no report will come to go on after: the last ones came while the library still
                    // counted what they were about, or its queue is full of others' entries.
                    if state.under_way == 0 && !std::mem::replace(&mut state.is_told, true) {
                        producer.try_later(Arc::clone(self));
                    }
                    break;
                }
                Err(Refused::Unavailable(delivery, error)) => delivery.failure.report(error),
            }
        }
    }

    fn give(
        self: &Arc<Self>,
        state: &mut State,
        producer: &Shared,
        entry: Bytes,
        failure: Arc<Failure>,
    ) -> Result<(), Refused> {
        producer.take(self.partition, Box::new(Delivery { entry, failure, lane: Arc::clone(self) }))?;
        state.under_way += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::KafkaOptions;
    use super::super::producer::Producer;
    use super::*;
    use crate::tail::Limits;

    fn counts(lane: &Lane) -> (usize, usize, usize) {
        let state = lock(&lane.state);
        (state.under_way, state.waiting.len(), state.waiting_bytes)
    }

    /// Nobody listens there: what the library was given stays with it.
    #[test]
    fn what_the_library_could_not_send_waits_and_goes_in_one_go() {
        let options = KafkaOptions { brokers: "127.0.0.1:1".into(), ..KafkaOptions::default() };
        let producer = Producer::start(&options, Arc::default()).unwrap();
        let tail = Arc::new(Tail::new(0, Limits::NONE));
        let lane = producer.lane(0, tail.clone());
        let (entry, failure) = (Bytes::from_static(b"entry"), Arc::<Failure>::default());
        let append = |count: usize| (0..count).for_each(|_| lane.append(entry.clone(), failure.clone()).unwrap());
        append(10);
        assert_eq!(counts(&lane), (4, 6, 30));
        lane.acknowledged(Some(7), entry.clone());
        assert_eq!((counts(&lane), tail.end()), ((9, 0, 0), 8));
        append(MOST_WAITING);
        assert_eq!(counts(&lane), (9, MOST_WAITING, 5 * MOST_WAITING));
        append(1);
        assert_eq!(counts(&lane), (10 + MOST_WAITING, 0, 0), "a bulk load does not wait for more");
        append(3);
        lane.failed(&failure, &LogError::Unavailable("no brokers".into()));
        assert_eq!(counts(&lane), (9 + MOST_WAITING, 0, 0), "what waits behind a failure is not sent");
        drop(producer);
    }

    /// That the library reports an entry as failed says that it was given it.
    #[test]
    fn what_waits_goes_on_when_a_full_library_has_room_and_nothing_is_under_way() {
        let brokers = "127.0.0.1:1".into();
        let options = KafkaOptions { brokers, queue_entries: 3, message_timeout_ms: 2_000, ..KafkaOptions::default() };
        let producer = Producer::start(&options, Arc::default()).unwrap();
        let lane = |partition| producer.lane(partition, Arc::new(Tail::new(0, Limits::NONE)));
        let (lane, other) = (lane(0), lane(1));
        let entry = Bytes::from_static(b"entry");
        while other.append(entry.clone(), Arc::default()) != Err(LogError::Busy) {}
        let failure = Arc::<Failure>::default();
        lock(&lane.state).push_back(entry.clone(), failure.clone());
        lane.acknowledged(None, entry);
        assert_eq!(counts(&lane), (0, 1, 5));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let waiting = async { tokio::time::timeout(std::time::Duration::from_secs(30), failure.wait()).await };
        runtime.block_on(waiting).unwrap();
        assert_eq!(lock(&lane.state).waiting.len(), 0);
    }

    #[test]
    fn nothing_is_taken_once_the_log_is_closed() {
        let lane = Arc::new(Lane::new(0, Arc::new(Tail::new(0, Limits::NONE)), Weak::new()));
        assert_eq!(lane.append(Bytes::new(), Arc::default()), Err(LogError::Closed));
    }
}
