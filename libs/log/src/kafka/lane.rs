//! Between a partition's appenders and the client library: what the library could not send yet waits here.
//!
//! An idempotent producer of the library has at most five entries of a partition under way: one batch of five or more, and the
//! next is sent when that is acknowledged. What waits inside it meanwhile keeps its thread looking, without a pause, whether it may
//! be sent, and that thread takes a processor from whoever could acknowledge it. So it waits here, and is handed over in one go.

use super::producer::Shared;
use crate::failure::Failure;
use crate::sync::lock;
use crate::tail::Tail;
use crate::{LogError, Partition};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};

/// The library sends an entry while fewer than five are under way.
const UNDER_WAY: usize = 4;

/// More than this is handed over, so that a bulk load's next batch is made while the one before it is under way.
const MOST_WAITING: usize = 256;

/// An entry on its way to the brokers, and who hears what became of it.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) entry: Bytes,
    pub(super) failure: Arc<Failure>,
    pub(super) lane: Arc<Lane>,
}

/// The way of one partition's entries. They keep their order.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) partition: Partition,
    /// What the brokers acknowledged, for readers.
    acknowledged: Arc<Tail>,
    producer: Weak<Shared>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    waiting: VecDeque<Delivery>,
}

/// Why the library did not take an entry.
pub(super) enum Refused {
    /// Its queue is full.
    Busy(Box<Delivery>),
    /// It cannot be used.
    Unavailable(Box<Delivery>, LogError),
}

impl Lane {
    pub(super) fn new(partition: Partition, acknowledged: Arc<Tail>, producer: Weak<Shared>) -> Self {
        Self { partition, acknowledged, producer, state: Mutex::default() }
    }

    /// Takes an entry. Never waits.
    pub(super) fn append(self: &Arc<Self>, entry: Bytes, failure: Arc<Failure>) -> Result<(), LogError> {
        let Some(producer) = self.producer.upgrade() else { return Err(LogError::Closed) };
        let delivery = Delivery { entry, failure, lane: Arc::clone(self) };
        let mut state = lock(&self.state);
        if state.under_way >= UNDER_WAY && state.waiting.len() < MOST_WAITING {
            state.waiting.push_back(delivery);
            return Ok(());
        }
        state.hand_over(&producer);
        if !state.waiting.is_empty() {
            return Err(LogError::Busy);
        }
        match producer.take(self.partition, Box::new(delivery)) {
            Ok(()) => {
                state.under_way += 1;
                Ok(())
            }
            Err(Refused::Busy(_)) => Err(LogError::Busy),
            Err(Refused::Unavailable(_, error)) => Err(error),
        }
    }

    /// The brokers have an entry, at this offset if they said where.
    pub(super) fn acknowledged(&self, offset: Option<u64>, entry: Bytes) {
        if let Some(offset) = offset {
            self.acknowledged.publish_at(offset, entry);
        }
        let mut state = lock(&self.state);
        state.under_way = state.under_way.saturating_sub(1);
        if state.under_way < UNDER_WAY
            && !state.waiting.is_empty()
            && let Some(producer) = self.producer.upgrade()
        {
            state.hand_over(&producer);
        }
    }

    /// An entry was not acknowledged. What waits behind it is not sent any more: its appender goes on from what it reads.
    pub(super) fn failed(&self, failure: &Failure, error: &LogError) {
        failure.report(error.clone());
        let waiting = {
            let mut state = lock(&self.state);
            state.under_way = state.under_way.saturating_sub(1);
            std::mem::take(&mut state.waiting)
        };
        for delivery in waiting {
            delivery.failure.report(error.clone());
        }
    }
}

impl State {
    /// Gives the library what it takes.
    fn hand_over(&mut self, producer: &Shared) {
        while let Some(delivery) = self.waiting.pop_front() {
            let partition = delivery.lane.partition;
            match producer.take(partition, Box::new(delivery)) {
                Ok(()) => self.under_way += 1,
                Err(Refused::Busy(delivery)) => {
                    self.waiting.push_front(*delivery);
                    break;
                }
                Err(Refused::Unavailable(delivery, error)) => delivery.failure.report(error),
            }
        }
    }
}
