//! Questions about the past of a program, beside the same questions about now, and what keeping the past takes on the disk.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use hdrhistogram::Histogram;
use pactum_api::proto::common::v1::AsOf;
use pactum_api::proto::common::v1::as_of::Moment;
use pactum_api::proto::deal::v1::ListDealsRequest;
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::pipeline::v1::pipeline_query_service_client::PipelineQueryServiceClient;
use pactum_api::proto::pipeline::v1::{PipelineDimension, QueryPipelineRequest};
use pactum_api::proto::program::v1::GetProgramRequest;
use pactum_api::proto::program::v1::program_query_service_client::ProgramQueryServiceClient;
use pactum_domain::actor::Role;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use tonic::Request;

use super::machine::Machine;
use super::process::Process;
use crate::cli::ConnectArgs;
use crate::client::{self, Connection};
use crate::output;

/// How long the first fold of the log may take.
const FOLDING: Duration = Duration::from_secs(3_600);

/// How long restoring one moment may take.
const RESTORING: Duration = Duration::from_secs(60);

/// How often the program is asked for before it is given up.
const TRIES: usize = 100;

/// How often each moment is asked about once it is restored.
const AGAIN: usize = 50;

/// One measured row.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    asked: u64,
    p50_us: u64,
    p99_us: u64,
    max_us: u64,
}

#[derive(Debug, Serialize)]
struct Results {
    machine: Machine,
    command: String,
    events: u64,
    rows: Vec<Row>,
    live_bytes: u64,
    /// Besides the files that are shared with the live views.
    checkpoint_bytes: u64,
    checkpoints: u64,
    resident_mib: u64,
}

/// A question that is asked over and over.
#[derive(Clone, Copy)]
enum Question {
    Deals,
    Pipeline,
}

pub(super) async fn run(data: &Path, program: &str, moments: usize, seed: u64, json: bool) -> anyhow::Result<()> {
    ensure!(data.join("log").is_dir(), "{} holds no log; `pactum generate` makes one", data.display());
    let mut serve = Process::start(&["serve", "--data", &data.to_string_lossy()], &[])?;
    let endpoint = format!("http://{}", serve.grpc);
    let to = ConnectArgs { endpoint, token: None, data: data.to_owned(), key_file: None };
    serve.ready_within(FOLDING).await?;
    let connection = client::connect(&to, &client::program_id(program)?, Role::Analyst).await?;
    // It may have said that it is ready before it knew of its parts: an answer is what counts.
    let mut answered = last_sequence(&connection, program).await;
    for _ in 0..TRIES {
        if answered.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        serve.ready_within(FOLDING).await?;
        answered = last_sequence(&connection, program).await;
    }
    let events = answered.with_context(|| format!("{program} cannot be asked about"))?;

    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = Vec::new();
    for (question, name) in [(Question::Deals, "ListDeals"), (Question::Pipeline, "QueryPipeline")] {
        let asked: Vec<u64> = (0..moments).map(|_| random.random_range(2..=events)).collect();
        let (mut cold, mut warm, mut live) = (histogram()?, histogram()?, histogram()?);
        for sequence in asked {
            let as_of = Some(AsOf { moment: Some(Moment::Sequence(sequence)) });
            timed(&mut cold, ask(&connection, program, question, as_of)).await?;
            for _ in 0..AGAIN {
                timed(&mut warm, ask(&connection, program, question, as_of)).await?;
                timed(&mut live, ask(&connection, program, question, None)).await?;
            }
        }
        for (kind, histogram) in [("cold", cold), ("warm", warm), ("live", live)] {
            rows.push(Row::of(format!("{name}, {kind}"), &histogram));
        }
    }
    let resident_mib = serve.resident_mib()?;
    serve.stop().await?;
    let (live_bytes, checkpoint_bytes, checkpoints) = on_disk(&data.join("views"))?;
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let command = format!("pactum {command}");
    let machine = Machine::look();
    let results = Results { machine, command, events, rows, live_bytes, checkpoint_bytes, checkpoints, resident_mib };
    if json { output::json(&results) } else { output::text(&table(&results)) }
}

async fn last_sequence(connection: &Connection, program: &str) -> anyhow::Result<u64> {
    let request = GetProgramRequest { name: program.to_owned(), ..Default::default() };
    let answer = ProgramQueryServiceClient::new(connection.clone()).get_program(request).await?;
    Ok(answer.into_inner().sequence)
}

async fn ask(connection: &Connection, program: &str, question: Question, as_of: Option<AsOf>) -> anyhow::Result<()> {
    let parent = program.to_owned();
    match question {
        Question::Deals => {
            let request = ListDealsRequest { parent, page_size: 10, as_of, ..Default::default() };
            let mut request = Request::new(request);
            request.set_timeout(RESTORING);
            DealQueryServiceClient::new(connection.clone()).list_deals(request).await?;
        }
        Question::Pipeline => {
            let group_by = vec![PipelineDimension::Stage.into(), PipelineDimension::Currency.into()];
            let mut request = Request::new(QueryPipelineRequest { parent, as_of, group_by, ..Default::default() });
            request.set_timeout(RESTORING);
            PipelineQueryServiceClient::new(connection.clone()).query_pipeline(request).await?;
        }
    }
    Ok(())
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

async fn timed(histogram: &mut Histogram<u64>, asking: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let started = Instant::now();
    asking.await?;
    histogram.record(u64::try_from(started.elapsed().as_micros())?)?;
    Ok(())
}

impl Row {
    fn of(what: String, histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile);
        Self { what, asked: histogram.len(), p50_us: at(0.5), p99_us: at(0.99), max_us: histogram.max() }
    }
}

/// Bytes of the live views, bytes that only checkpoints hold, and how many of these there are.
fn on_disk(views: &Path) -> anyhow::Result<(u64, u64, u64)> {
    let (mut live, mut kept) = (Vec::new(), Vec::new());
    for partition in directories(views)? {
        for path in directories(&partition)? {
            if path.to_string_lossy().ends_with(".checkpoints") {
                kept.extend(directories(&path)?);
            } else {
                live.push(path);
            }
        }
    }
    let mut seen = HashSet::new();
    let mut bytes = |paths: &[std::path::PathBuf]| -> anyhow::Result<u64> {
        let mut bytes = 0;
        for path in paths {
            for entry in std::fs::read_dir(path)? {
                let file = entry?.metadata()?;
                bytes += if file.is_file() && seen.insert(file.ino()) { file.len() } else { 0 };
            }
        }
        Ok(bytes)
    };
    Ok((bytes(&live)?, bytes(&kept)?, kept.len() as u64))
}

fn directories(path: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| format!("{} cannot be listed", path.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

fn table(results: &Results) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header(["what", "asked", "p50 ms", "p99 ms", "max ms"]);
    let ms = |us: u64| format!("{:.2}", us as f64 / 1000.0);
    for row in &results.rows {
        table.add_row([row.what.clone(), row.asked.to_string(), ms(row.p50_us), ms(row.p99_us), ms(row.max_us)]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    format!(
        "{}\n{}\n{} events; views {:.1} MiB, {} checkpoints {:.1} MiB besides; {} MiB resident\n{table}\n",
        results.machine,
        results.command,
        results.events,
        mib(results.live_bytes),
        results.checkpoints,
        mib(results.checkpoint_bytes),
        results.resident_mib,
    )
}
