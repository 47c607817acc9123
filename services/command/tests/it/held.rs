//! A log that can be made to keep what it is given to itself.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use pactum_log::{Appender, Log, LogError, Offset, Partition, Reader};

/// A log of one partition in front of another.
pub(crate) struct HeldLog {
    log: Arc<dyn Log>,
    gate: Arc<Gate>,
}

pub(crate) struct Gate {
    appender: Box<dyn Appender>,
    held: Mutex<Option<Vec<Bytes>>>,
}

impl Gate {
    /// From now on appends are taken and not written.
    pub(crate) fn hold(&self) {
        self.held.lock().unwrap().get_or_insert_default();
    }

    /// How many appends are kept.
    pub(crate) fn held(&self) -> usize {
        self.held.lock().unwrap().as_ref().map_or(0, Vec::len)
    }

    /// Writes all that was held, in order, and lets the rest through.
    pub(crate) fn release(&self) {
        for entry in self.held.lock().unwrap().take().unwrap_or_default() {
            self.appender.append(entry).unwrap();
        }
    }
}

impl HeldLog {
    pub(crate) fn before(log: Arc<dyn Log>) -> (Arc<dyn Log>, Arc<Gate>) {
        let gate = Arc::new(Gate { appender: log.appender(0).unwrap(), held: Mutex::new(None) });
        (Arc::new(Self { log, gate: Arc::clone(&gate) }), gate)
    }
}

#[async_trait]
impl Log for HeldLog {
    fn partitions(&self) -> u32 {
        1
    }

    fn appender(&self, _: Partition) -> Result<Box<dyn Appender>, LogError> {
        Ok(Box::new(HeldAppender(Arc::clone(&self.gate))))
    }

    async fn reader(&self, partition: Partition, from: Offset) -> Result<Box<dyn Reader>, LogError> {
        self.log.reader(partition, from).await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        self.log.end(partition).await
    }
}

struct HeldAppender(Arc<Gate>);

#[async_trait]
impl Appender for HeldAppender {
    fn append(&self, entry: Bytes) -> Result<(), LogError> {
        let mut held = self.0.held.lock().unwrap();
        match &mut *held {
            Some(held) => held.push(entry),
            None => self.0.appender.append(entry)?,
        }
        Ok(())
    }

    async fn failed(&self) -> LogError {
        self.0.appender.failed().await
    }
}
