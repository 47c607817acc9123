//! What can be asked.

use clap::{Args, Subcommand};

use crate::cli::ConnectArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pactum view list
  pactum view rebuild deals --wait
  pactum view verify deals --partition 0
  pactum view drop deals --partition 0 --build deals@1
  pactum view quarantine deals --partition 0 --offset 4711 --reason 'written by a broken import, see ticket 12'

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

#[derive(Debug, Args)]
pub(super) struct BuildArgs {
    /// The partition
    #[arg(long)]
    pub(super) partition: u32,
    /// The build's name, as `pactum view list` tells it
    #[arg(long, value_name = "NAME")]
    pub(super) build: String,
}
