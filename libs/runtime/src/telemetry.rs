//! Logs and metrics of the process.

use std::io::IsTerminal;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;

use crate::config::{LogFormat, Telemetry};

/// Why telemetry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("telemetry.filter {0:?} is not valid; an example is \"pactum_journal=debug,info\"")]
    Filter(String),
    /// Something else in this process logs already.
    #[error("logging is set up already")]
    Logging(#[source] TryInitError),
    /// Something else in this process records metrics already.
    #[error("metrics are set up already")]
    Metrics(#[source] BuildError),
}

/// Starts logging to standard error; colour only on a terminal.
///
/// # Errors
/// [`TelemetryError`] where the filter is wrong or logging was started before.
pub fn start_logging(settings: &Telemetry) -> Result<(), TelemetryError> {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    let filter = EnvFilter::try_new(&settings.filter).map_err(|_| TelemetryError::Filter(settings.filter.clone()))?;
    let lines =
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter);
    match settings.format {
        LogFormat::Text => registry.with(lines.with_target(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
    .map_err(TelemetryError::Logging)
}

/// Latency buckets in seconds, from the fastest read-back to the longest deadline.
const SECONDS: [f64; 16] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Starts recording metrics for Prometheus.
///
/// # Errors
/// [`TelemetryError::Metrics`] where a recorder was installed before.
pub fn start_metrics() -> Result<PrometheusHandle, TelemetryError> {
    use metrics_exporter_prometheus::Matcher;
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(TelemetryError::Metrics)
}
