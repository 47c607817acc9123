//! Bytes that went bad on a broker's disk.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use pactum_log::{Log as _, LogError};
use pactum_testcontainers::shared;

use crate::kafka_support::{connect, make_topic, on, soon};
use crate::support::{append, number, numbered};

/// Turns over the bits of one byte, so many bytes before the file's end.
fn turn_over(file: &Path, before_end: i64) {
    let mut file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let mut byte = [0];
    file.seek(SeekFrom::End(-before_end)).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(SeekFrom::End(-before_end)).unwrap();
    file.write_all(&[!byte[0]]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_batch_is_told_and_never_read_as_data() {
    let kafka = shared().await.unwrap();
    let options = on(kafka.bootstrap());
    make_topic(&options, 1, 1).await;
    let log = connect(&options).await;
    let appender = log.appender(0).unwrap();
    let mut reader = log.reader(0, 0).await.unwrap();
    // Each read back before the next, so that each is a batch of its own.
    for entry in 0..3 {
        append(&*appender, numbered(entry, 100)).await;
        assert_eq!(number(&soon("the entry", reader.next(1)).await.unwrap()[0]), entry);
    }

    let segment = kafka.broker(0).log_dir().join(format!("{}-0", options.topic)).join(format!("{:020}.log", 0));
    turn_over(&segment, 20);
    let mut reader = log.reader(0, 0).await.unwrap();
    let mut read = Vec::new();
    let error = loop {
        match soon("entries or an error", reader.next(10)).await {
            Ok(entries) => read.extend(entries.iter().map(number)),
            Err(error) => break error,
        }
    };
    assert_eq!(read, [0, 1], "what lies before the damage is read, and nothing of it");
    assert!(matches!(&error, LogError::Corrupt(text) if text.contains("offset 2")), "{error}");
    // It is damage, and no failure that passes: asking again says the same.
    assert_eq!(soon("an error", reader.next(10)).await.unwrap_err(), error);

    turn_over(&segment, 20);
    let mut reader = log.reader(0, 2).await.unwrap();
    assert_eq!(number(&soon("the entry", reader.next(1)).await.unwrap()[0]), 2);
}
