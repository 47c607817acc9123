//! What is told about forwarding.

use std::time::Instant;

use metrics::{counter, describe_counter, describe_histogram, histogram};

/// How a request to another instance ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    Undelivered,
    Broken,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Undelivered => "undelivered",
            Self::Broken => "broken",
        }
    }
}

/// Says what the metrics mean.
pub(crate) fn describe() {
    describe_counter!("pactum_forwards_total", "Requests sent on to an owner, by how that ended");
    describe_histogram!("pactum_forward_seconds", metrics::Unit::Seconds, "From sending a request on to its answer");
    describe_counter!("pactum_away_refused_total", "Requests refused because too many were on their way elsewhere");
    describe_counter!(
        "pactum_command_takeovers_total",
        "Claims made because of an assignment or an owner that was gone"
    );
    describe_histogram!(
        "pactum_command_handover_seconds",
        metrics::Unit::Seconds,
        "From announcing a stop to the last takeover"
    );
}

/// Counts one request.
pub(crate) fn forwarded(started: Instant, outcome: Outcome) {
    counter!("pactum_forwards_total", "outcome" => outcome.name()).increment(1);
    histogram!("pactum_forward_seconds").record(started.elapsed());
}
