//! The fold of a log's views from nothing, beside reading the log and decoding its records.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use pactum_events::decode;
use pactum_journal::{Follower, Position};
use pactum_log::Log;
use pactum_projector::{ProjectorOptions, ViewStatus, catch_up};
use pactum_store::{Shared, SharedOptions};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::load::processor_time;
use super::machine::Machine;
use crate::log_copy::{Destination, Location};
use crate::output;

/// The views, alone and then together.
const VIEWS: [&str; 5] = ["programs", "partners", "deals", "pipeline", "ownership"];

/// How many entries are read at once where nothing is folded.
const BATCH: usize = 2_000;

/// One measured row.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    records_per_second: f64,
    events_per_second: f64,
    /// Over reading and decoding on one thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_decoding: Option<f64>,
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

pub(super) async fn run(from: &Location, views: &[String], scratch: &Path, json: bool) -> anyhow::Result<()> {
    let source = Destination::open(from, 1).await?;
    let log = Arc::clone(source.log());
    let ends = futures::future::try_join_all((0..log.partitions()).map(|partition| log.end(partition))).await?;
    let read = taken(read(&log, &ends)).await?.1;
    let ((records, events), decoded) = taken(decoded(&log, &ends)).await?;
    anyhow::ensure!(records > 0, "the log is empty; fill one with `pactum generate`");
    let row = |what: &str, taken: &Taken| Row {
        what: what.to_owned(),
        records_per_second: records as f64 / taken.wall.as_secs_f64(),
        events_per_second: events as f64 / taken.wall.as_secs_f64(),
        of_decoding: None,
        cpu_us: taken.cpu.map(|cpu| cpu.as_micros() as f64 / records as f64),
        peak_mib: taken.peak_mib,
    };
    let mut rows = vec![row("read", &read), row("read and decode, one thread", &decoded)];
    let alone = if views.is_empty() { VIEWS.map(str::to_owned).to_vec() } else { views.to_vec() };
    let mut measured: Vec<(String, Vec<String>)> = alone.into_iter().map(|view| (view.clone(), vec![view])).collect();
    if views.is_empty() {
        measured.push(("all views".to_owned(), Vec::new()));
    }
    for (what, views) in measured {
        let fold = taken(folded(&log, scratch, &views)).await?.1;
        let of_decoding = Some(decoded.wall.as_secs_f64() / fold.wall.as_secs_f64());
        rows.push(Row { of_decoding, ..row(&format!("fold {what}"), &fold) });
    }
    drop(log);
    source.close().await;
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let results = Results { machine: Machine::look(), command: format!("pactum {command}"), records, events, rows };
    if json { output::json(&results) } else { output::text(&table(&results)) }
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

async fn decoded(log: &Arc<dyn Log>, ends: &[u64]) -> anyhow::Result<(u64, u64)> {
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
    Ok((records, events))
}

async fn folded(log: &Arc<dyn Log>, scratch: &Path, views: &[String]) -> anyhow::Result<Vec<ViewStatus>> {
    let data = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(scratch)?;
    let options = ProjectorOptions {
        data: data.path().to_owned(),
        shared: Shared::new(SharedOptions::default()),
        ..ProjectorOptions::default()
    };
    Ok(catch_up(log, &options, views, &CancellationToken::new()).await?)
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
        "CPU µs/record",
        "peak MiB",
    ]);
    for row in &results.rows {
        table.add_row([
            row.what.clone(),
            format!("{:.0}", row.records_per_second),
            format!("{:.0}", row.events_per_second),
            row.of_decoding.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
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
