//! What can be asked.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::cli::ConnectArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pactum view list
  pactum view rebuild deals --wait
  pactum view verify deals --partition 0
  pactum view drop deals --partition 0 --build deals@1
  pactum view quarantine deals --partition 0 --offset 4711 --reason 'written by a broken import, see ticket 12'
  pactum view export --endpoint http://10.0.0.7:7410 --to /tmp/views
  pactum view import /tmp/views --data /var/lib/pactum-projector

The projector at --endpoint is asked; each has views of its own. See docs/views.md.")]
pub(crate) struct ViewArgs {
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) what: What,
}

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Every view: how far it is, its builds, what was decided about records
    List,
    /// Every view: rows, bytes, rate, lag
    Stats,
    /// Build a view anew beside the rows that answer, and let it take their place
    Rebuild {
        /// The view
        view: String,
        /// Of this partition only
        #[arg(long)]
        partition: Option<u32>,
        /// Show progress until it answers
        #[arg(long)]
        wait: bool,
    },
    /// Let an earlier build answer again, once it has caught up
    Rollback {
        /// The view
        view: String,
        #[command(flatten)]
        build: BuildArgs,
    },
    /// Fold a view from zero and compare; ends with 1 where they differ
    Verify {
        /// The view
        view: String,
        /// Of this partition only
        #[arg(long)]
        partition: Option<u32>,
    },
    /// Remove a build that does not answer, or give up one that is being made
    Drop {
        /// The view
        view: String,
        #[command(flatten)]
        build: BuildArgs,
    },
    /// Take views as files, for another projector to start from
    Export(ExportArgs),
    /// Put exported views into the data directory of a projector that is not running
    Import(ImportArgs),
    /// Have a view that stopped try again
    Retry {
        /// The view
        view: String,
        /// Of this partition only
        #[arg(long)]
        partition: Option<u32>,
    },
    /// Have a view pass over the record at which it stopped, for good
    Quarantine {
        /// The view
        view: String,
        /// The partition
        #[arg(long)]
        partition: u32,
        /// The offset at which it has stopped
        #[arg(long)]
        offset: u64,
        /// Why; it is kept
        #[arg(long)]
        reason: String,
    },
}

/// Which views.
#[derive(Debug, Args)]
pub(super) struct ChosenArgs {
    /// This view; may be given again for others [default: all]
    #[arg(long, value_name = "VIEW")]
    pub(super) view: Vec<String>,
    /// Of this partition only
    #[arg(long)]
    pub(super) partition: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    pub(super) chosen: ChosenArgs,
    /// The directory to make
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) to: PathBuf,
    /// Take them from the data directory (--data) of a projector that is not running
    #[arg(long)]
    pub(super) stopped: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The directory that `pactum view export` made
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) from: PathBuf,
    #[command(flatten)]
    pub(super) chosen: ChosenArgs,
    /// Have them answer instead of rows that are there; those stay for rollback
    #[arg(long)]
    pub(super) replace: bool,
    /// A TOML file with settings, to compare with the log on Kafka that it names
    #[arg(long, env = "PACTUM_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,
    /// Compare with the log on Kafka; some of the brokers, HOST:PORT with commas between them
    #[arg(long, value_name = "BROKERS")]
    pub(super) kafka_brokers: Option<String>,
    /// The topic that is the log [default: pactum]
    #[arg(long, value_name = "NAME")]
    pub(super) kafka_topic: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// The partition
    #[arg(long)]
    pub(super) partition: u32,
    /// The build's name, as `pactum view list` tells it
    #[arg(long, value_name = "NAME")]
    pub(super) build: String,
}
