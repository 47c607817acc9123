//! `pactum bench`: figures of this machine, each beside something to hold it against, in one run.

mod asof;
mod commands;
mod counters;
mod echo;
mod fold;
mod freshness;
mod kafka;
mod large;
mod load;
mod machine;
mod plot;
mod process;
mod program;
mod queries;
mod read_back;
mod scaling;
mod startup;
mod streams;
mod umadb;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use pactum_log::kafka::KafkaOptions;
use pactum_runtime::config::Settings;
use serde::Serialize;

use crate::output;
use fold::Fold;
use load::Figures;
use machine::Machine;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pactum bench commands --json
  pactum bench commands --beside umadb --seconds 5
  pactum bench commands --log kafka --brokers 127.0.0.1:9092
  pactum bench scaling --brokers 127.0.0.1:9092 --plot scaling.svg
  pactum bench queries
  pactum bench queries --data data --program programs/acme
  pactum bench fold --from kafka:127.0.0.1:9092/pactum
  pactum bench fold --from kafka:127.0.0.1:9092/pactum --beside kafka-streams
  pactum bench freshness
  pactum bench asof --data data
  pactum bench startup --data data")]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: What,
    /// Print the results as JSON
    #[arg(long, global = true)]
    json: bool,
    /// How long each row is measured, in seconds, after a fifth of it as a warm-up
    #[arg(long, global = true, default_value_t = 4.0, value_parser = seconds)]
    seconds: f64,
}

