//! What is left when a durable log is closed.

use super::Factory;
use super::support::{append, appender, end, number, numbered, read, read_to, reader};

pub(super) async fn everything_is_there_again(factory: &dyn Factory) {
    const EACH: u64 = 500;
    let mut log = factory.create(2).await;
    let mut before: [Vec<crate::Entry>; 2] = Default::default();
    for round in 1..=3u64 {
        for (partition, before) in (0..2).zip(&mut before) {
            let appender = appender(&*log, partition);
            for n in (round - 1) * EACH..round * EACH {
                append(&*appender, numbered(n)).await;
            }
            let entries = read(&mut *reader(&*log, partition, 0).await, (round * EACH) as usize).await;
            assert!(entries.iter().map(number).eq(0..round * EACH));
            assert!(entries[..before.len()] == before[..], "what was there before is unchanged");
            *before = entries;
        }
        let ends = [end(&*log, 0).await, end(&*log, 1).await];
        let Some(reopened) = factory.reopen(log).await else { return };
        log = reopened;
        for (partition, before) in (0..2).zip(&before) {
            let after = end(&*log, partition).await;
            assert_eq!(after, ends[partition as usize], "the end of partition {partition} is where it was");
            assert!(read_to(&*log, partition, after).await == *before, "partition {partition} holds what it held");
        }
    }
}
