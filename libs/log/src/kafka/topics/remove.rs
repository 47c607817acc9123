//! Removes the topic.

use super::admin::Admin;
use crate::kafka::client::Client;
use crate::kafka::{KafkaError, KafkaOptions};
use tokio::runtime::Handle;

/// Removes the topic and all that is in it, for good: for topics that were made to measure or to try. A topic that does not
/// exist is fine.
pub async fn remove(options: &KafkaOptions) -> Result<(), KafkaError> {
    let (options, runtime) = (options.clone(), Handle::current());
    let removing = tokio::task::spawn_blocking(move || {
        options.validate()?;
        let client = Client::new(&options)?;
        Admin::new(&options, &client, runtime)?.delete()
    });
    removing.await.map_err(|_| KafkaError::Client { reason: "removing a topic was stopped".into() })?
}
