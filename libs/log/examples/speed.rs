//! How fast the logs are on this machine, from append until read back: `cargo run --release -p pactum-log --example speed`.
//!
//! With `-- --kafka 127.0.0.1:9092` the log on Kafka, and beside it the client library without the log's trait; without an
//! address on a broker of its own.
#![expect(clippy::print_stdout, reason = "its purpose")]

use bytes::Bytes;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::kafka::topics::{TopicSpec, ensure};
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_log::memory::{MemoryLog, MemoryOptions};
use pactum_log::{Appender, Log, LogError, Offset, Reader};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, TopicPartitionList};
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const ENTRY_BYTES: usize = 300;
const MOST_AT_ONCE: usize = 1000;
const FOR: Duration = Duration::from_secs(2);
const WINDOWS: [usize; 5] = [1, 16, 64, 256, 4096];

type Failure = Box<dyn Error + Send + Sync>;

/// Keeps `window` entries between append and read-back of each partition, for a while.
async fn measure(name: &str, log: &dyn Log, window: usize) -> Result<(), Failure> {
    let mut running = Vec::new();
    for partition in 0..log.partitions() {
        let from = log.end(partition).await?;
        let (appender, reader) = (log.appender(partition)?, log.reader(partition, from).await?);
        let share = (window / log.partitions() as usize).max(1);
        running.push(tokio::spawn(measure_partition(appender, reader, from, share)));
    }
    let mut waits = Vec::new();
    for running in running {
        waits.extend(running.await??);
    }
    report(name, window, waits);
    Ok(())
}

async fn measure_partition(
    appender: Box<dyn Appender>,
    mut reader: Box<dyn Reader>,
    from: Offset,
    window: usize,
) -> Result<Vec<Duration>, Failure> {
    let room = Arc::new(Semaphore::new(window));
    let entry = Bytes::from(vec![7; ENTRY_BYTES]);
    let (sent, mut times) = tokio::sync::mpsc::unbounded_channel::<Instant>();
    let writing = {
        let room = room.clone();
        async move {
            let started = Instant::now();
            while started.elapsed() < FOR {
                room.acquire().await?.forget();
                sent.send(Instant::now())?;
                while let Err(error) = appender.append(entry.clone()) {
                    if error != LogError::Busy {
                        return Err(error.into());
                    }
                    tokio::task::yield_now().await;
                }
            }
            Ok::<(), Failure>(())
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
        Ok::<_, Failure>(waits)
    };
    let ((), waits) = tokio::try_join!(writing, reading)?;
    Ok(waits)
}

fn report(name: &str, window: usize, mut waits: Vec<Duration>) {
    waits.sort();
    let at = |part: usize| waits[(waits.len() - 1) * part / 100];
    let per_second = waits.len() as u128 * 1000 / FOR.as_millis();
    println!("{name:16} window {window:5}: {per_second:8}/s   50% {:>9.1?}   99% {:>9.1?}", at(50), at(99));
}

/// The same with the client library alone: a thread writes, another polls.
fn measure_library(options: &KafkaOptions, window: usize) -> Result<(), Failure> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &options.brokers).set("group.id", "speed");
    let consumer: BaseConsumer = config.clone().set("fetch.queue.backoff.ms", "5").create()?;
    let producer: ThreadedProducer<DefaultProducerContext> = config
        .remove("group.id")
        .set("linger.ms", "0")
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .create()?;
    let (_, end) = consumer.fetch_watermarks(&options.topic, 0, Duration::from_secs(5))?;
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&options.topic, 0, rdkafka::Offset::Offset(end))?;
    consumer.assign(&assignment)?;
    // A slot is taken by sending and freed by receiving, so that as many are on their way as there are slots.
    let (slots, freed) = sync_channel::<()>(window);
    let (sent, times) = sync_channel::<Instant>(2 * window);
    for _ in 0..window {
        slots.send(())?;
    }
    let topic = options.topic.clone();
    let writing = std::thread::spawn(move || {
        let (started, payload) = (Instant::now(), vec![7; ENTRY_BYTES]);
        while started.elapsed() < FOR && freed.recv().is_ok() {
            sent.send(Instant::now()).map_err(|_| "the reader stopped")?;
            while let Err((error, _)) = producer.send(BaseRecord::<(), _>::to(&topic).partition(0).payload(&payload)) {
                if error.rdkafka_error_code() != Some(rdkafka::types::RDKafkaErrorCode::QueueFull) {
                    return Err("a message was refused");
                }
                std::thread::yield_now();
            }
        }
        // Dropped only when all came back: it would throw away what is on its way.
        Ok(producer)
    });
    let mut waits = Vec::new();
    while let Ok(time) = times.recv() {
        if let Some(message) = consumer.poll(Duration::from_secs(10)) {
            message?;
        }
        waits.push(time.elapsed());
        // The writer is done when nobody takes slots any more.
        let _ = slots.try_send(());
    }
    drop(writing.join().map_err(|_| "the writer panicked")??);
    report("kafka, raw", window, waits);
    Ok(())
}

