//! How a journal behaves; the defaults suit a log that answers within milliseconds.

use std::time::Duration;

use crate::validity::Position;

/// How a journal behaves.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// Where this instance takes commands; written into its claims.
    pub owner: String,
    /// The log's id, if it is known: written into a new partition's genesis, and compared with an old one's. Without it a
    /// new partition gets a random one and any is accepted.
    pub log_id: Option<u128>,
    /// Where the machine's state stands: the start, unless it was restored from a stored state.
    pub position: Position,
    /// Whether it is told to own the partition from the start, see [`Handle::own`](crate::Handle::own).
    pub own: bool,
    /// How many commands may wait to be decided before the next are refused.
    pub queue: usize,
    /// How many records may be in flight.
    pub window: usize,
    /// How long an entry may take from append to read-back before the term is given up and claimed anew.
    pub read_back_timeout: Duration,
    /// How often deadlines, timeouts and timers are looked at; they are precise to this.
    pub tick: Duration,
    /// The wait before a claim is repeated: at first, doubled each time. Each wait is shortened at random by up to half.
    pub claim_backoff: Duration,
    /// The longest such wait.
    pub claim_backoff_max: Duration,
    /// How long to leave the partition to another owner who took it, while still told to own it.
    pub contest_delay: Duration,
    /// How long shutdown and release wait for records in flight.
    pub grace: Duration,
    /// The largest body of a record.
    pub max_body_bytes: usize,
    /// How many commands that fell due are decided at once.
    pub due_batch: usize,
    /// How many entries are read at once.
    pub read_batch: usize,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self {
            owner: String::new(),
            log_id: None,
            position: Position::default(),
            own: true,
            queue: 4096,
            window: 1024,
            read_back_timeout: Duration::from_secs(2),
            tick: Duration::from_millis(100),
            claim_backoff: Duration::from_millis(100),
            claim_backoff_max: Duration::from_secs(2),
            contest_delay: Duration::from_secs(5),
            grace: Duration::from_secs(5),
            max_body_bytes: 512 * 1024,
            due_batch: 256,
            read_batch: 4096,
        }
    }
}
