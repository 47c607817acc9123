//! What can be asked.

use clap::{Args, Subcommand};

use super::location::Location;

/// Work on logs as a whole.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Copy a log's whole history into another log, and prove that it arrived
    Copy(LogCopyArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pactum log copy --from embedded:/var/lib/pactum --to kafka:broker-1:9092,broker-2:9092/pactum
  pactum log copy --from embedded:/var/lib/pactum --to embedded:/var/lib/pactum-12 --partitions 12
  pactum log copy --from config:old.toml --to config:new.toml --verify-only --json

A log is embedded:DIR, with the data directory that a system is given; kafka:BROKERS/TOPIC; or config:FILE, the log that a
system with these settings uses, with its TLS and SASL. Nothing may write to either log meanwhile. A copy that was cut off
goes on where it was when it is asked for again. See docs/operations/moving-a-log.md.")]
pub(crate) struct LogCopyArgs {
    /// The log to read
    #[arg(long, value_name = "LOG")]
    pub(crate) from: Location,
    /// The log to write: an empty one, or a copy of --from that was cut off
    #[arg(long, value_name = "LOG")]
    pub(crate) to: Location,
    /// How many partitions a new embedded log gets, or a topic must have [default: as many as --from]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) partitions: Option<u32>,
    /// Write nothing; compare the two logs
    #[arg(long)]
    pub(crate) verify_only: bool,
    /// Print the report as JSON, with every program's digest
    #[arg(long)]
    pub(crate) json: bool,
}
