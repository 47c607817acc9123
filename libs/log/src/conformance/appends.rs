//! Appending.

use super::Factory;
use super::support::{append, appender, number, numbered, read, reader};
use crate::LogError;
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

pub(super) async fn there_are_only_so_many_partitions(factory: &dyn Factory) {
    let log = factory.create(3).await;
    assert_eq!(log.partitions(), 3);
    let missing = LogError::NoSuchPartition { partition: 3, partitions: 3 };
    assert_eq!(log.appender(3).err(), Some(missing.clone()));
    assert_eq!(log.reader(3, 0).await.err(), Some(missing.clone()));
    assert_eq!(log.end(3).await, Err(missing));
}

pub(super) async fn entries_come_in_order_and_unchanged(factory: &dyn Factory) {
    const COUNT: u64 = 2000;
    let log = factory.create(2).await;
    let appenders = [appender(&*log, 0), appender(&*log, 1)];
    for n in 0..2 * COUNT {
        append(&*appenders[usize::from(n % 2 == 1)], numbered(n)).await;
    }
    for partition in 0..2 {
        let mut reader = reader(&*log, partition, 0).await;
        let entries = read(&mut *reader, COUNT as usize).await;
        let numbers: Vec<u64> = entries.iter().map(number).collect();
        let expected: Vec<u64> = (0..COUNT).map(|n| 2 * n + u64::from(partition)).collect();
        assert!(numbers == expected, "partition {partition} holds what was appended to it, in order");
    }
}

pub(super) async fn each_appender_keeps_its_order(factory: &dyn Factory) {
    const EACH: u64 = 500;
    let log = factory.create(1).await;
    let writers: Vec<_> = (0..4u64)
        .map(|writer| {
            let appender = appender(&*log, 0);
            tokio::spawn(async move {
                for n in 0..EACH {
                    append(&*appender, numbered(4 * n + writer)).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut reader = reader(&*log, 0, 0).await;
    let entries = read(&mut *reader, 4 * EACH as usize).await;
    for writer in 0..4 {
        let of_writer: Vec<u64> = entries.iter().map(number).filter(|number| number % 4 == writer).collect();
        let expected: Vec<u64> = (0..EACH).map(|n| 4 * n + writer).collect();
        assert!(of_writer == expected, "what appender {writer} wrote keeps its order");
    }
    for writer in writers {
        assert!(writer.await.is_ok(), "a writer stopped");
    }
}

pub(super) async fn too_large_is_refused_and_the_largest_is_not(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let appender = appender(&*log, 0);
    let mut expected = vec![Bytes::new(), Bytes::from_static(b"small")];
    if let Some(limit) = factory.max_entry_bytes() {
        let error = appender.append(vec![7; limit + 1].into());
        assert_eq!(error, Err(LogError::TooLarge { bytes: limit + 1, limit }));
        expected.push(vec![8; limit].into());
    }
    expected.push(Bytes::from_static(b"after"));
    for entry in &expected {
        append(&*appender, entry.clone()).await;
    }
    let mut reader = reader(&*log, 0, 0).await;
    let entries: Vec<Bytes> = read(&mut *reader, expected.len()).await.into_iter().map(|entry| entry.bytes).collect();
    assert!(entries == expected, "the empty, the small and the largest entry are there, the one too large is not");
}

pub(super) async fn busy_means_not_appended(factory: &dyn Factory) {
    const TRIES: u64 = 200_000;
    let Some(log) = factory.create_narrow().await else { return };
    let appender = appender(&*log, 0);
    let mut taken = Vec::new();
    let mut busy = 0;
    for n in 0..TRIES {
        match appender.append(numbered(n)) {
            Ok(()) => taken.push(n),
            Err(LogError::Busy) => busy += 1,
            Err(error) => panic!("an append: {error}"),
        }
    }
    assert!(busy > 0, "{TRIES} appends without pause fill a narrow queue");
    append(&*appender, numbered(TRIES)).await;
    taken.push(TRIES);
    let mut reader = reader(&*log, 0, 0).await;
    let numbers: Vec<u64> = read(&mut *reader, taken.len()).await.iter().map(number).collect();
    assert!(numbers == taken, "what was taken is there, and what was refused is not");
}

pub(super) async fn nothing_has_failed(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let appender: Arc<dyn crate::Appender> = appender(&*log, 0).into();
    let watch = tokio::spawn({
        let appender = appender.clone();
        async move { appender.failed().await }
    });
    for n in 0..100 {
        append(&*appender, numbered(n)).await;
    }
    let mut reader = reader(&*log, 0, 0).await;
    read(&mut *reader, 100).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!watch.is_finished(), "no failure is reported when all entries are readable");
    watch.abort();
}
