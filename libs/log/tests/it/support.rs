//! What the tests share.

use bytes::Bytes;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::{Appender, Entry, Log, LogError, Offset, Partition};
use std::path::Path;
use std::time::Duration;

/// Small, so that tests reach the limits; and no reserve, so that they pass on a full developer's disk.
pub(crate) fn options(partitions: u32) -> EmbeddedOptions {
    EmbeddedOptions { partitions, reserve_bytes: 0, max_entry_bytes: 256 * 1024, ..EmbeddedOptions::default() }
}

pub(crate) fn open(directory: &Path, partitions: u32) -> EmbeddedLog {
    EmbeddedLog::open(directory, options(partitions)).unwrap()
}

/// An entry that tells its number.
pub(crate) fn numbered(number: u64, len: usize) -> Bytes {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(len.max(8), 0xA5);
    bytes.into()
}

pub(crate) fn number(entry: &Entry) -> u64 {
    u64::from_le_bytes(*entry.bytes.first_chunk().unwrap())
}

pub(crate) async fn append(appender: &dyn Appender, entry: Bytes) {
    while let Err(error) = appender.append(entry.clone()) {
        assert_eq!(error, LogError::Busy);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until the log's end is `end`.
pub(crate) async fn until_end(log: &EmbeddedLog, partition: Partition, end: Offset) {
    let reached = async {
        while log.end(partition).await.unwrap() < end {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap();
}

/// Everything in a partition, or the error met on the way and what was read before it.
pub(crate) async fn read_all(log: &dyn Log, partition: Partition) -> (Vec<Entry>, Option<LogError>) {
    let end = log.end(partition).await.unwrap();
    let mut reader = log.reader(partition, 0).await.unwrap();
    let mut entries: Vec<Entry> = Vec::new();
    while (entries.len() as u64) < end {
        match tokio::time::timeout(Duration::from_secs(30), reader.next(1000)).await.unwrap() {
            Ok(more) => entries.extend(more),
            Err(error) => return (entries, Some(error)),
        }
    }
    (entries, None)
}
