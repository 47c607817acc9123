//! `pactum generate`: a program's history of any size, made through the rules and written straight to a log.
//!
//! - [`shape`]: the figures that everything else follows from; `docs/generator.md` says where they come from.
//! - [`simulation`]: what is to happen, in the order of simulated time; `members`, `deals`, `review`, `sale` and `past` are its
//!   parts.
//! - [`decider`]: the state machine of the command role, asked on that time. No event is made otherwise.
//! - [`writing`]: the thread that decides, and the writers that number, append and read back.

mod arguments;
mod calendar;
mod chance;
mod crowd;
mod deals;
mod decider;
mod error;
mod market;
mod members;
mod names;
mod past;
mod policies;
mod progress;
mod report;
mod review;
mod sale;
mod shape;
mod simulation;
mod size;
mod survey;
mod tally;
mod writing;

pub(crate) use arguments::GenerateArgs;
pub(crate) use error::GenerateError;
pub(crate) use progress::Progress;
pub(crate) use size::Size;
pub(crate) use writing::{Target, write};

use std::time::Instant;

use pactum_domain::time::{Date, Timestamp};
use pactum_ids::{ProgramId, ProgramName};
use pactum_runtime::supervise::stop_on_signals;
use tokio_util::sync::CancellationToken;

use crate::log_copy::{Destination, Location};
use crate::output;
use report::Report;

/// Generates, and prints what came of it.
pub(crate) async fn run(arguments: GenerateArgs) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let programs = programs(&arguments)?;
    let report = Box::pin(generate(&arguments, programs, &stop)).await?;
    if arguments.json { output::json(&report) } else { output::text(&report.text()) }
}

/// The programs asked for, with their sizes.
fn programs(arguments: &GenerateArgs) -> anyhow::Result<Vec<(ProgramId, Size)>> {
    let until = Date::parse(&arguments.until)?.start();
    if until > Timestamp(jiff::Timestamp::now().as_microsecond()) {
        return Err(GenerateError::Ahead { until }.into());
    }
    let name: ProgramName = arguments
        .program
        .parse()
        .map_err(|why: pactum_ids::InvalidName| GenerateError::Program { why: why.to_string() })?;
    let GenerateArgs { partners, years, seed, events, .. } = *arguments;
    let deals = match (arguments.deals, events) {
        (Some(deals), _) => deals,
        (None, events) => Size::deals_for(events.unwrap_or_default(), partners, years, arguments.programs)?,
    };
    let size = Size { partners, deals, years, seed, until };
    if size.from() <= Timestamp::MIN.plus_days(366) {
        return Err(GenerateError::TooEarly { years, until }.into());
    }
    let sizes = size.shared_out(arguments.programs);
    (1..).zip(sizes).map(|(number, size)| Ok((numbered(&name.0, number)?, size))).collect()
}

/// `acme`, `acme-2`, `acme-3`.
fn numbered(program: &ProgramId, number: u32) -> Result<ProgramId, GenerateError> {
    if number == 1 {
        return Ok(program.clone());
    }
    ProgramId::new(format!("{program}-{number}")).map_err(|why| GenerateError::Program { why: why.to_string() })
}

async fn generate(
    arguments: &GenerateArgs,
    programs: Vec<(ProgramId, Size)>,
    stop: &CancellationToken,
) -> Result<Report, GenerateError> {
    let started = Instant::now();
    let location = arguments.to.clone().unwrap_or_else(|| Location::Embedded(arguments.data.clone()));
    let destination = Destination::open(&location, arguments.partitions.unwrap_or(1)).await?;
    let report = into(&destination, arguments, programs, stop, started).await;
    // Before the outcome is told, so that whoever reads it can open the log.
    destination.close().await;
    report
}

async fn into(
    destination: &Destination,
    arguments: &GenerateArgs,
    programs: Vec<(ProgramId, Size)>,
    stop: &CancellationToken,
    started: Instant,
) -> Result<Report, GenerateError> {
    let (place, found) = (destination.name(), destination.log().partitions());
    if let Some(asked) = arguments.partitions.filter(|asked| *asked != found) {
        return Err(GenerateError::Partitions { place: place.to_string(), found, asked });
    }
    let progress = Progress::new(programs.iter().map(|(_, size)| size.events()).sum());
    let target = Target { log: destination.log(), id: destination.id(), place: &place };
    let written = write(target, programs.clone(), stop, &progress).await;
    progress.clear();
    Ok(Report::new(&place, &programs, written?, started.elapsed()))
}

#[cfg(test)]
mod tests;
