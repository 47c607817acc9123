//! What the checks share.

use crate::{Appender, Entry, Log, Offset, Partition, Reader};
use bytes::Bytes;
use std::future::Future;
use std::time::Duration;

/// Longer than anything here should take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits, but not for ever.
pub(super) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: nothing within {PATIENCE:?}"),
    }
}

pub(super) fn appender(log: &dyn Log, partition: Partition) -> Box<dyn Appender> {
    match log.appender(partition) {
        Ok(appender) => appender,
        Err(error) => panic!("an appender for partition {partition}: {error}"),
    }
}

pub(super) async fn reader(log: &dyn Log, partition: Partition, from: Offset) -> Box<dyn Reader> {
    match soon("a reader", log.reader(partition, from)).await {
        Ok(reader) => reader,
        Err(error) => panic!("a reader for partition {partition} from {from}: {error}"),
    }
}

pub(super) async fn end(log: &dyn Log, partition: Partition) -> Offset {
    match soon("the end", log.end(partition)).await {
        Ok(end) => end,
        Err(error) => panic!("the end of partition {partition}: {error}"),
    }
}

/// Appends, and tries again as long as the log is busy.
pub(super) async fn append(appender: &dyn Appender, entry: Bytes) {
    loop {
        match appender.append(entry.clone()) {
            Ok(()) => return,
            Err(crate::LogError::Busy) => tokio::time::sleep(Duration::from_millis(1)).await,
            Err(error) => panic!("an append: {error}"),
        }
    }
}

/// An entry that tells its number and has a length of its own.
pub(super) fn numbered(number: u64) -> Bytes {
    let padding = usize::try_from(number % 301).unwrap_or(0);
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(8 + padding, number.to_le_bytes()[0]);
    bytes.into()
}

/// The number of a numbered entry; panics if it is none.
pub(super) fn number(entry: &Entry) -> u64 {
    let number = entry.bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    assert_eq!(entry.bytes, numbered(number), "the entry at {} is not what was appended", entry.offset);
    number
}

pub(super) async fn next(reader: &mut dyn Reader, max: usize) -> Vec<Entry> {
    match soon("entries", reader.next(max)).await {
        Ok(entries) => entries,
        Err(error) => panic!("reading on: {error}"),
    }
}

/// Reads at least `count` entries, and checks that their offsets grow.
pub(super) async fn read(reader: &mut dyn Reader, count: usize) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    while entries.len() < count {
        let more = next(reader, count - entries.len()).await;
        assert!(!more.is_empty(), "a reader gives at least one entry");
        entries.extend(more);
    }
    assert!(entries.is_sorted_by(|a, b| a.offset < b.offset), "offsets grow");
    entries
}

/// Reads up to `end`.
pub(super) async fn read_to(log: &dyn Log, partition: Partition, end: Offset) -> Vec<Entry> {
    let mut reader = reader(log, partition, 0).await;
    let mut entries: Vec<Entry> = Vec::new();
    while entries.last().map_or(0, |entry| entry.offset + 1) < end {
        entries.extend(next(&mut *reader, 1000).await);
    }
    entries
}
