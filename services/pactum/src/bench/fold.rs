//! The fold of a log's views from nothing, beside reading the log and decoding its records, and beside Kafka Streams.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use pactum_events::decode;
use pactum_journal::{Entry, Follower, Position};
use pactum_log::Log;
use pactum_log::kafka::{KafkaOptions, raw};
use pactum_projector::{ProjectorOptions, catch_up, named};
use pactum_store::{Shared, SharedOptions};
use pactum_views::View;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::counters::{self, Counters};
use super::load::processor_time;
use super::machine::Machine;
use super::streams::{self, Guarantee};
use crate::log_copy::{Destination, Location};
use crate::output;

/// How many entries are read at once where nothing is folded.
const BATCH: usize = 2_000;

/// Among the names of views: all of them at once.
const TOGETHER: &str = "all";

/// What is to be measured.
pub(super) struct Fold {
    pub(super) from: Location,
    pub(super) views: Vec<String>,
    pub(super) beside_streams: bool,
    pub(super) scratch: PathBuf,
    pub(super) json: bool,
}

/// One measured row.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    records_per_second: f64,
    events_per_second: f64,
    /// Over reading and decoding on one thread: with the client library alone, where the log is a topic of one partition.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_decoding: Option<f64>,
    /// Over Kafka Streams, at least once.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_streams: Option<f64>,
    /// Processor time of the process by record.
    cpu_us: Option<f64>,
    /// The most memory the process had resident.
    peak_mib: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Results {
    machine: Machine,
    command: String,
    records: u64,
    events: u64,
    rows: Vec<Row>,
}

/// What a run took.
struct Taken {
    wall: Duration,
    cpu: Option<Duration>,
    peak_mib: Option<u64>,
}

/// What is in the log.
#[derive(Clone, Copy)]
struct Size {
    records: u64,
    events: u64,
}

impl Size {
    fn row(self, what: impl Into<String>, taken: &Taken) -> Row {
        Row {
            what: what.into(),
            records_per_second: self.records as f64 / taken.wall.as_secs_f64(),
            events_per_second: self.events as f64 / taken.wall.as_secs_f64(),
            of_decoding: None,
            of_streams: None,
            cpu_us: taken.cpu.map(|cpu| cpu.as_micros() as f64 / self.records as f64),
            peak_mib: taken.peak_mib,
        }
    }
}

pub(super) async fn run(fold: Fold) -> anyhow::Result<()> {
    let topic = Destination::topic(&fold.from)?;
    let streams = if fold.beside_streams {
        ensure!(topic.is_some(), "--beside kafka-streams needs --from kafka:…, a log that both can read");
        Some(streams::Program::build().await?)
    } else {
        None
    };
    let runs = runs(&fold.views)?;
    let source = Destination::open(&fold.from, 1).await?;
    let log = Arc::clone(source.log());
    let ends = futures::future::try_join_all((0..log.partitions()).map(|partition| log.end(partition))).await?;
    ensure!(streams.is_none() || ends.len() == 1, "--beside kafka-streams needs a topic of one partition");

    let (size, decoded) = taken(decoded(&log, &ends)).await?;
    ensure!(size.records > 0, "the log is empty; fill one with `pactum generate`");
    let mut rows = Vec::new();
    let mut decoding = decoded.wall;
    if let (Some(topic), [end]) = (&topic, &ends[..]) {
        let alone = taken(raw_read(topic.clone(), *end, false)).await?.1;
        rows.push(size.row("librdkafka alone, read", &alone));
        let (found, alone) = taken(raw_read(topic.clone(), *end, true)).await?;
        ensure!(found >= size.records, "the client library showed {found} records of {}", size.records);
        decoding = alone.wall;
        rows.push(size.row("librdkafka alone, read and decode", &alone));
    }
    rows.push(size.row("read", &taken(read(&log, &ends)).await?.1));
    rows.push(size.row("read and decode, one thread", &decoded));
    let folded = rows.len();
    let data = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(&fold.scratch)?;
    let options = |name: &str| ProjectorOptions {
        data: data.path().join(name),
        shared: Shared::new(SharedOptions::default()),
        ..ProjectorOptions::default()
    };
    for (name, views) in &runs {
        let options = options(name);
        let stop = CancellationToken::new();
        let fold = taken(async { Ok(catch_up(&log, &options, views, &stop).await?) }).await?.1;
        rows.push(size.row(format!("fold {name}"), &fold));
        if name != Counters.name() {
            std::fs::remove_dir_all(&options.data)?;
        }
    }
    if let (Some(streams), Some(topic)) = (streams, &topic) {
        let ours = counters::read(&options(Counters.name()), 0)?;
        for guarantee in [Guarantee::AtLeastOnce, Guarantee::ExactlyOnce] {
            let counted = streams.count(topic, ends[0], guarantee, &fold.scratch).await?;
            ensure!(
                counted.counters == ours && counted.records == size.records,
                "Kafka Streams counted {} records in {} counters, this program {} in {}: they were not given the same work",
                counted.records,
                counted.counters.len(),
                size.records,
                ours.len()
            );
            rows.push(size.row(
                format!("Kafka Streams {}, counters, {}", counted.version, guarantee.words()),
                &Taken {
                    wall: Duration::from_secs_f64(counted.seconds),
                    cpu: Some(Duration::from_secs_f64(counted.cpu_seconds)),
                    peak_mib: Some(counted.peak_mib),
                },
            ));
        }
    }
    drop(log);
    source.close().await;
    compare(&mut rows, folded, size.records as f64 / decoding.as_secs_f64());
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let Size { records, events } = size;
    let results = Results { machine: Machine::look(), command: format!("pactum {command}"), records, events, rows };
    if fold.json { output::json(&results) } else { output::text(&table(&results)) }
}

