//! The command line of `pactum topics`.

use clap::{Args, Subcommand};

use crate::cli::SettingsArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum TopicsCommand {
    /// Make the log's topic where there is none, and the log in it
    Ensure(EnsureArgs),
    /// Compare the log's topic with what the guarantees rest on
    Check(CheckArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pactum topics ensure --kafka-brokers 10.0.0.1:9092,10.0.0.2:9092 --kafka-topic pactum --partitions 12

An existing topic keeps its settings; what is wrong with them is told as `pactum topics check` tells it.")]
pub(crate) struct EnsureArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// Partitions of a new topic, for ever [default: the setting log.partitions]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) partitions: Option<u32>,
    /// Brokers that hold each partition of a new topic
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) replication_factor: u32,
    /// Brokers that must have an entry before it is acknowledged [default: one less than hold it, at least one]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) min_insync_replicas: Option<u32>,
    /// Print what there is as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pactum topics check --kafka-brokers 10.0.0.1:9092 --kafka-topic pactum

Ends with 1 where the topic must not be used as it is.")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    /// Print what there is as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
