//! What the role tells Prometheus about commands.

use std::time::Instant;

use metrics::{Counter, Histogram, counter, histogram};
use rustc_hash::FxHashMap;
use tonic::Status;
use tonic_types::StatusExt;

/// The counters of one command, found once: labels are not formatted per call.
struct Meter {
    command: String,
    accepted: Counter,
    seconds: Histogram,
}

/// `pactum_commands_total{command, outcome}` and `pactum_command_seconds{command}`.
pub(crate) struct Meters(FxHashMap<String, Meter>);

impl Meters {
    /// Registers the commands among the methods given. The recorder has to be installed before.
    pub(crate) fn new<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        metrics::describe_counter!("pactum_commands_total", "Commands by outcome: OK, or the reason of the refusal");
        metrics::describe_histogram!("pactum_command_seconds", metrics::Unit::Seconds, "From request to answer");
        let meter = |path: &str| {
            let (service, command) = path.rsplit_once('/')?;
            if service.ends_with("QueryService") {
                return None;
            }
            let command = command.to_owned();
            let accepted = counter!("pactum_commands_total", "command" => command.clone(), "outcome" => "OK");
            let seconds = histogram!("pactum_command_seconds", "command" => command.clone());
            Some((path.to_owned(), Meter { command, accepted, seconds }))
        };
        Self(paths.filter_map(meter).collect())
    }

    /// Counts one command, by the path of its method.
    pub(crate) fn observe(&self, path: &str, started: Instant, refusal: Option<&Status>) {
        let Some(meter) = self.0.get(path) else { return };
        meter.seconds.record(started.elapsed());
        match refusal {
            None => meter.accepted.increment(1),
            // Refusals are few, so they may look their counter up. Reasons are a closed list: see docs/errors.md.
            Some(status) => {
                let reason = status.get_details_error_info().map_or_else(|| "UNKNOWN".to_owned(), |info| info.reason);
                counter!("pactum_commands_total", "command" => meter.command.clone(), "outcome" => reason).increment(1);
            }
        }
    }
}
