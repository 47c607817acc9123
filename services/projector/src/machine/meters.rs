//! What the past costs.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use pactum_log::Partition;

/// Of the machines.
pub(super) struct MachineMeters {
    pub(super) hits: Counter,
    pub(super) joined: Counter,
    pub(super) built: Counter,
    pub(super) failed: Counter,
    pub(super) refused: Counter,
    pub(super) abandoned: Counter,
    pub(super) evicted: Counter,
    pub(super) records: Histogram,
    pub(super) seconds: Histogram,
    pub(super) kept: Gauge,
    pub(super) working: Gauge,
}

impl MachineMeters {
    pub(super) fn new() -> Self {
        let asked = |outcome| counter!("pactum_as_of_total", "outcome" => outcome);
        Self {
            hits: asked("hit"),
            joined: asked("joined"),
            built: asked("built"),
            failed: asked("failed"),
            refused: asked("refused"),
            abandoned: asked("abandoned"),
            evicted: counter!("pactum_as_of_evicted_total"),
            records: histogram!("pactum_as_of_records"),
            seconds: histogram!("pactum_as_of_seconds"),
            kept: gauge!("pactum_as_of_kept"),
            working: gauge!("pactum_as_of_working"),
        }
    }
}

/// Of a view's checkpoints.
pub(super) struct ShelfMeters {
    pub(super) kept: Gauge,
    pub(super) bytes: Gauge,
    pub(super) taken: Counter,
    pub(super) failed: Counter,
    pub(super) seconds: Histogram,
}

impl ShelfMeters {
    pub(super) fn new(view: &'static str, partition: Partition) -> Self {
        let labels = [("view", view.to_owned()), ("partition", partition.to_string())];
        Self {
            kept: gauge!("pactum_checkpoints", &labels),
            bytes: gauge!("pactum_checkpoint_bytes", &labels),
            taken: counter!("pactum_checkpoints_taken_total", &labels),
            failed: counter!("pactum_checkpoints_failed_total", &labels),
            seconds: histogram!("pactum_checkpoint_seconds", &labels),
        }
    }
}
