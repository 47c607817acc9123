//! What holds for every log, whatever gets lost, doubled or delayed on the way to it.

use super::Factory;
use super::support::{append, appender, end, next, number, numbered, read, read_to, reader};
use crate::{Appender, Entry, Log};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

const COUNT: u64 = 2000;

/// Appends while the test goes on. The appender comes back, because dropping it is, for some logs, a crash.
fn write(log: &Arc<dyn Log>) -> JoinHandle<Box<dyn Appender>> {
    let appender = appender(&**log, 0);
    tokio::spawn(async move {
        for n in 0..COUNT {
            append(&*appender, numbered(n)).await;
            if n % 100 == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        appender
    })
}

async fn written(writer: JoinHandle<Box<dyn Appender>>) -> Box<dyn Appender> {
    match writer.await {
        Ok(appender) => appender,
        Err(_) => panic!("the writer stopped"),
    }
}

/// As many entries as arrive in any case, however faulty the log.
const ENOUGH: usize = COUNT as usize / 4;

pub(super) async fn readers_agree_and_prefixes_stay(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let writer = write(&log);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move { read(&mut *reader(&*log, 0, 0).await, ENOUGH).await })
        })
        .collect();
    let mut seen: Vec<Vec<Entry>> = Vec::new();
    for reader in readers {
        match reader.await {
            Ok(entries) => seen.push(entries),
            Err(_) => panic!("a reader stopped"),
        }
    }
    assert!(seen.iter().all(|entries| *entries == seen[0]), "all readers see the same entries at the same offsets");
    let _appender = written(writer).await;
    let later = read(&mut *reader(&*log, 0, 0).await, ENOUGH).await;
    assert!(later == seen[0], "what was read once reads the same for ever");
}

pub(super) async fn nothing_is_invented(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let appender = written(write(&log)).await;
    let entries = read(&mut *reader(&*log, 0, 0).await, ENOUGH).await;
    drop(appender);
    let entries = [entries, read_to(&*log, 0, end(&*log, 0).await).await].concat();
    let numbers: BTreeSet<u64> = entries.iter().map(number).collect();
    assert!(numbers.iter().all(|number| *number < COUNT), "every entry was appended");
}

pub(super) async fn ends_cover_what_was_read(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let writer = write(&log);
    let mut reader = reader(&*log, 0, 0).await;
    let mut count = 0;
    let mut last_end = 0;
    while count < ENOUGH {
        let entries = next(&mut *reader, 100).await;
        count += entries.len();
        let end = end(&*log, 0).await;
        assert!(entries.iter().all(|entry| entry.offset < end), "what was read lies below the end");
        assert!(end >= last_end, "an end never goes back");
        last_end = end;
    }
    let _appender = written(writer).await;
    let end = end(&*log, 0).await;
    let entries = read_to(&*log, 0, end).await;
    assert!(entries.last().is_some_and(|entry| entry.offset + 1 >= end), "a reader gets to the end");
}

pub(super) async fn dropped_futures_lose_nothing(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let writer = write(&log);
    let mut impatient = reader(&*log, 0, 0).await;
    let mut entries: Vec<Entry> = Vec::new();
    let mut dropped = 0;
    while entries.len() < ENOUGH {
        // Polled once and dropped, every other time after a moment.
        let patience = Duration::from_micros(if entries.len().is_multiple_of(2) { 0 } else { 300 });
        tokio::select! {
            biased;
            more = impatient.next(7) => match more {
                Ok(more) => entries.extend(more),
                Err(error) => panic!("reading on: {error}"),
            },
            () = tokio::time::sleep(patience) => dropped += 1,
        }
    }
    assert!(dropped > 0, "some futures were dropped");
    let _appender = written(writer).await;
    let steady = read(&mut *reader(&*log, 0, 0).await, entries.len()).await;
    assert!(entries == steady, "a reader whose futures were dropped saw what a steady one sees");
}
