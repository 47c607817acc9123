//! The embedded log in good times.

use crate::support::{append, number, numbered, open, options, read_all, until_end};
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions, Identity, OpenError};
use pactum_log::{Log, LogError};
use pactum_store::StoreError;
use std::time::{Duration, Instant};

#[tokio::test]
async fn says_what_it_is_and_holds() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), 3);
    let appender = log.appender(1).unwrap();
    for n in 0..1000 {
        append(&*appender, numbered(n, 300)).await;
    }
    until_end(&log, 1, 1000).await;
    let statistics = log.statistics();
    assert_eq!(Identity::read(directory.path()), Ok(Some(log.identity())));
    assert_eq!(statistics.partitions.iter().map(|partition| partition.end).collect::<Vec<_>>(), [0, 1000, 0]);
    assert_eq!((statistics.entries(), statistics.queued), (1000, 0));
    assert!((300_000..3_000_000).contains(&statistics.bytes()), "{}", statistics.bytes());
    assert!(statistics.available_bytes.is_some_and(|bytes| bytes > 0));
    assert!(log.health().is_ok());
    let mut steps = Vec::new();
    let verification = log.verify(|progress| steps.push(progress)).unwrap();
    assert!(verification.is_ok());
    assert_eq!((verification.entries, verification.bytes), (1000, 300_000));
    assert!(steps.iter().any(|step| (step.partition, step.read, step.end) == (1, 1000, 1000)), "{steps:?}");
}

#[tokio::test]
async fn refuses_what_it_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let open = |options: EmbeddedOptions| EmbeddedLog::open(path, options).err();
    let missing = Some(OpenError::Missing { path: path.to_owned() });
    assert_eq!(open(EmbeddedOptions { create: false, ..options(2) }), missing);
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 0, "looking leaves nothing behind");
    assert_eq!(open(options(0)), Some(OpenError::InvalidPartitions { asked: 0, limit: 256 }));
    assert_eq!(open(options(257)), Some(OpenError::InvalidPartitions { asked: 257, limit: 256 }));
    assert_eq!(open(options(2)), None);
    let other = Some(OpenError::Partitions { path: path.to_owned(), recorded: 2, asked: 3 });
    assert_eq!(open(options(3)), other);
    assert_eq!(open(EmbeddedOptions { create: false, ..options(2) }), None);
}

#[tokio::test]
async fn belongs_to_one_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), 1);
    let error = EmbeddedLog::open(directory.path(), options(1)).err();
    let expected = StoreError::Locked { path: directory.path().join("entries"), owner: Some(std::process::id()) };
    assert_eq!(error, Some(OpenError::Store(expected)));
    drop(log);
    drop(open(directory.path(), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_writes_what_is_queued_and_wakes_whoever_waits() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), 1);
    let appender = log.appender(0).unwrap();
    let mut reader = log.reader(0, 5000).await.unwrap();
    let waiting = tokio::spawn(async move { reader.next(1).await });
    for n in 0..5000 {
        append(&*appender, numbered(n, 100)).await;
    }
    log.close();
    assert_eq!(waiting.await.unwrap(), Err(LogError::Closed));
    assert_eq!(appender.append("late".into()), Err(LogError::Closed));
    let mut old = log.reader(0, 4999).await.unwrap();
    assert_eq!(number(&old.next(9).await.unwrap()[0]), 4999, "what is in memory can still be read");
    assert_eq!(old.next(9).await, Err(LogError::Closed));
    let log = open(directory.path(), 1);
    let (entries, error) = read_all(&log, 0).await;
    assert_eq!((entries.len(), error), (5000, None));
    assert!(entries.iter().map(number).eq(0..5000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_behind_pass_from_the_disk_to_memory_without_a_seam() {
    let directory = tempfile::tempdir().unwrap();
    // More than several chunks on the disk, and files as well as the write-ahead log.
    let options =
        EmbeddedOptions { tail_entries: 500, write_buffer_bytes: 1024 * 1024, queue_entries: 4096, ..options(1) };
    let log = EmbeddedLog::open(directory.path(), options).unwrap();
    let appender = log.appender(0).unwrap();
    const COUNT: u64 = 60_000;
    let readers: Vec<_> = (0..3u64)
        .map(|reader| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut numbers = Vec::new();
                let mut source = log.reader(0, reader * 1000).await.unwrap();
                while numbers.last() != Some(&(COUNT - 1)) {
                    numbers.extend(source.next(700).await.unwrap().iter().map(number));
                    // The slow ones fall behind again and again.
                    tokio::time::sleep(Duration::from_micros(reader * 500)).await;
                }
                (reader, numbers)
            })
        })
        .collect();
    for n in 0..COUNT {
        append(&*appender, numbered(n, 200)).await;
    }
    for reader in readers {
        let (reader, numbers) = tokio::time::timeout(Duration::from_secs(60), reader).await.unwrap().unwrap();
        assert!(numbers.into_iter().eq(reader * 1000..COUNT), "reader {reader}");
    }
    assert!(log.statistics().partitions[0].file_bytes > 0, "some of it was in files");
}

/// Not a measurement, but a guard against lingering: a mistake here costs a factor of ten or more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_append_does_not_linger() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path(), 1);
    let appender = log.appender(0).unwrap();
    let mut reader = log.reader(0, 0).await.unwrap();
    let mut times = Vec::new();
    for n in 0..300 {
        let started = Instant::now();
        append(&*appender, numbered(n, 300)).await;
        assert_eq!(number(&reader.next(1).await.unwrap()[0]), n);
        times.push(started.elapsed());
    }
    times.sort();
    println!("one append until read back: median {:?}, 99% {:?}", times[150], times[297]);
    assert!(times[150] < Duration::from_millis(20), "median {:?}", times[150]);
}
