//! Appending to one partition.

use super::lane::Lane;
use super::producer::Producer;
use crate::failure::Failure;
use crate::{Appender, LogError};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

pub(super) struct KafkaAppender {
    /// Serves the lane for as long as there is an appender.
    pub(super) _producer: Arc<Producer>,
    pub(super) lane: Arc<Lane>,
    pub(super) max_entry_bytes: usize,
    pub(super) failure: Arc<Failure>,
}

#[async_trait]
impl Appender for KafkaAppender {
    fn append(&self, entry: Bytes) -> Result<(), LogError> {
        if entry.len() > self.max_entry_bytes {
            return Err(LogError::TooLarge { bytes: entry.len(), limit: self.max_entry_bytes });
        }
        self.lane.append(entry, self.failure.clone())
    }

    async fn failed(&self) -> LogError {
        self.failure.wait().await
    }
}
