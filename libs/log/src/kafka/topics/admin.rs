//! Questions and orders that only an administrator's client takes.

use super::requirements::Settings;
use crate::kafka::client::Client;
use crate::kafka::context::Context;
use crate::kafka::{KafkaError, KafkaOptions, properties};
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier};
use rdkafka::types::RDKafkaErrorCode;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::Handle;

/// An administrator's client. Everything here blocks, and is called where blocking is allowed.
pub(super) struct Admin<'a> {
    options: &'a KafkaOptions,
    client: &'a Client,
    admin: AdminClient<Context>,
    runtime: Handle,
}

impl<'a> Admin<'a> {
    pub(super) fn new(options: &'a KafkaOptions, client: &'a Client, runtime: Handle) -> Result<Self, KafkaError> {
        if options.security.uses_token() {
            // The library's administrator's client never asks for a token, so it would only time out.
            return Err(KafkaError::InvalidOption {
                option: "security.mechanism",
                expected: "scram-sha-512, scram-sha-256 or plain, or a certificate, for making topics and reading their settings",
            });
        }
        let context = Context::new(options, client.troubles.clone());
        let admin = properties::admin(options)?.create_with_context(context)?;
        Ok(Self { options, client, admin, runtime })
    }

    /// Makes a topic. False if there is one.
    pub(super) fn create(&self, topic: &NewTopic<'_>) -> Result<bool, KafkaError> {
        let operation = format!("create the topic {}", topic.name);
        let created = self.wait(&operation, |options| self.admin.create_topics([topic], options))?;
        match created.into_iter().next() {
            Some(Ok(_)) => Ok(true),
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
            Some(Err((_, code))) => Err(refused(operation, code)),
            None => Err(KafkaError::Refused { operation, reason: "they did not say".into() }),
        }
    }

    /// Removes the topic, if there is one.
    pub(super) fn delete(&self) -> Result<(), KafkaError> {
        let operation = format!("remove the topic {}", self.options.topic);
        let deleted = self.wait(&operation, |options| self.admin.delete_topics(&[&self.options.topic], options))?;
        match deleted.into_iter().next() {
            Some(Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic))) => {
                Ok(())
            }
            Some(Err((_, code))) => Err(refused(operation, code)),
            None => Err(KafkaError::Refused { operation, reason: "they did not say".into() }),
        }
    }

    /// The settings of the topic in force, whether set for it or not.
    pub(super) fn settings(&self) -> Result<Settings, KafkaError> {
        let operation = format!("describe the configuration of the topic {}", self.options.topic);
        let topic = ResourceSpecifier::Topic(&self.options.topic);
        let described = self.wait(&operation, |options| self.admin.describe_configs([&topic], options))?;
        match described.into_iter().next() {
            Some(Ok(ConfigResource { entries, .. })) => {
                Ok(entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect())
            }
            Some(Err(code)) => Err(refused(operation, code)),
            None => Err(KafkaError::Refused { operation, reason: "they did not say".into() }),
        }
    }

    fn wait<T, F>(&self, operation: &str, ask: impl FnOnce(&AdminOptions) -> F) -> Result<T, KafkaError>
    where
        F: Future<Output = Result<T, rdkafka::error::KafkaError>>,
    {
        let patience: Duration = self.options.connect_timeout();
        let options = AdminOptions::new().request_timeout(Some(patience)).operation_timeout(Some(patience));
        self.runtime.block_on(ask(&options)).map_err(|error| match error {
            rdkafka::error::KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut) => {
                self.client.unreachable(self.options, &error)
            }
            rdkafka::error::KafkaError::AdminOp(code) => refused(operation.to_owned(), code),
            other => KafkaError::Refused { operation: operation.to_owned(), reason: other.to_string() },
        })
    }
}

fn refused(operation: String, code: RDKafkaErrorCode) -> KafkaError {
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            KafkaError::Forbidden { operation }
        }
        RDKafkaErrorCode::InvalidReplicationFactor => KafkaError::Refused {
            operation,
            reason: "there are fewer brokers than replicas were asked for: start the missing brokers, or ask for fewer"
                .into(),
        },
        other => KafkaError::Refused { operation, reason: other.to_string() },
    }
}
