//! Checks the topic.

use super::admin::Admin;
use super::finding::Finding;
use super::requirements;
use crate::kafka::client::Client;
use crate::kafka::{KafkaError, KafkaOptions};
use tokio::runtime::Handle;

/// A topic as its brokers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// How many partitions it has.
    pub partitions: u32,
    /// How many brokers hold the partition that the fewest hold.
    pub replication_factor: u32,
    /// How many brokers the cluster has, of those that are up.
    pub brokers: u32,
}

/// Finds the topic.
pub async fn describe(options: &KafkaOptions) -> Result<Topic, KafkaError> {
    let options = options.clone();
    blocking(move || {
        options.validate()?;
        let found = Client::new(&options)?.topic(&options)?;
        let count = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Ok(Topic {
            partitions: found.partitions,
            replication_factor: count(found.replicas),
            brokers: count(found.brokers),
        })
    })
    .await
}

/// Compares the topic's settings with what a log needs. No findings: all is as it should be. Settings that this user may not
/// read are a finding, too. Whether the number of partitions is that of the log, whoever knows the log can tell.
pub async fn check(options: &KafkaOptions) -> Result<Vec<Finding>, KafkaError> {
    let (options, runtime) = (options.clone(), Handle::current());
    blocking(move || {
        options.validate()?;
        let client = Client::new(&options)?;
        let topic = client.topic(&options)?;
        let settings = if options.security.uses_token() {
            Err("the client library cannot ask for them with a token".to_owned())
        } else {
            match Admin::new(&options, &client, runtime)?.settings() {
                Ok(settings) => Ok(settings),
                Err(error @ KafkaError::Forbidden { .. }) => Err(error.to_string()),
                Err(error) => return Err(error),
            }
        };
        Ok(requirements::compare(&options, &topic, settings.as_ref().map_err(String::as_str)))
    })
    .await
}

async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, KafkaError> {
    let stopped = |_| KafkaError::Client { reason: "asking about a topic was stopped".into() };
    tokio::task::spawn_blocking(ask).await.map_err(stopped)?
}
