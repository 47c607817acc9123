//! What the client library tells a client on its way: logs, errors, statistics, deliveries; and the token it asks for.

use super::lane::Delivery;
use super::trouble::Troubles;
use super::{KafkaOptions, measures, token};
use crate::{LogError, Offset};
use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What all clients of one log share, and what is one client's own.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) troubles: Arc<Troubles>,
    /// Counts what was served on the way: an empty poll that served something is no empty queue.
    pub(super) served: Arc<AtomicU64>,
    token_file: Option<PathBuf>,
}

impl Context {
    pub(super) fn new(options: &KafkaOptions, troubles: Arc<Troubles>) -> Self {
        let token_file = options.security.oauth_token_file.clone().filter(|_| options.security.uses_token());
        Self { troubles, served: Arc::default(), token_file }
    }

    fn count(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.count();
        match level {
            // Every client is made with the same properties from outside; that some are for others is no news.
            _ if message.contains("will be ignored by this") => {
                tracing::debug!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            // Failed connections are told by `error`, once.
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => {
                tracing::debug!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::trace!(target: "librdkafka", facility, "{message}");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.count();
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        // The end of a partition is told this way, too, and a reader sees for itself what concerns its partition.
        if matches!(code, RDKafkaErrorCode::PartitionEOF | RDKafkaErrorCode::AutoOffsetReset) {
            return;
        }
        if self.troubles.note(code, reason) {
            tracing::warn!(target: "librdkafka", "{reason}");
        }
    }

    fn stats(&self, statistics: Statistics) {
        self.count();
        measures::publish(&statistics);
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.count();
        let Some(file) = &self.token_file else { return Err("security.oauth_token_file is not set".into()) };
        token::read(file).map_err(|reason| {
            if self.troubles.note(RDKafkaErrorCode::Authentication, &reason) {
                tracing::warn!("{reason}");
            }
            reason.into()
        })
    }
}

impl ConsumerContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Box<Delivery>) {
        match result {
            // Below 0 where the broker said that it had the entry before and not where: only reading finds it then.
            Ok(message) => delivery.lane.acknowledged(Offset::try_from(message.offset()).ok(), delivery.entry),
            Err((error, message)) => {
                measures::failed_entry();
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
                delivery.lane.failed(&delivery.failure, &undelivered(code, message.payload_len(), &self.troubles));
            }
        }
    }
}

/// What it means that an entry was not acknowledged.
fn undelivered(code: RDKafkaErrorCode, bytes: usize, troubles: &Troubles) -> LogError {
    LogError::Unavailable(match code {
        RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight => {
            "the producer stopped before the brokers acknowledged the entry".into()
        }
        RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::MessageBatchTooLarge => {
            format!("the brokers refuse a batch with an entry of {bytes} bytes: raise the topic's max.message.bytes")
        }
        RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            "the Kafka user may not write to the topic: grant it WRITE by an ACL on the brokers".into()
        }
        RDKafkaErrorCode::NotEnoughReplicas | RDKafkaErrorCode::NotEnoughReplicasAfterAppend => {
            "fewer replicas are in sync than the topic's min.insync.replicas: bring the missing brokers back".into()
        }
        RDKafkaErrorCode::UnknownTopicOrPartition
        | RDKafkaErrorCode::UnknownTopic
        | RDKafkaErrorCode::UnknownPartition => {
            "the topic or partition does not exist any more: see `pactum topics check`".into()
        }
        other => troubles.reason(&format_args!("an entry was not acknowledged ({other})")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_delivery_says_what_to_do() {
        let troubles = Troubles::default();
        troubles.note(RDKafkaErrorCode::BrokerTransportFailure, "connection refused");
        let told = [
            (RDKafkaErrorCode::MessageSizeTooLarge, "max.message.bytes"),
            (RDKafkaErrorCode::TopicAuthorizationFailed, "WRITE"),
            (RDKafkaErrorCode::NotEnoughReplicas, "min.insync.replicas"),
            (RDKafkaErrorCode::MessageTimedOut, "connection refused"),
        ];
        for (code, part) in told {
            let text = undelivered(code, 7, &troubles).to_string();
            assert!(text.contains(part), "{code}: {text}");
        }
    }
}
