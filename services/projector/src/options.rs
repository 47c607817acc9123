//! How the role behaves.

use std::path::PathBuf;
use std::time::Duration;

use pactum_store::Shared;
use pactum_views::View;
use pactum_views::view::ALL;

use crate::machine::AsOfOptions;

/// How the role behaves.
#[derive(Clone)]
pub struct ProjectorOptions {
    /// The directory of all views. One view of one partition is `{data}/{partition}/{view}@{version}`.
    pub data: PathBuf,
    /// The read models.
    pub views: &'static [&'static dyn View],
    /// Memory shared with the other databases of the process.
    pub shared: Shared,
    /// How many entries of the log a batch has, at most.
    pub batch: usize,
    /// How much memory rows may take that are kept from batch to batch, of all views together.
    pub kept_rows_bytes: usize,
    /// How much memory pipelines may take that are held for questions about them, of all programs together; 0: none is held.
    pub pipeline_bytes: usize,
    /// How often what was folded is brought to the disk. After a crash, so much is folded again.
    pub flush_every: Duration,
    /// How much the past may cost.
    pub as_of: AsOfOptions,
    /// How long a query waits for `min_sequence` where its caller names no deadline.
    pub default_deadline: Duration,
    /// How long it waits at most.
    pub max_deadline: Duration,
    /// The largest message taken.
    pub max_message_bytes: usize,
}

impl Default for ProjectorOptions {
    fn default() -> Self {
        Self {
            data: PathBuf::from("views"),
            views: ALL,
            shared: Shared::default(),
            batch: 2_000,
            kept_rows_bytes: 96 * 1024 * 1024,
            pipeline_bytes: 128 * 1024 * 1024,
            flush_every: Duration::from_secs(30),
            as_of: AsOfOptions::default(),
            default_deadline: Duration::from_secs(10),
            max_deadline: Duration::from_secs(60),
            max_message_bytes: 1024 * 1024,
        }
    }
}

impl std::fmt::Debug for ProjectorOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectorOptions").field("data", &self.data).finish_non_exhaustive()
    }
}
