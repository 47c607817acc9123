//! Opening the log on Kafka: checked first, waited for where it cannot be reached, given up where only a change of the
//! configuration helps.

use std::sync::Arc;
use std::time::Duration;

use pactum_log::LogError;
use pactum_log::kafka::topics::{self, Finding, Severity};
use pactum_log::kafka::{KafkaError, KafkaLog, KafkaOptions};
use pactum_runtime::health::{Condition, Health};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::topics::{First, first_entries, judge};

/// The waits between attempts to reach the brokers.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A reason that lasts is told again this often.
const REMIND: Duration = Duration::from_secs(60);

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
enum NotOpened {
    #[error("the log on Kafka cannot be opened")]
    Kafka(#[from] KafkaError),
    #[error("the log on Kafka cannot be read")]
    Log(#[from] LogError),
    #[error("the topic {topic} must not be used: {findings}")]
    Topic { topic: String, findings: String },
}

impl NotOpened {
    /// Whether it may be otherwise in a while, without anybody changing the configuration.
    fn is_passing(&self) -> bool {
        match self {
            Self::Kafka(error) => error.is_passing(),
            Self::Log(LogError::Unavailable(_) | LogError::Busy) => true,
            Self::Log(_) | Self::Topic { .. } => false,
        }
    }
}

/// The log, and what should be otherwise about its topic.
pub(super) struct Opened {
    pub(super) log: Arc<KafkaLog>,
    pub(super) warnings: Vec<Finding>,
}

/// Opens the log, as long as it takes; `None` where the stop came first.
pub(super) async fn open(
    options: &KafkaOptions,
    health: &Health,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Opened>> {
    let (mut pause, mut told) = (FIRST_PAUSE, None);
    loop {
        let attempt = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            attempt = attempt(options) => attempt,
        };
        let error = match attempt {
            Ok(opened) => return Ok(Some(opened)),
            Err(error) if error.is_passing() => anyhow::Error::from(error),
            Err(error) => return Err(error.into()),
        };
        let reason = format!("{error:#}");
        if told.is_none_or(|told: Instant| told.elapsed() >= REMIND) {
            tracing::warn!(reason, "waiting for the log");
            told = Some(Instant::now());
        }
        health.set("log", Condition::Starting(reason));
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

async fn attempt(options: &KafkaOptions) -> Result<Opened, NotOpened> {
    let findings = topics::check(options).await?;
    let log = KafkaLog::connect(options.clone()).await?;
    let entries = first_entries(&log).await?;
    let (mut refused, warnings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Refuse);
    let made = entries.iter().all(|entry| !matches!(entry, First::Nothing));
    for finding in judge(&entries) {
        // A log that is there and cannot be read is told by whoever reads it, which goes on once that is mended.
        if made {
            tracing::error!(topic = options.topic, %finding, "the log");
        } else {
            refused.push(finding);
        }
    }
    if !refused.is_empty() {
        let findings: Vec<_> = refused.iter().map(ToString::to_string).collect();
        return Err(NotOpened::Topic { topic: options.topic.clone(), findings: findings.join("; ") });
    }
    for warning in &warnings {
        tracing::warn!(topic = options.topic, %warning, "the topic");
    }
    Ok(Opened { log: Arc::new(log), warnings })
}
