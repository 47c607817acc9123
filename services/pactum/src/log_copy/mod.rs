//! `pactum log copy`: a log's history into another log: from embedded to Kafka, back, or to another number of partitions.
//!
//! ```text
//! a reader a source partition ──► by program ──► a bulk writer a target partition ──► read back
//!   decode, check, digest          (bounded)       claim, number, append               check, digest, compare
//! ```
//!
//! Only what took effect is copied, by the journal's one rule. What a run knows about the target it reads from the target,
//! so a run that was cut off at any moment is followed by one that goes on.

mod arguments;
mod copy;
mod destination;
mod digest;
mod error;
mod location;
mod partitions;
mod progress;
mod reading;
mod report;
mod survey;
mod verify;

pub(crate) use arguments::LogCommand;
pub(crate) use destination::Destination;
pub(crate) use error::LogCopyError;
pub(crate) use location::Location;

use std::time::Instant;

use pactum_runtime::supervise::stop_on_signals;
use tokio_util::sync::CancellationToken;

use crate::output;
use arguments::LogCopyArgs;
use copy::Copied;
use location::{Access, Opened, Place};
use progress::Progress;
use report::Report;

/// Runs a command on logs.
pub(crate) async fn run(command: LogCommand) -> anyhow::Result<()> {
    let LogCommand::Copy(arguments) = command;
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let report = Box::pin(between(&arguments, &stop)).await?;
    if arguments.json { output::json(&report) } else { output::text(&report.text()) }
}

async fn between(arguments: &LogCopyArgs, stop: &CancellationToken) -> Result<Report, LogCopyError> {
    let started = Instant::now();
    let (from, to) = (Place::resolve(&arguments.from)?, Place::resolve(&arguments.to)?);
    if from.is(&to) {
        return Err(LogCopyError::SameLog { place: from.to_string() });
    }
    let from = from.open(Access::Existing).await?;
    let partitions = arguments.partitions;
    let access = if arguments.verify_only {
        Access::Existing
    } else {
        Access::Create { partitions: partitions.unwrap_or(from.partitions()) }
    };
    let to = match to.open(access).await {
        Ok(to) => to,
        Err(error) => {
            from.close().await;
            return Err(error);
        }
    };
    let report = work(&from, &to, arguments, stop, started).await;
    // Before the outcome is told, so that whoever reads it can open both.
    to.close().await;
    from.close().await;
    report
}

async fn work(
    from: &Opened,
    to: &Opened,
    arguments: &LogCopyArgs,
    stop: &CancellationToken,
    started: Instant,
) -> Result<Report, LogCopyError> {
    let found = to.partitions();
    if let Some(asked) = arguments.partitions.filter(|asked| *asked != found) {
        return Err(LogCopyError::Partitions { place: to.to_string(), found, asked });
    }
    let progress = Progress::new();
    let (source, copied) = if arguments.verify_only {
        (verify::digests(from, stop, &progress, "reading the source").await?, Copied::default())
    } else {
        copy::copy(from, to, stop, &progress).await?
    };
    let target = verify::digests(to, stop, &progress, "verifying the copy").await?;
    progress.clear();
    verify::compare(&source, &target, to)?;
    Ok(Report::new(from, to, source, copied, started.elapsed()))
}

#[cfg(test)]
mod tests;