#[derive(Debug, Subcommand)]
enum What {
    /// RegisterDeal through gRPC, beside a no-op echo of the same size
    Commands {
        /// Requests in flight
        #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 256])]
        in_flight: Vec<usize>,
        /// Another system to put the same load on: built from docs/benchmarks, needs cargo
        #[arg(long, conflicts_with = "log")]
        beside: Option<Beside>,
        /// The log: without it, the one in memory and the embedded one
        #[arg(long, requires = "brokers")]
        log: Option<LogKind>,
        /// The Kafka brokers to measure on; topics are made there and removed
        #[arg(long, env = "PACTUM_KAFKA__BROKERS", value_name = "HOST:PORT,…")]
        brokers: Option<String>,
    },
    /// Point reads and the grouped pipeline of a program with --deals deals, or of one that is there, beside the echo
    #[command(after_help = "\
With --data, commands are taken meanwhile: they change stages of deals in the log that is there. Its views are folded first where
they are not.")]
    Queries {
        /// Requests in flight [default: 1,32,256; with --data: 1]
        #[arg(long, value_delimiter = ',')]
        in_flight: Vec<usize>,
        /// Deals of the program that is read
        #[arg(long, default_value_t = 5_000)]
        deals: u32,
        /// A data directory whose log `pactum generate` filled; it must not be in use
        #[arg(long, value_name = "DIR", conflicts_with = "deals")]
        data: Option<std::path::PathBuf>,
        /// The program in it that is asked about
        #[arg(long, default_value = "programs/acme", requires = "data")]
        program: String,
    },
    /// RegisterDeal over partitions of a Kafka log and command processes in front of it
    Scaling {
        /// The Kafka brokers to measure on; topics are made there and removed
        #[arg(long, env = "PACTUM_KAFKA__BROKERS", value_name = "HOST:PORT,…")]
        brokers: String,
        /// Partitions of the log
        #[arg(long, value_delimiter = ',', default_values_t = [1, 4, 12])]
        partitions: Vec<u32>,
        /// Command processes
        #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 3])]
        processes: Vec<usize>,
        /// Requests in flight
        #[arg(long, default_value_t = 256)]
        in_flight: usize,
        /// Where to draw the result, as SVG
        #[arg(long, value_name = "FILE")]
        plot: Option<std::path::PathBuf>,
    },
    /// The fold of a log's views from nothing, beside reading and decoding it
    Fold {
        /// The log, filled by `pactum generate`: embedded:DIR, kafka:HOST:PORT,…/TOPIC or config:FILE
        #[arg(long, value_name = "LOG")]
        from: crate::log_copy::Location,
        /// The views to fold, one by one, also `counters` and `all` together; without it every one of these
        #[arg(long, value_delimiter = ',', value_name = "VIEW")]
        views: Vec<String>,
        /// Another system to fold the same partition with: built from docs/benchmarks, needs mvn and a JDK
        #[arg(long, conflicts_with = "views")]
        beside: Option<FoldBeside>,
        /// Where the views are written; they are removed afterwards
        #[arg(long, default_value = ".", value_name = "DIR")]
        scratch: std::path::PathBuf,
    },
    /// From a command's answer until a query shows its effect, at half of the full load
    Freshness {
        /// Requests in flight that are taken for the full load
        #[arg(long, default_value_t = 256)]
        in_flight: usize,
        /// The log: without it, the embedded one
        #[arg(long, requires = "brokers")]
        log: Option<LogKind>,
        /// The Kafka brokers to measure on; a topic is made there and removed
        #[arg(long, env = "PACTUM_KAFKA__BROKERS", value_name = "HOST:PORT,…")]
        brokers: Option<String>,
    },
    /// Questions as of random moments of a program, cold and warm, beside now; and what that takes on the disk
    Asof {
        /// A data directory whose log `pactum generate` filled; it must not be in use
        #[arg(long, default_value = "data", value_name = "DIR")]
        data: std::path::PathBuf,
        /// The program that is asked about
        #[arg(long, default_value = "programs/demo")]
        program: String,
        /// Moments that are asked about, for each question
        #[arg(long, default_value_t = 20)]
        moments: usize,
        /// Other moments for another number
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Start of `serve` on existing data, and its memory when idle
    Startup {
        /// The data directory; it must not be in use
        #[arg(long, default_value = "data")]
        data: std::path::PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogKind {
    Kafka,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Beside {
    Umadb,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FoldBeside {
    KafkaStreams,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("it must be a number of seconds from 0.1 to 600".into()),
    }
}

/// One measured row.
#[derive(Debug, Serialize)]
struct Row {
    what: String,
    #[serde(flatten)]
    figures: Figures,
    /// Throughput over the echo's, with messages of the same size and at the same number in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_echo: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Results {
    machine: Machine,
    command: String,
    rows: Vec<Row>,
}

/// These brokers, and everything else as the environment sets it for any process: `PACTUM_KAFKA__LINGER_MS=1`.
fn kafka_at(brokers: String) -> anyhow::Result<KafkaOptions> {
    let settings = Settings::load(None, &std::collections::BTreeMap::<String, String>::new())?;
    Ok(KafkaOptions { brokers, ..settings.kafka })
}

pub(crate) async fn run(arguments: BenchArgs) -> anyhow::Result<()> {
    let rows = match arguments.what {
        What::Commands { in_flight, log: Some(LogKind::Kafka), brokers, .. } => {
            let kafka = kafka_at(brokers.unwrap_or_default())?;
            kafka::run(kafka, &in_flight, arguments.seconds).await?
        }
        What::Commands { in_flight, beside, log: None, .. } => {
            commands::run(&in_flight, arguments.seconds, matches!(beside, Some(Beside::Umadb))).await?
        }
        What::Queries { in_flight, data: Some(data), program, .. } => {
            let in_flight = if in_flight.is_empty() { vec![1] } else { in_flight };
            large::run(&data, &program, &in_flight, arguments.seconds).await?
        }
        What::Queries { in_flight, deals, data: None, .. } => {
            let in_flight = if in_flight.is_empty() { vec![1, 32, 256] } else { in_flight };
            queries::run(&in_flight, deals, arguments.seconds).await?
        }
        What::Scaling { brokers, partitions, processes, in_flight, plot } => {
            let kafka = kafka_at(brokers)?;
            let points = scaling::run(&kafka, &partitions, &processes, in_flight, arguments.seconds).await?;
            if let Some(path) = plot {
                let title = format!("RegisterDeal on Kafka per second, {in_flight} in flight, {}", Machine::look());
                std::fs::write(&path, plot::scaling(&points, &title))
                    .with_context(|| format!("the picture cannot be written to {}", path.display()))?;
            }
            points.into_iter().map(scaling::Point::row).collect()
        }
        What::Fold { from, views, beside, scratch } => {
            let beside_streams = matches!(beside, Some(FoldBeside::KafkaStreams));
            return fold::run(Fold { from, views, beside_streams, scratch, json: arguments.json }).await;
        }
        What::Freshness { in_flight, log, brokers } => {
            let kafka = log.map(|LogKind::Kafka| kafka_at(brokers.unwrap_or_default())).transpose()?;
            freshness::run(kafka, in_flight, arguments.seconds).await?
        }
        What::Asof { data, program, moments, seed } => {
            return asof::run(&data, &program, moments, seed, arguments.json).await;
        }
        What::Startup { data } => return startup::run(&data, arguments.json).await,
    };
    let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let results = Results { machine: Machine::look(), command: format!("pactum {command}"), rows: with_echo(rows) };
    if arguments.json { output::json(&results) } else { output::text(&table(&results)) }
}

/// Sets each row against the echo before it, which has the sizes of its messages.
fn with_echo(rows: Vec<(String, Figures)>) -> Vec<Row> {
    let mut echo = None;
    rows.into_iter()
        .map(|(what, figures)| {
            let of_echo = if what.starts_with(echo::NAME) {
                echo = Some(figures.per_second);
                None
            } else {
                echo.map(|echo| figures.per_second / echo)
            };
            Row { what, figures, of_echo }
        })
        .collect()
}

fn table(results: &Results) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header([
        "what",
        "in flight",
        "per second",
        "p50 ms",
        "p99 ms",
        "of echo",
        "CPU µs",
    ]);
    for row in &results.rows {
        table.add_row([
            row.what.clone(),
            row.figures.in_flight.to_string(),
            format!("{:.0}", row.figures.per_second),
            format!("{:.2}", row.figures.p50_us as f64 / 1000.0),
            format!("{:.2}", row.figures.p99_us as f64 / 1000.0),
            row.of_echo.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            row.figures.cpu_us.map_or_else(String::new, |cpu| format!("{cpu:.1}")),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("{}\n{}\n{table}\n", results.machine, results.command)
}
