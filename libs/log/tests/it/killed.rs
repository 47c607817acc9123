//! SIGKILL at any moment: what was readable before is there after.

use crate::support::{number, numbered, open, options, read_all};
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::{Log, LogError};
use rand::{RngExt, SeedableRng};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

const DIRECTORY: &str = "PACTUM_TEST_KILLED_DIRECTORY";
const PARTITIONS: u32 = 2;
const ROUNDS: u32 = 12;

/// Appends until it is killed, and tells each entry that it read back: `partition offset number`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child process of the test below"]
async fn child() {
    let directory = std::env::var(DIRECTORY).expect("set by the parent");
    // Small, so that flushes and new write-ahead logs are under way when the signal comes.
    let options = EmbeddedOptions { write_buffer_bytes: 256 * 1024, ..options(PARTITIONS) };
    let log = EmbeddedLog::open(directory, options).unwrap();
    println!("open");
    let readers: Vec<_> = (0..PARTITIONS)
        .map(|partition| {
            let log = log.clone();
            tokio::spawn(async move {
                let from = log.end(partition).await.unwrap();
                let appender = log.appender(partition).unwrap();
                let mut reader = log.reader(partition, from).await.unwrap();
                let mut next = from;
                // Far more than there is time for.
                while next < 100_000_000 {
                    for _ in 0..50 {
                        match appender.append(numbered(next, 500)) {
                            Ok(()) => next += 1,
                            Err(error) => assert_eq!(error, LogError::Busy),
                        }
                    }
                    let mut text = String::new();
                    for entry in reader.next(1000).await.unwrap() {
                        text += &format!("{partition} {} {}\n", entry.offset, number(&entry));
                    }
                    std::io::stdout().lock().write_all(text.as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn every_entry_that_was_read_back_is_there_after_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut told = [0u64; PARTITIONS as usize];
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child", "--ignored", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let reading = std::thread::spawn(move || output.lines().map_while(Result::ok).collect::<Vec<_>>());
        // Sometimes while it opens, mostly while it writes.
        std::thread::sleep(Duration::from_millis(rng.random_range(10..600)));
        child.kill().unwrap();
        child.wait().unwrap();
        let mut round_told = 0;
        for line in reading.join().unwrap() {
            let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
            // Other lines are the test harness's, and the last one may be cut off.
            if let [partition, offset, number] = numbers[..]
                && offset == number
            {
                let told = &mut told[partition as usize];
                *told = (*told).max(offset + 1);
                round_told += 1;
            }
        }
        let log = open(directory.path(), PARTITIONS);
        for (partition, told) in (0..PARTITIONS).zip(told) {
            let (entries, error) = read_all(&log, partition).await;
            assert_eq!(error, None, "round {round}");
            assert!(entries.len() as u64 >= told, "round {round}: {told} were read back, {} are there", entries.len());
            assert!(entries.iter().map(number).eq(0..entries.len() as u64), "round {round}: each once, in order");
        }
        println!("round {round}: {round_told} entries told before the kill, ends {told:?}");
    }
    assert!(told.iter().all(|told| *told > 1000), "the children got to write: {told:?}");
}
