//! How fast the logs are on this machine, from append until read back: `cargo run --release -p pactum-log --example speed`.
#![expect(clippy::print_stdout, reason = "its purpose")]

use bytes::Bytes;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::memory::{MemoryLog, MemoryOptions};
use pactum_log::{Log, LogError, Offset};
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const ENTRY_BYTES: usize = 300;
const MOST_AT_ONCE: usize = 1000;

/// Keeps `window` entries between append and read-back, for a while.
async fn measure(name: &str, log: &dyn Log, window: usize) -> Result<(), Box<dyn Error>> {
    let from = log.end(0).await?;
    let appender = log.appender(0)?;
    let mut reader = log.reader(0, from).await?;
    let room = Arc::new(Semaphore::new(window));
    let entry = Bytes::from(vec![7; ENTRY_BYTES]);
    let (sent, mut times) = tokio::sync::mpsc::unbounded_channel::<Instant>();
    let writing = {
        let room = room.clone();
        async move {
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(2) {
                room.acquire().await?.forget();
                sent.send(Instant::now())?;
                while let Err(error) = appender.append(entry.clone()) {
                    if error != LogError::Busy {
                        return Err(error.into());
                    }
                    tokio::task::yield_now().await;
                }
            }
            Ok::<Duration, Box<dyn Error>>(started.elapsed())
        }
    };
    let reading = async {
        let mut waits = Vec::new();
        let mut next: Offset = from;
        while let Some(time) = times.recv().await {
            let mut time = Some(time);
            for entry in reader.next(MOST_AT_ONCE).await? {
                assert_eq!(entry.offset, next, "no gaps");
                next += 1;
                let sent = match time.take() {
                    Some(time) => time,
                    None => times.recv().await.ok_or("more came back than was sent")?,
                };
                waits.push(sent.elapsed());
                room.add_permits(1);
            }
        }
        Ok::<_, Box<dyn Error>>(waits)
    };
    let (elapsed, waits) = tokio::join!(writing, reading);
    let (elapsed, mut waits) = (elapsed?, waits?);
    waits.sort();
    let at = |part: usize| waits[(waits.len() - 1) * part / 100];
    let per_second = waits.len() as u128 * 1000 / elapsed.as_millis().max(1);
    println!("{name:9} window {window:5}: {per_second:8}/s   50% {:>9.1?}   99% {:>9.1?}", at(50), at(99));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).map_or_else(std::env::temp_dir, Into::into).join("pactum-log-speed");
    let memory = MemoryLog::new(&MemoryOptions::default());
    let embedded = EmbeddedLog::open(&directory, EmbeddedOptions { reserve_bytes: 0, ..EmbeddedOptions::default() })?;
    for window in [1, 16, 64, 256, 4096] {
        measure("memory", &memory, window).await?;
        measure("embedded", &embedded, window).await?;
    }
    let end = embedded.end(0).await?;
    let mut reader = embedded.reader(0, 0).await?;
    let (started, mut next) = (Instant::now(), 0);
    while next < end {
        next += reader.next(MOST_AT_ONCE).await?.len() as u64;
    }
    println!("embedded  read from the start: {} entries in {:.1?}", end, started.elapsed());
    embedded.close();
    let started = Instant::now();
    drop(EmbeddedLog::open(&directory, EmbeddedOptions::default())?);
    println!("embedded  opened and closed in {:.1?}", started.elapsed());
    std::fs::remove_dir_all(directory)?;
    Ok(())
}
