//! Whether a fold's rows answer queries, or are to take the place of those that do.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::live::Progress;
use crate::store::ViewStore;

/// What a fold's rows are for.
pub(crate) enum Role {
    /// They answer.
    Live,
    /// They will, once they hold as much as those that answer now.
    Building(Arc<Build>),
}

/// A build of a view beside the one that answers.
pub(crate) struct Build {
    /// The name of its directory.
    pub(crate) name: String,
    pub(crate) store: Arc<ViewStore>,
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) started: Instant,
    /// The offset it began at.
    pub(crate) from: u64,
}

impl Build {
    /// Entries folded a second since it began.
    pub(crate) fn rate(&self) -> f64 {
        let folded = self.progress.borrow().offset.saturating_sub(self.from);
        folded as f64 / self.started.elapsed().as_secs_f64().max(1e-3)
    }
}
