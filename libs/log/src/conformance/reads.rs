//! Reading.

use super::Factory;
use super::support::{append, appender, end, next, number, numbered, read, reader, soon};
use std::time::Duration;

pub(super) async fn any_offset_can_be_read_from(factory: &dyn Factory) {
    const COUNT: usize = 300;
    let log = factory.create(1).await;
    let appender = appender(&*log, 0);
    for n in 0..COUNT as u64 {
        append(&*appender, numbered(n)).await;
    }
    let all = read(&mut *reader(&*log, 0, 0).await, COUNT).await;
    let end = all.last().map_or(0, |entry| entry.offset + 1);
    // Every offset, also one that has no entry.
    for from in 0..end {
        let expected: Vec<_> = all.iter().filter(|entry| entry.offset >= from).cloned().collect();
        let found = read(&mut *reader(&*log, 0, from).await, expected.len()).await;
        assert!(found == expected, "reading from {from} gives everything from there on");
    }
}

pub(super) async fn a_reader_beyond_the_end_waits(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let appender = appender(&*log, 0);
    append(&*appender, numbered(0)).await;
    let first = read(&mut *reader(&*log, 0, 0).await, 1).await;
    let from = first.last().map_or(0, |entry| entry.offset + 3);
    let mut ahead = reader(&*log, 0, from).await;
    let early = tokio::time::timeout(Duration::from_millis(20), ahead.next(10)).await;
    assert!(early.is_err(), "there is nothing at {from} yet");
    for n in 1..100 {
        append(&*appender, numbered(n)).await;
    }
    let entries = next(&mut *ahead, 10).await;
    let offset = entries.first().map(|entry| entry.offset);
    assert!(offset.is_some_and(|offset| offset >= from), "reading from {from} gave {offset:?}");
}

pub(super) async fn a_waiting_reader_gets_what_comes(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let appender = appender(&*log, 0);
    let readers: Vec<_> = (0..5)
        .map(|_| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut reader = reader(&*log, 0, 0).await;
                let mut numbers = Vec::new();
                while numbers.len() < 200 {
                    numbers.extend(next(&mut *reader, 1000).await.iter().map(number));
                }
                numbers
            })
        })
        .collect();
    for n in 0..200 {
        append(&*appender, numbered(n)).await;
        // Pauses, so that the readers fall asleep in between.
        if n % 10 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for reader in readers {
        let numbers = soon("a live reader", reader).await;
        let complete = numbers.is_ok_and(|numbers| numbers.into_iter().eq(0..200));
        assert!(complete, "a live reader gets every entry once, in order");
    }
    assert!(end(&*log, 0).await >= 200);
}

pub(super) async fn no_more_than_asked_and_at_least_one(factory: &dyn Factory) {
    let log = factory.create(1).await;
    let appender = appender(&*log, 0);
    for n in 0..100 {
        append(&*appender, numbered(n)).await;
    }
    let mut reader = reader(&*log, 0, 0).await;
    let mut numbers = Vec::new();
    for max in [0, 1, 3, 7].into_iter().cycle() {
        if numbers.len() == 100 {
            break;
        }
        let entries = next(&mut *reader, max).await;
        assert!((1..=max.max(1)).contains(&entries.len()), "asked for {max}, got {}", entries.len());
        numbers.extend(entries.iter().map(number));
    }
    assert!(numbers.into_iter().eq(0..100));
}
