//! How a log on Kafka is reached and used.

use super::{KafkaError, Security};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What Kafka adds to one entry in a batch of its own, and more: a batch's header, a record's header, lengths.
const OVERHEAD_BYTES: usize = 1024;

/// How a log on Kafka is reached and used. All parts have defaults but for the brokers and the topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaOptions {
    /// Some of the brokers, `host:port` with commas between them; the others are learnt from these.
    pub brokers: String,
    /// The topic that is the log.
    pub topic: String,
    /// The name that brokers know this program by, in their logs, metrics and quotas.
    pub client_id: String,
    /// How to connect, and as whom.
    pub security: Security,
    /// Further properties of librdkafka, for every client alike. What the guarantees rest on is refused by name.
    pub properties: BTreeMap<String, String>,
    /// The largest entry, in bytes.
    pub max_entry_bytes: usize,
    /// Entries on their way to the brokers, at most, over all partitions; more are refused as busy.
    pub queue_entries: usize,
    /// Bytes on their way to the brokers, at most, over all partitions; more are refused as busy.
    pub queue_bytes: usize,
    /// How long an entry may wait for others to be sent along with it. 0 sends at once what there is.
    pub linger_ms: u64,
    /// How many producers share the partitions. One is right until measured otherwise.
    pub producers: usize,
    /// Bytes that a reader may have read ahead, about at most.
    pub read_ahead_bytes: usize,
    /// How long connecting may take.
    pub connect_timeout_ms: u64,
    /// How long the brokers may take to acknowledge an entry before it is reported as failed.
    pub message_timeout_ms: u64,
    /// How long the brokers may take to answer any other question.
    pub request_timeout_ms: u64,
    /// How long a reader may hear nothing before it asks whether the log can be reached at all.
    pub unavailable_after_ms: u64,
    /// How often the clients' own statistics are published as metrics; 0 is never.
    pub statistics_interval_ms: u64,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            brokers: String::new(),
            topic: "pactum".into(),
            client_id: "pactum".into(),
            security: Security::default(),
            properties: BTreeMap::new(),
            max_entry_bytes: 1024 * 1024,
            queue_entries: 64 * 1024,
            queue_bytes: 64 * 1024 * 1024,
            linger_ms: 0,
            producers: 1,
            read_ahead_bytes: 4 * 1024 * 1024,
            connect_timeout_ms: 10_000,
            message_timeout_ms: 5_000,
            request_timeout_ms: 3_000,
            unavailable_after_ms: 3_000,
            statistics_interval_ms: 5_000,
        }
    }
}

impl KafkaOptions {
    /// Says what is wrong with the options, without connecting.
    pub fn validate(&self) -> Result<(), KafkaError> {
        let invalid = |option: &'static str, expected: &'static str| KafkaError::InvalidOption { option, expected };
        if self.brokers.trim().is_empty() {
            return Err(invalid("brokers", "one or more host:port, with commas between them"));
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !(1..=249).contains(&self.topic.len()) || !self.topic.chars().all(legal) || self.topic.starts_with("..") {
            return Err(invalid("topic", "1 to 249 letters, digits, dots, underscores and hyphens"));
        }
        let ranges: [(&'static str, u64, u64, u64, &'static str); 10] = [
            ("max_entry_bytes", self.max_entry_bytes as u64, 1024, 64 << 20, "1024 to 67108864 bytes"),
            ("queue_entries", self.queue_entries as u64, 1, 10_000_000, "1 to 10000000"),
            ("queue_bytes", self.queue_bytes as u64, 1024, 1 << 40, "1024 bytes to 1 TiB"),
            ("linger_ms", self.linger_ms, 0, 1000, "0 to 1000 milliseconds"),
            ("producers", self.producers as u64, 1, 256, "1 to 256"),
            ("read_ahead_bytes", self.read_ahead_bytes as u64, 1024, 1 << 30, "1024 bytes to 1 GiB"),
            ("connect_timeout_ms", self.connect_timeout_ms, 100, 600_000, "100 to 600000 milliseconds"),
            ("message_timeout_ms", self.message_timeout_ms, 100, 600_000, "100 to 600000 milliseconds"),
            ("request_timeout_ms", self.request_timeout_ms, 100, 60_000, "100 to 60000 milliseconds"),
            ("unavailable_after_ms", self.unavailable_after_ms, 100, 600_000, "100 to 600000 milliseconds"),
        ];
        for (option, value, least, most, expected) in ranges {
            if !(least..=most).contains(&value) {
                return Err(invalid(option, expected));
            }
        }
        super::properties::check(&self.properties)?;
        self.security.validate()
    }

    /// The largest batch that is sent, which the topic must take: the largest entry in a batch of its own.
    pub(super) fn max_batch_bytes(&self) -> usize {
        self.max_entry_bytes + OVERHEAD_BYTES
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    pub(super) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    pub(super) fn unavailable_after(&self) -> Duration {
        Duration::from_millis(self.unavailable_after_ms)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn options() -> KafkaOptions {
        KafkaOptions { brokers: "127.0.0.1:9092".into(), ..KafkaOptions::default() }
    }

    #[test]
    fn what_is_wrong_is_told_by_name() {
        options().validate().unwrap();
        let wrong: [(&str, KafkaOptions); 6] = [
            ("brokers", KafkaOptions { brokers: " ".into(), ..options() }),
            ("topic", KafkaOptions { topic: "a b".into(), ..options() }),
            ("topic", KafkaOptions { topic: String::new(), ..options() }),
            ("max_entry_bytes", KafkaOptions { max_entry_bytes: 10, ..options() }),
            ("producers", KafkaOptions { producers: 0, ..options() }),
            ("connect_timeout_ms", KafkaOptions { connect_timeout_ms: 0, ..options() }),
        ];
        for (name, options) in wrong {
            match options.validate() {
                Err(KafkaError::InvalidOption { option, .. }) => assert_eq!(option, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_file_need_not_say_everything_and_may_not_say_anything_else() {
        let read: KafkaOptions = serde_json::from_str(r#"{"brokers":"a:1","security":{"protocol":"ssl"}}"#).unwrap();
        assert_eq!((read.brokers.as_str(), read.topic.as_str()), ("a:1", "pactum"));
        let unknown = serde_json::from_str::<KafkaOptions>(r#"{"broker":"a:1"}"#).unwrap_err();
        assert!(unknown.to_string().contains("broker"), "{unknown}");
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<KafkaOptions>(&written).unwrap(), read);
    }
}