/// What is folded, by name: the counters, each view, then all at once; or what was asked for.
fn runs(asked: &[String]) -> anyhow::Result<Vec<(String, Vec<&'static dyn View>)>> {
    let every = named(&[])?;
    let names: Vec<String> = if asked.is_empty() {
        let each = every.iter().map(|view| view.name());
        [Counters.name()].into_iter().chain(each).chain([TOGETHER]).map(str::to_owned).collect()
    } else {
        asked.to_vec()
    };
    let views = |name: &String| match name.as_str() {
        TOGETHER => Ok(every.clone()),
        name if name == Counters.name() => Ok(vec![&Counters as &'static dyn View]),
        _ => named(std::slice::from_ref(name)).context("and counters, which only this folds, and all"),
    };
    names.into_iter().map(|name| Ok((name.clone(), views(&name)?))).collect()
}

/// Sets every fold against decoding, `decoding` records a second, and against Kafka Streams where that was measured.
fn compare(rows: &mut [Row], folded: usize, decoding: f64) {
    let streams = rows.iter().find(|row| row.what.starts_with("Kafka Streams")).map(|row| row.records_per_second);
    for row in &mut rows[folded..] {
        row.of_decoding = Some(row.records_per_second / decoding);
        row.of_streams = streams.map(|streams| row.records_per_second / streams);
    }
}

/// What a program does that takes messages from the client library one by one, on one thread. Gives how many were records.
async fn raw_read(topic: KafkaOptions, end: u64, decoding: bool) -> anyhow::Result<u64> {
    let reading = move || {
        let mut records = 0;
        let mut failed = None;
        raw::read(&topic, end, |payload| {
            if !decoding {
                std::hint::black_box(payload);
                return ControlFlow::Continue(());
            }
            match decode_entry(payload) {
                Ok(is_record) => {
                    records += u64::from(is_record);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed.map_or(Ok(records), Err)
    };
    tokio::task::spawn_blocking(reading).await?
}

fn decode_entry(payload: &[u8]) -> anyhow::Result<bool> {
    let Entry::Record(record) = Entry::decode(&Bytes::copy_from_slice(payload))? else { return Ok(false) };
    std::hint::black_box(decode(&record.body)?);
    Ok(true)
}

async fn read(log: &Arc<dyn Log>, ends: &[u64]) -> anyhow::Result<()> {
    for (partition, end) in (0..).zip(ends) {
        let mut reader = log.reader(partition, 0).await?;
        let mut next = 0;
        while next < *end {
            next = reader.next(BATCH).await?.last().map_or(next, |entry| entry.offset + 1);
        }
    }
    Ok(())
}

async fn decoded(log: &Arc<dyn Log>, ends: &[u64]) -> anyhow::Result<Size> {
    let (mut records, mut events) = (0, 0);
    for (partition, end) in (0..).zip(ends) {
        let mut follower = Follower::open(Arc::clone(log), partition, Position::default()).await?;
        while follower.position().offset < *end {
            for valid in follower.next(BATCH).await?.records {
                records += 1;
                events += decode(&valid.body)?.events.len() as u64;
            }
        }
    }
    Ok(Size { records, events })
}

async fn taken<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<(T, Taken)> {
    // Linux then counts the most memory from here on; where it does not, the figure is that of the process's whole life.
    std::fs::write("/proc/self/clear_refs", "5").ok();
    let (started, cpu) = (Instant::now(), processor_time());
    let done = work.await?;
    let wall = started.elapsed();
    let cpu = processor_time().zip(cpu).map(|(after, before)| after - before);
    Ok((done, Taken { wall, cpu, peak_mib: peak_mib() }))
}

fn peak_mib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().split(' ').next()?.parse::<u64>().ok()? / 1024)
}

fn table(results: &Results) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header([
        "what",
        "records/s",
        "events/s",
        "of decoding",
        "of Kafka Streams",
        "CPU µs/record",
        "peak MiB",
    ]);
    for row in &results.rows {
        table.add_row([
            row.what.clone(),
            format!("{:.0}", row.records_per_second),
            format!("{:.0}", row.events_per_second),
            row.of_decoding.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            row.of_streams.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            row.cpu_us.map_or_else(String::new, |cpu| format!("{cpu:.1}")),
            row.peak_mib.map_or_else(String::new, |mib| mib.to_string()),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let Results { machine, command, records, events, .. } = results;
    format!("{machine}\n{command}\n{records} records, {events} events\n{table}\n")
}
