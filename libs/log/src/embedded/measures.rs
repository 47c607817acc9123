//! What the embedded log tells about itself.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Handles, looked up once: the writer updates them for every batch.
pub(super) struct Measures {
    /// From handing over to published, of the entry of each batch that waited longest.
    pub(super) append_seconds: Histogram,
    /// A batch's write with its fsync.
    pub(super) fsync_seconds: Histogram,
    pub(super) batch_entries: Histogram,
    pub(super) entries: Counter,
    pub(super) bytes: Counter,
    pub(super) failed_entries: Counter,
    pub(super) disk_reads: Counter,
    /// Taken by the writer and not yet published.
    pub(super) queue_entries: Gauge,
    pub(super) available_bytes: Gauge,
    /// 1 while appends are refused.
    pub(super) refusing: Gauge,
}

impl Measures {
    pub(super) fn new() -> Self {
        Self {
            append_seconds: histogram!("pactum_log_append_seconds"),
            fsync_seconds: histogram!("pactum_log_fsync_seconds"),
            batch_entries: histogram!("pactum_log_batch_entries"),
            entries: counter!("pactum_log_entries_total"),
            bytes: counter!("pactum_log_bytes_total"),
            failed_entries: counter!("pactum_log_failed_entries_total"),
            disk_reads: counter!("pactum_log_disk_reads_total"),
            queue_entries: gauge!("pactum_log_queue_entries"),
            available_bytes: gauge!("pactum_log_available_bytes"),
            refusing: gauge!("pactum_log_refusing"),
        }
    }
}
