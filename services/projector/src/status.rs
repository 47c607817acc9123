//! How the views are doing.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pactum_log::Partition;
use pactum_runtime::health::Condition;

use crate::live::{LiveView, Progress};

/// How the views are doing, now and from now on. Cheap to clone.
#[derive(Clone)]
pub struct Status {
    pub(crate) views: Arc<[Arc<LiveView>]>,
}

/// How one view of one partition is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewStatus {
    /// The partition.
    pub partition: Partition,
    /// The view's name.
    pub name: &'static str,
    /// The view's version.
    pub version: u32,
    /// The offset of the next entry to fold.
    pub offset: u64,
    /// The log's end, when it was last asked.
    pub end: u64,
    /// How many entries of the log it has still to read.
    pub lag_records: u64,
    /// How old its last record is, in seconds, while it is behind; 0 at the log's end.
    pub lag_seconds: f64,
    /// Whether it has been at the log's end since it was opened.
    pub caught_up: bool,
    /// Why it stopped, or what keeps it from going on.
    pub error: Option<String>,
}

impl ViewStatus {
    pub(crate) fn of(live: &LiveView) -> Self {
        let progress = live.progress.borrow().clone();
        Self {
            partition: live.partition,
            name: live.view.name(),
            version: live.store().view().version(),
            offset: progress.offset,
            end: progress.end,
            lag_records: progress.lag_records(),
            lag_seconds: progress.lag_seconds(),
            caught_up: progress.caught_up,
            error: progress.stopped.or(progress.trouble).map(|why| why.to_string()),
        }
    }
}

impl Progress {
    pub(crate) fn lag_records(&self) -> u64 {
        self.end.saturating_sub(self.offset)
    }

    pub(crate) fn lag_seconds(&self) -> f64 {
        let Some(recorded_at) = self.recorded_at.filter(|_| self.lag_records() > 0) else { return 0.0 };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        (now - recorded_at.0 as f64 / 1e6).max(0.0)
    }
}

impl Status {
    /// Every view of every partition.
    #[must_use]
    pub fn views(&self) -> Vec<ViewStatus> {
        self.views.iter().map(|live| ViewStatus::of(live)).collect()
    }

    /// All of them in one word, for probes.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let mut starting = None;
        for view in self.views() {
            let name = format!("view {} of partition {}", view.name, view.partition);
            if let Some(error) = view.error {
                return Condition::Failed(format!("{name}: {error}"));
            }
            if !view.caught_up {
                starting.get_or_insert_with(|| format!("{name}: folding the log, {} of {}", view.offset, view.end));
            }
        }
        starting.map_or(Condition::Ready, Condition::Starting)
    }
}
