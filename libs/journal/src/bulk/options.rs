//! How a bulk writer behaves.

use std::time::Duration;

/// How a bulk writer behaves; the defaults suit both an embedded log and one on brokers nearby.
#[derive(Clone, Debug)]
pub struct BulkOptions {
    /// What its claims say of it. It answers no commands, so this is a remark for whoever reads the log, not an address.
    pub owner: String,
    /// The log's id: written into the genesis of an empty partition, and compared with that of any other.
    pub log_id: u128,
    /// How many records may be on their way, at least one.
    pub window: usize,
    /// How many bytes of bodies may be on their way; one body larger than that goes alone.
    pub window_bytes: usize,
    /// How long nothing may come back while something is on its way, before the partition is claimed anew and what is
    /// not confirmed is appended again.
    pub read_back_timeout: Duration,
    /// How long to wait before a claim is repeated after a failure.
    pub backoff: Duration,
    /// How long to go on without getting anywhere before giving up.
    pub patience: Duration,
    /// How many entries are read back at once.
    pub read_batch: usize,
}

impl Default for BulkOptions {
    fn default() -> Self {
        Self {
            owner: String::new(),
            log_id: 0,
            window: 8192,
            window_bytes: 4 * 1024 * 1024,
            read_back_timeout: Duration::from_secs(5),
            backoff: Duration::from_millis(200),
            patience: Duration::from_secs(30),
            read_batch: 4096,
        }
    }
}
