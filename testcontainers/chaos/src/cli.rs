//! The command line: which runs, how often, and where the report goes.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::process::binary;
use crate::report::Report;
use crate::scenario::{self, Scenario};

/// Break things under load, and check that clients were told the truth.
#[derive(Debug, Parser)]
#[command(name = "pactum-chaos", version, after_help = "Example: pactum-chaos owner-kill leader-kill --seed 7")]
pub struct Arguments {
    /// Scenarios to run; all where none is named
    scenarios: Vec<String>,
    /// List the scenarios and end
    #[arg(long)]
    list: bool,
    /// What chance is drawn from; each further run takes the next number
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Go on, round after round, until so many minutes have passed
    #[arg(long, default_value_t = 0)]
    minutes: u64,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as a table
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Keep the files of every run, not only of those that failed
    #[arg(long)]
    keep: bool,
}

/// Runs what was asked for; fails where anything does not hold.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for a terminal")]
pub async fn run(arguments: Arguments) -> ExitCode {
    if arguments.list {
        for scenario in scenario::all() {
            println!("{:<18} {}", scenario.name, scenario.about);
        }
        return ExitCode::SUCCESS;
    }
    let (Ok(mut stop), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        eprintln!("signals cannot be listened to");
        return ExitCode::FAILURE;
    };
    // Dropped at a signal, and with it every process and broker that it started.
    let outcome = tokio::select! {
        outcome = runs(&arguments) => outcome,
        _ = stop.recv() => Err(anyhow::anyhow!("stopped by SIGTERM")),
        _ = interrupt.recv() => Err(anyhow::anyhow!("stopped")),
    };
    match outcome {
        Ok(report) => {
            println!("\n{}", report.markdown());
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn chosen(names: &[String]) -> anyhow::Result<Vec<Scenario>> {
    if names.is_empty() {
        return Ok(scenario::all());
    }
    let named = |name: &String| {
        scenario::named(name).with_context(|| format!("there is no scenario {name:?}; --list names them"))
    };
    names.iter().map(named).collect()
}

#[expect(clippy::print_stdout, reason = "it is a program for a terminal")]
async fn runs(arguments: &Arguments) -> anyhow::Result<Report> {
    let (scenarios, binary) = (chosen(&arguments.scenarios)?, binary()?);
    let until = Instant::now() + Duration::from_secs(60 * arguments.minutes);
    let mut report = Report::default();
    let mut seed = arguments.seed;
    loop {
        for scenario in &scenarios {
            if !report.runs.is_empty() && arguments.minutes > 0 && Instant::now() > until {
                break;
            }
            let files = tempfile::Builder::new().prefix("pactum-chaos-").tempdir().context("no temporary directory")?;
            let run = Box::pin(scenario::run(scenario, seed, &binary, files.path())).await;
            let failed = run.as_ref().map_or(true, |run| run.violations > 0);
            if failed || arguments.keep {
                println!("files of {} with seed {seed}: {}", scenario.name, files.keep().display());
            }
            let run = run.with_context(|| format!("{} with seed {seed}", scenario.name))?;
            print!("{}", run.text());
            report.runs.push(run);
            write(arguments, &report)?;
        }
        seed += 1;
        if Instant::now() >= until {
            return Ok(report);
        }
    }
}

/// Writes what there is so far, so that a run that breaks off leaves the ones before it.
fn write(arguments: &Arguments, report: &Report) -> anyhow::Result<()> {
    for (path, text) in [(&arguments.json, report.json()), (&arguments.markdown, report.markdown())] {
        if let Some(path) = path {
            std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        }
    }
    Ok(())
}
