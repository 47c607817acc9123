//! Appending to one partition.

use super::producer::Producer;
use crate::failure::Failure;
use crate::{Appender, LogError, Partition};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

pub(super) struct KafkaAppender {
    pub(super) producer: Arc<Producer>,
    pub(super) partition: Partition,
    pub(super) max_entry_bytes: usize,
    pub(super) failure: Arc<Failure>,
}

#[async_trait]
impl Appender for KafkaAppender {
    fn append(&self, entry: Bytes) -> Result<(), LogError> {
        if entry.len() > self.max_entry_bytes {
            return Err(LogError::TooLarge { bytes: entry.len(), limit: self.max_entry_bytes });
        }
        self.producer.send(self.partition, &entry, self.failure.clone())
    }

    async fn failed(&self) -> LogError {
        self.failure.wait().await
    }
}
