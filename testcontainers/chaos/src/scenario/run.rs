//! Carrying a scenario out.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::Scenario;
use super::step::Step;
use super::world::World;
use crate::check::{Findings, Kind, LogContents, check};
use crate::load::{Load, LoadError, LoadOptions};
use crate::report::RunReport;

/// How long the log may take to be read to its end.
const READING: Duration = Duration::from_secs(120);

/// How long the load may take for a number of answers while nothing is wrong.
const ANSWERS: Duration = Duration::from_secs(60);

/// Runs a scenario with processes of `binary` and files in `directory`, and checks what clients saw.
///
/// # Errors
/// The cluster cannot be started, a step cannot be carried out, or the log cannot be read. What does not hold is no error
/// but in the report.
pub async fn run(scenario: &Scenario, seed: u64, binary: &Path, directory: &Path) -> anyhow::Result<RunReport> {
    let mut world = Box::pin(World::start(scenario.cluster, binary, directory)).await?;
    let outcome = Box::pin(under_load(scenario, seed, &mut world)).await;
    if outcome.as_ref().map_or(true, |report| report.violations > 0)
        && let Some(kept) = world.keep_logs()
    {
        note_logs(directory, &kept)?;
    }
    outcome
}

/// Leaves a note where the brokers' logs are, beside the logs of the processes.
fn note_logs(directory: &Path, kept: &Path) -> anyhow::Result<()> {
    std::fs::write(directory.join("brokers.txt"), format!("{}\n", kept.display())).context("the note cannot be written")
}

async fn under_load(scenario: &Scenario, seed: u64, world: &mut World) -> anyhow::Result<RunReport> {
    let (commands, queries) = world.endpoints();
    let pace = Duration::from_millis(10);
    let load =
        Load::start(LoadOptions { seed, commands, queries, pace, ..LoadOptions::default() }, &world.key()?).await?;
    let (mut rng, started) = (ChaCha8Rng::seed_from_u64(seed), Instant::now());
    let (mut faults, mut stalled) = (Vec::new(), Findings::default());
    for step in &scenario.steps {
        match step {
            Step::Answers(more) => progress(&load, *more, ANSWERS, step, &mut stalled).await?,
            Step::Progress(within) => progress(&load, 3, *within, step, &mut stalled).await?,
            Step::Load(least, most) => load.run_for(rng.random_range(*least..=*most)).await,
            Step::StartAll => Box::pin(world.start_all()).await?,
            Step::Whole => world.whole().await?,
            Step::Do(action, target) => {
                let at = started.elapsed().as_secs_f64();
                let done = world.act(*action, *target).await.with_context(|| format!("{step:?}"))?;
                if action.is_fault() {
                    faults.push(format!("{at:.1} s: {done}"));
                }
            }
        }
    }
    let history = load.stop().await;
    let log = world.log().await?;
    let contents = LogContents::read(&log, READING).await?;
    drop(log);
    let name = scenario.name;
    let report = tokio::task::spawn_blocking(move || {
        let mut findings = check(&history, &contents);
        for violation in stalled.violations() {
            findings.add(violation.kind, violation.text.clone());
        }
        RunReport { faults, ..RunReport::new(name, seed, &history, &contents, &findings) }
    });
    Ok(report.await?)
}

/// Waits for answers; that they do not come is a finding, and the run goes on.
async fn progress(load: &Load, more: u64, within: Duration, step: &Step, stalled: &mut Findings) -> anyhow::Result<()> {
    match load.answered(more, within).await {
        Ok(()) => Ok(()),
        Err(error @ LoadError::Stalled { .. }) => {
            stalled.add(Kind::NoProgress, format!("{step:?}: {error}"));
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
