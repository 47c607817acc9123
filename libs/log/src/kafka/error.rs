//! Why a log on Kafka could not be reached or used.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a log on Kafka could not be reached or used, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KafkaError {
    /// A property that the guarantees rest on, or that another option sets.
    #[error("the client property {property} cannot be set: {why}; remove it from the Kafka properties")]
    RefusedProperty {
        /// Its name.
        property: String,
        /// Why not.
        why: &'static str,
    },
    /// A property that the client does not know, or a value that it does not take.
    #[error("the client property {property} is wrong: {detail}; correct or remove it")]
    InvalidProperty {
        /// Its name.
        property: String,
        /// What the client says.
        detail: String,
    },
    /// An option has no, or an impossible, value.
    #[error("the Kafka option {option} must be {expected}")]
    InvalidOption {
        /// The option.
        option: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A file named by an option cannot be read.
    #[error("cannot read {}, named by the Kafka option {option}; check the path and its permissions", path.display())]
    File {
        /// The option.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Arc<std::io::Error>,
    },
    /// No broker answered in time.
    #[error("no Kafka broker answers at {brokers} ({reason}); check the addresses, the network, and that brokers run")]
    Unreachable {
        /// The brokers asked.
        brokers: String,
        /// What was seen last.
        reason: String,
    },
    /// The brokers refuse who we say we are.
    #[error(
        "the Kafka brokers refuse the credentials ({reason}); check the mechanism, the user, and the password or token"
    )]
    Credentials {
        /// What the brokers say.
        reason: String,
    },
    /// No TLS connection comes about.
    #[error(
        "no TLS connection to the Kafka brokers ({reason}); check ca_file, the certificates and the brokers' names in them"
    )]
    Tls {
        /// What failed.
        reason: String,
    },
    /// The topic does not exist.
    #[error("the topic {topic} does not exist; run `pactum topics ensure`, or correct the topic's name")]
    MissingTopic {
        /// Its name.
        topic: String,
    },
    /// The topic has no partitions, or they cannot be told.
    #[error(
        "the topic {topic} has no partitions ({reason}); wait for the brokers to bring it up, or look at their logs"
    )]
    NoPartitions {
        /// Its name.
        topic: String,
        /// What the brokers say.
        reason: String,
    },
    /// The user is known and may not do this.
    #[error("the Kafka user may not {operation}; grant it by an ACL on the brokers")]
    Forbidden {
        /// What was not allowed.
        operation: String,
    },
    /// The brokers did not do what they were asked.
    #[error("the Kafka brokers could not {operation}: {reason}")]
    Refused {
        /// What they were asked.
        operation: String,
        /// What they say.
        reason: String,
    },
    /// A client could not be made on this machine.
    #[error("cannot make a Kafka client: {reason}; look for exhausted memory, threads or file descriptors")]
    Client {
        /// What failed.
        reason: String,
    },
}

impl KafkaError {
    /// Whether trying again later can help without anybody changing the configuration.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NoPartitions { .. } | Self::Refused { .. } | Self::Client { .. } => true,
            Self::RefusedProperty { .. }
            | Self::InvalidProperty { .. }
            | Self::InvalidOption { .. }
            | Self::File { .. }
            | Self::Credentials { .. }
            | Self::Tls { .. }
            | Self::MissingTopic { .. }
            | Self::Forbidden { .. } => false,
        }
    }
}

/// What a failure to make a client means. Never shows a property's value: it may be a password.
impl From<rdkafka::error::KafkaError> for KafkaError {
    fn from(error: rdkafka::error::KafkaError) -> Self {
        match error {
            rdkafka::error::KafkaError::ClientConfig(_, detail, property, _) => {
                Self::InvalidProperty { property, detail }
            }
            rdkafka::error::KafkaError::ClientCreation(reason) if reason.contains("ssl") => Self::Tls { reason },
            rdkafka::error::KafkaError::ClientCreation(reason) => Self::Client { reason },
            other => Self::Client { reason: other.to_string() },
        }
    }
}