async fn kafka(brokers: String) -> Result<(), Failure> {
    for partitions in [1, 4, 12] {
        let topic = format!("speed-{}-{partitions}", std::process::id());
        let options = KafkaOptions { brokers: brokers.clone(), topic, ..KafkaOptions::default() };
        let spec = TopicSpec { partitions, replication_factor: 1, min_insync_replicas: 1 };
        ensure(&options, spec).await?;
        for producers in [1, 12] {
            if producers > 1 && partitions == 1 {
                continue;
            }
            let log = KafkaLog::connect(KafkaOptions { producers, ..options.clone() }).await?;
            println!("{partitions} partitions, at most {producers} producers");
            for window in WINDOWS {
                if partitions == 1 {
                    measure_library(&options, window)?;
                }
                measure("kafka", &log, window).await?;
            }
            let (started, count) = (Instant::now(), 1000);
            for _ in 0..count {
                log.end(0).await?;
            }
            cost_of_readers(&log).await?;
            println!("kafka            the end is told in {:.1?}", started.elapsed() / count);
            if partitions == 1 {
                read_all("kafka", &log).await?;
            }
        }
    }
    Ok(())
}

/// A reader has a client of its own: what does that cost?
async fn cost_of_readers(log: &dyn Log) -> Result<(), Failure> {
    const READERS: usize = 24;
    let usage = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or_default()
        };
        (line("Threads:"), line("VmRSS:"))
    };
    let (started, before) = (Instant::now(), usage());
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut reader = log.reader(0, 0).await?;
        reader.next(1).await?;
        readers.push(reader);
    }
    let (took, after) = (started.elapsed(), usage());
    let (threads, kib) = (after.0.saturating_sub(before.0), after.1.saturating_sub(before.1));
    println!(
        "kafka            a reader costs {} threads, {} KiB and {:.1?} until its first entry",
        threads / READERS,
        kib / READERS,
        took / READERS as u32
    );
    Ok(())
}

async fn read_all(name: &str, log: &dyn Log) -> Result<(), Failure> {
    let end = log.end(0).await?;
    let mut reader = log.reader(0, 0).await?;
    let (started, mut next) = (Instant::now(), 0);
    while next < end {
        next += reader.next(MOST_AT_ONCE).await?.len() as u64;
    }
    println!("{name:16} read from the start: {end} entries in {:.1?}", started.elapsed());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if first.as_deref() == Some("--kafka") {
        return match arguments.next() {
            Some(brokers) => kafka(brokers).await,
            None => kafka(pactum_testcontainers::Kafka::start(Default::default()).await?.bootstrap()).await,
        };
    }
    let directory = first.map_or_else(std::env::temp_dir, Into::into).join("pactum-log-speed");
    let memory = MemoryLog::new(&MemoryOptions::default());
    let embedded = EmbeddedLog::open(&directory, EmbeddedOptions { reserve_bytes: 0, ..EmbeddedOptions::default() })?;
    for window in WINDOWS {
        measure("memory", &memory, window).await?;
        measure("embedded", &embedded, window).await?;
    }
    read_all("embedded", &embedded).await?;
    embedded.close();
    let started = Instant::now();
    drop(EmbeddedLog::open(&directory, EmbeddedOptions::default())?);
    println!("embedded         opened and closed in {:.1?}", started.elapsed());
    std::fs::remove_dir_all(directory)?;
    Ok(())
}
