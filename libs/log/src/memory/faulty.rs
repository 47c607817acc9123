//! The faulty model behind the log's trait, stepped by a task.

use super::{Faults, FaultyPartition, ReaderId, WriterId};
use crate::failure::Failure;
use crate::sync::lock;
use crate::{Appender, Entry, Log, LogError, Offset, Partition, Reader};
use async_trait::async_trait;
use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Between two steps of the network.
const STEP: Duration = Duration::from_micros(500);

#[derive(Debug)]
struct State {
    model: FaultyPartition,
    rng: ChaCha8Rng,
    writers: BTreeMap<WriterId, Weak<Failure>>,
    next_id: u64,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    stepped: Notify,
}

/// A log that loses, doubles, delays and reorders, by a seed. Clones are the same log; its network stands still when the
/// last is dropped.
#[derive(Clone, Debug)]
pub struct FaultyLog {
    partitions: Arc<[Arc<Shared>]>,
    _network: Arc<Network>,
}

#[derive(Debug)]
struct Network(JoinHandle<()>);

impl Drop for Network {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl FaultyLog {
    /// Makes an empty log and starts its network on the current runtime.
    #[must_use]
    pub fn start(partitions: u32, faults: Faults, seed: u64) -> Self {
        let shared = |partition: u32| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(u64::from(partition));
            let model = FaultyPartition::new(faults);
            let state = State { model, rng, writers: BTreeMap::new(), next_id: 0 };
            Arc::new(Shared { state: Mutex::new(state), stepped: Notify::new() })
        };
        let partitions: Arc<[Arc<Shared>]> = (0..partitions.max(1)).map(shared).collect();
        let stepped = partitions.clone();
        let network = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(STEP);
            loop {
                ticks.tick().await;
                stepped.iter().for_each(|partition| partition.step());
            }
        });
        Self { partitions, _network: Arc::new(Network(network)) }
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        for partition in self.partitions.iter() {
            lock(&partition.state).model.set_faults(faults);
        }
    }

    fn shared(&self, partition: Partition) -> Result<Arc<Shared>, LogError> {
        let shared = usize::try_from(partition).ok().and_then(|index| self.partitions.get(index));
        shared.cloned().ok_or(LogError::NoSuchPartition { partition, partitions: self.partitions() })
    }
}

impl Shared {
    fn step(&self) {
        {
            let mut state = lock(&self.state);
            let State { model, rng, writers, .. } = &mut *state;
            model.step(rng);
            writers.retain(|writer, failure| {
                let Some(failure) = failure.upgrade() else { return false };
                match model.take_failures(*writer) {
                    0 => {}
                    count => failure.report(FaultyPartition::lost(count)),
                }
                true
            });
        }
        self.stepped.notify_waiters();
    }
}

#[async_trait]
impl Log for FaultyLog {
    fn partitions(&self) -> u32 {
        u32::try_from(self.partitions.len()).unwrap_or(u32::MAX)
    }

    fn appender(&self, partition: Partition) -> Result<Box<dyn Appender>, LogError> {
        let shared = self.shared(partition)?;
        let failure = Arc::new(Failure::default());
        let id = {
            let mut state = lock(&shared.state);
            let id = state.take_id();
            state.writers.insert(id, Arc::downgrade(&failure));
            id
        };
        Ok(Box::new(FaultyAppender { shared, id, failure }))
    }

    async fn reader(&self, partition: Partition, from: Offset) -> Result<Box<dyn Reader>, LogError> {
        let shared = self.shared(partition)?;
        let id = lock(&shared.state).take_id();
        Ok(Box::new(FaultyReader { shared, id, next: from }))
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        Ok(lock(&self.shared(partition)?.state).model.end())
    }
}

impl State {
    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// Dropping it is a crash of the writer, if messages get lost at all: what is under way is lost or comes late.
#[derive(Debug)]
struct FaultyAppender {
    shared: Arc<Shared>,
    id: WriterId,
    failure: Arc<Failure>,
}

#[async_trait]
impl Appender for FaultyAppender {
    fn append(&self, entry: Bytes) -> Result<(), LogError> {
        lock(&self.shared.state).model.submit(self.id, entry);
        Ok(())
    }

    async fn failed(&self) -> LogError {
        self.failure.wait().await
    }
}

impl Drop for FaultyAppender {
    fn drop(&mut self) {
        let mut state = lock(&self.shared.state);
        let State { model, rng, .. } = &mut *state;
        if model.faults().lose > 0.0 {
            model.crash(self.id, rng);
        }
    }
}

#[derive(Debug)]
struct FaultyReader {
    shared: Arc<Shared>,
    id: ReaderId,
    next: Offset,
}

#[async_trait]
impl Reader for FaultyReader {
    async fn next(&mut self, max: usize) -> Result<Vec<Entry>, LogError> {
        loop {
            let stepped = self.shared.stepped.notified();
            tokio::pin!(stepped);
            // Registered before the look, so that a step between the look and the wait still wakes us.
            stepped.as_mut().enable();
            let entries = lock(&self.shared.state).model.read(self.id, self.next, max.max(1)).to_vec();
            if !entries.is_empty() {
                self.next += entries.len() as u64;
                return Ok(entries);
            }
            stepped.await;
        }
    }
}

impl Drop for FaultyReader {
    fn drop(&mut self) {
        lock(&self.shared.state).model.leave(self.id);
    }
}
