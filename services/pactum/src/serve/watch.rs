//! What is told about health.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use pactum_log::embedded::EmbeddedLog;
use pactum_log::kafka::topics::Finding;
use pactum_runtime::health::{Condition, Health};
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// Each role by name, and how to ask it how it does.
pub(super) type Conditions = Vec<(&'static str, Box<dyn Fn() -> Condition + Send>)>;

/// Keeps the register of health, and through it the gRPC health service, at what the roles say, until the stop. After the
/// halt those who watch the service are told that there is nothing more to watch, so that their calls end.
pub(super) async fn watch_roles(
    conditions: Conditions,
    health: Health,
    mut reporter: HealthReporter,
    stop: CancellationToken,
    halt: CancellationToken,
) -> Result<(), Infallible> {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let mut serving = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = look.tick() => {}
        }
        for (part, condition) in &conditions {
            health.set(part, condition());
        }
        if health.ready() != serving {
            serving = !serving;
            let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
            reporter.set_service_status("", status).await;
            if serving {
                // Ready: from now on only trouble changes anything.
                look = tokio::time::interval(Duration::from_millis(250));
            }
        }
    }
    reporter.set_service_status("", ServingStatus::NotServing).await;
    halt.cancelled().await;
    reporter.clear_service_status("").await;
    Ok(())
}

/// Tells the embedded log's health and its size.
pub(super) async fn watch_log(
    log: Arc<EmbeddedLog>,
    health: Health,
    stop: CancellationToken,
) -> Result<(), Infallible> {
    let mut look = tokio::time::interval(Duration::from_secs(1));
    loop {
        let found = log.health();
        let trouble = found.damage.or(found.appends);
        health.set("log", trouble.map_or(Condition::Ready, |error| Condition::Failed(error.to_string())));
        if let Some(store) = log.statistics().store {
            store.publish("log");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = look.tick() => {}
        }
    }
}

/// What is known of a topic when it was opened; how the brokers do since, the roles say.
pub(super) fn topic_condition(warnings: &[Finding]) -> Condition {
    if warnings.is_empty() {
        return Condition::Ready;
    }
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    Condition::Degraded(warnings.join("; "))
}
