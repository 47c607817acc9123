//! How much the past may cost.

use std::time::Duration;

/// How views are put aside, and how moments of the past are restored from that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOfOptions {
    /// A view is put aside once the log has grown by so many entries since the last time.
    pub every_records: u64,
    /// It is also put aside after so much time, where the log has grown at all.
    pub every: Duration,
    /// How many checkpoints of a view are kept, spread evenly over the log.
    pub keep: usize,
    /// How much room the checkpoints of a view may take beside it, in percent of what it takes itself. Fewer are kept where it
    /// is not enough.
    pub disk_percent: u64,
    /// How many moments are restored at once.
    pub at_once: usize,
    /// How many more may wait for that.
    pub queue: usize,
    /// How many restored views are kept for whoever asks again.
    pub scratches: usize,
}

impl Default for AsOfOptions {
    fn default() -> Self {
        Self {
            every_records: 100_000,
            every: Duration::from_secs(3_600),
            keep: 32,
            disk_percent: 200,
            at_once: 2,
            queue: 16,
            scratches: 16,
        }
    }
}
