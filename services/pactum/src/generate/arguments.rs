//! What can be asked.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueHint};

use crate::log_copy::Location;

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("size").required(true),
    after_help = "\
Examples:
  pactum generate --program programs/acme --events 1000000 --data data
  pactum generate --program programs/acme --partners 500 --years 5 --deals 200000 --to kafka:127.0.0.1:9092/pactum --json
  pactum generate --program programs/acme --programs 12 --events 10000000 --to embedded:data --partitions 4

Commands are decided by the rules of the command role on simulated time, and what they cause is written straight into the log:
nothing else may use it meanwhile. The same arguments make the same records, byte by byte. See docs/generator.md."
)]
pub(crate) struct GenerateArgs {
    /// The program to make: programs/acme
    #[arg(long, value_name = "NAME")]
    pub(super) program: String,
    /// Partners that apply over the years
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=50_000))]
    pub(super) partners: u32,
    /// Years of history
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(super) years: u32,
    /// The same seed and arguments make the same history
    #[arg(long, default_value_t = 7)]
    pub(super) seed: u64,
    /// About how many events, over all programs
    #[arg(long, group = "size", value_parser = clap::value_parser!(u64).range(100..=1_000_000_000))]
    pub(super) events: Option<u64>,
    /// How many deals, over all programs
    #[arg(long, group = "size", value_parser = clap::value_parser!(u64).range(1..=200_000_000))]
    pub(super) deals: Option<u64>,
    /// Programs, named acme, acme-2, acme-3 and so on; the second is half as large as the first, and so on by Zipf's law
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(super) programs: u32,
    /// The day before which the history ends
    #[arg(long, value_name = "DATE", default_value = "2026-01-01")]
    pub(super) until: String,
    /// The log to write, as `pactum log copy` names it: embedded:DIR, kafka:HOST:PORT,…/TOPIC or config:FILE
    #[arg(long, value_name = "LOG")]
    pub(super) to: Option<Location>,
    /// The data directory whose embedded log is written, where --to is not given
    #[arg(long, default_value = "data", value_name = "DIR", conflicts_with = "to", value_hint = ValueHint::DirPath)]
    pub(super) data: PathBuf,
    /// How many partitions a new embedded log gets, or a topic must have [default: 1]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub(super) partitions: Option<u32>,
    /// Print the report as JSON, with the number of events of each kind
    #[arg(long)]
    pub(super) json: bool,
}
