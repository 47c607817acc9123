//! [`JournalOptions`] as a writer needs them: times as [`Moment`]s, and who this run is.

use std::time::Duration;

use super::Moment;
use crate::options::JournalOptions;
use crate::validity::Position;

/// What a writer is told once.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A random number of this run: tells its claims from those of others and of former runs.
    pub instance: u128,
    /// How many partitions the log has.
    pub partitions: u32,
    /// See [`JournalOptions::log_id`].
    pub log_id: Option<u128>,
    /// See [`JournalOptions::owner`].
    pub owner: String,
    /// See [`JournalOptions::position`].
    pub position: Position,
    /// See [`JournalOptions::own`].
    pub own: bool,
    /// See [`JournalOptions::queue`].
    pub queue: usize,
    /// See [`JournalOptions::window`].
    pub window: usize,
    /// See [`JournalOptions::read_back_timeout`].
    pub read_back_timeout: Moment,
    /// See [`JournalOptions::claim_backoff`].
    pub claim_backoff: Moment,
    /// See [`JournalOptions::claim_backoff_max`].
    pub claim_backoff_max: Moment,
    /// See [`JournalOptions::contest_delay`].
    pub contest_delay: Moment,
    /// See [`JournalOptions::grace`].
    pub grace: Moment,
    /// See [`JournalOptions::max_body_bytes`].
    pub max_body_bytes: usize,
    /// See [`JournalOptions::due_batch`].
    pub due_batch: usize,
}

impl Settings {
    /// The settings of one run over a log of `partitions`.
    pub fn new(options: &JournalOptions, partitions: u32, instance: u128) -> Self {
        Self {
            instance,
            partitions,
            log_id: options.log_id,
            owner: options.owner.clone(),
            position: options.position.clone(),
            own: options.own,
            queue: options.queue.max(1),
            window: options.window.max(1),
            read_back_timeout: moment(options.read_back_timeout),
            claim_backoff: moment(options.claim_backoff),
            claim_backoff_max: moment(options.claim_backoff_max),
            contest_delay: moment(options.contest_delay),
            grace: moment(options.grace),
            max_body_bytes: options.max_body_bytes,
            due_batch: options.due_batch,
        }
    }
}

fn moment(duration: Duration) -> Moment {
    // Half the range: adding it to any moment stays in range.
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(u64::MAX / 2)
}
