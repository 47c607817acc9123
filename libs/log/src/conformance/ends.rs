//! The end of a log.

use super::Factory;
use super::support::{append, appender, end, numbered, read, read_to, reader};

pub(super) async fn an_end_is_the_offset_after_the_last_entry(factory: &dyn Factory) {
    let log = factory.create(2).await;
    let empty = [end(&*log, 0).await, end(&*log, 1).await];
    let appender = appender(&*log, 0);
    let mut live = reader(&*log, 0, 0).await;
    for n in 0..50 {
        append(&*appender, numbered(n)).await;
        let entry = read(&mut *live, 1).await;
        let after = entry.last().map_or(0, |entry| entry.offset + 1);
        assert!(end(&*log, 0).await >= after, "what was read lies below the end");
    }
    assert!(end(&*log, 0).await > empty[0]);
    assert_eq!(end(&*log, 1).await, empty[1], "partitions end each for themselves");
    // Comes to its end without another append, or this waits in vain.
    let entries = read_to(&*log, 0, end(&*log, 0).await).await;
    assert_eq!(entries.len(), 50);
}
