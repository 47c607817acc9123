//! The properties of the client library: what may be set from outside, and what each kind of client is made with.

use super::{KafkaError, KafkaOptions};
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use std::collections::BTreeMap;

const RESTS: &str = "what was answered could be lost, doubled or reordered";
const OPTION: &str = "an option of its own sets it";
const GROUP: &str = "readers do not use a group, and the group for balance sets it itself";
const LOADS: &str = "it loads or replaces parts of the client";

/// Properties that are refused, and why. A name that ends in `*` stands for all that begin like it.
const REFUSED: [(&str, &str); 52] = [
    ("acks", RESTS),
    ("request.required.acks", RESTS),
    ("enable.idempotence", RESTS),
    ("enable.gapless.guarantee", RESTS),
    ("max.in.flight", RESTS),
    ("max.in.flight.requests.per.connection", RESTS),
    ("retries", RESTS),
    ("message.send.max.retries", RESTS),
    ("queuing.strategy", RESTS),
    ("transactional.id", "the protocol uses no transactions"),
    ("transaction.timeout.ms", "the protocol uses no transactions"),
    ("partitioner", "every entry names its partition"),
    ("check.crcs", "damaged entries would be read as data"),
    ("auto.offset.reset", "a reader would jump over entries that are gone instead of saying so"),
    ("isolation.level", "a reader would not get to the end that it was told"),
    ("enable.auto.commit", GROUP),
    ("auto.commit.enable", GROUP),
    ("auto.commit.interval.ms", GROUP),
    ("enable.auto.offset.store", GROUP),
    ("enable.partition.eof", GROUP),
    ("group.*", GROUP),
    ("partition.assignment.strategy", GROUP),
    ("session.timeout.ms", GROUP),
    ("heartbeat.interval.ms", GROUP),
    ("max.poll.interval.ms", GROUP),
    ("allow.auto.create.topics", "a topic made in passing has the brokers' defaults, not what the log needs"),
    ("bootstrap.servers", OPTION),
    ("metadata.broker.list", OPTION),
    ("client.id", OPTION),
    ("security.protocol", OPTION),
    ("sasl.*", OPTION),
    ("ssl.ca.location", OPTION),
    ("ssl.certificate.location", OPTION),
    ("ssl.key.location", OPTION),
    ("message.max.bytes", OPTION),
    ("message.timeout.ms", OPTION),
    ("delivery.timeout.ms", OPTION),
    ("queue.buffering.max.messages", OPTION),
    ("queue.buffering.max.kbytes", OPTION),
    ("queue.buffering.max.ms", OPTION),
    ("linger.ms", OPTION),
    ("queued.max.messages.kbytes", OPTION),
    ("socket.timeout.ms", OPTION),
    ("statistics.interval.ms", OPTION),
    ("log.queue", OPTION),
    ("log_level", "the program's own log filter sets it: `librdkafka=debug`"),
    ("enabled_events", LOADS),
    ("plugin.library.paths", LOADS),
    ("interceptors", LOADS),
    ("opaque", LOADS),
    ("builtin.features", LOADS),
    ("test.*", LOADS),
];

/// Refuses properties by name.
pub(super) fn check(properties: &BTreeMap<String, String>) -> Result<(), KafkaError> {
    for property in properties.keys() {
        // The library takes a topic's properties with this in front, too.
        let name = property.trim().trim_start_matches("topic.").trim_start_matches("default.");
        let refused = REFUSED.iter().find(|(refused, _)| match refused.strip_suffix('*') {
            Some(start) => name.starts_with(start) || property.starts_with(start),
            None => name == *refused || property == refused,
        });
        if let Some((_, why)) = refused {
            return Err(KafkaError::RefusedProperty { property: property.clone(), why });
        }
    }
    Ok(())
}

/// A client that asks questions only.
pub(super) fn query(options: &KafkaOptions) -> Result<ClientConfig, KafkaError> {
    let mut config = common(options)?;
    set(&mut config, &[("isolation.level", "read_uncommitted"), ("allow.auto.create.topics", "false")]);
    Ok(config)
}

/// A client that changes topics.
pub(super) fn admin(options: &KafkaOptions) -> Result<ClientConfig, KafkaError> {
    common(options)
}

/// A client that appends. What the guarantees rest on is set last.
pub(super) fn producer(options: &KafkaOptions) -> Result<ClientConfig, KafkaError> {
    let mut config = common(options)?;
    let share = |all: usize| (all / options.producers).max(1).to_string();
    config
        .set("linger.ms", options.linger_ms.to_string())
        .set("message.timeout.ms", options.message_timeout_ms.to_string())
        .set("message.max.bytes", options.max_batch_bytes().to_string())
        .set("queue.buffering.max.messages", share(options.queue_entries))
        // At least one entry of the largest size, whatever was asked for.
        .set(
            "queue.buffering.max.kbytes",
            share(options.queue_bytes.max(2 * options.max_batch_bytes()).div_ceil(1024)),
        );
    let guarantees = [
        ("allow.auto.create.topics", "false"),
        ("enable.idempotence", "true"),
        ("acks", "all"),
        ("retries", "2147483647"),
    ];
    set(&mut config, &guarantees);
    Ok(config)
}

/// A client that reads one partition. It names a group because the library wants one to assign by hand; it never joins it.
pub(super) fn reader(options: &KafkaOptions) -> Result<ClientConfig, KafkaError> {
    let mut config = common(options)?;
    config
        .set("group.id", format!("{}-readers", options.client_id))
        .set("queued.max.messages.kbytes", (options.read_ahead_bytes / 1024).max(1).to_string())
        .set("fetch.message.max.bytes", options.max_batch_bytes().max(1024 * 1024).to_string());
    let fixed = [
        ("queued.min.messages", "20000"),
        // A reader that took what was read ahead gets more soon, not after the default second.
        ("fetch.queue.backoff.ms", "5"),
        ("fetch.error.backoff.ms", "50"),
        ("fetch.wait.max.ms", "500"),
        ("allow.auto.create.topics", "false"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("isolation.level", "read_uncommitted"),
        ("auto.offset.reset", "error"),
        ("check.crcs", "true"),
    ];
    set(&mut config, &fixed);
    Ok(config)
}

/// A member of the group that balances ownership. It fetches nothing.
pub(super) fn member(options: &KafkaOptions, group: &str, client_id: &str) -> Result<ClientConfig, KafkaError> {
    let mut config = common(options)?;
    config.set("group.id", group).set("client.id", client_id);
    let fixed = [
        ("partition.assignment.strategy", "cooperative-sticky"),
        ("heartbeat.interval.ms", "500"),
        ("session.timeout.ms", "6000"),
        ("max.poll.interval.ms", "60000"),
        ("fetch.message.max.bytes", "1024"),
        ("queued.max.messages.kbytes", "1024"),
        ("allow.auto.create.topics", "false"),
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("auto.offset.reset", "latest"),
    ];
    set(&mut config, &fixed);
    Ok(config)
}

fn common(options: &KafkaOptions) -> Result<ClientConfig, KafkaError> {
    let mut config = ClientConfig::new();
    config.set_log_level(RDKafkaLogLevel::Warning);
    let fixed = [
        ("socket.keepalive.enable", "true"),
        // Brokers that come back are found at once, and leaders that moved without a word within seconds.
        ("reconnect.backoff.ms", "50"),
        ("reconnect.backoff.max.ms", "1000"),
        ("retry.backoff.ms", "50"),
        ("retry.backoff.max.ms", "250"),
        ("topic.metadata.refresh.interval.ms", "1000"),
        ("metadata.max.age.ms", "900000"),
        ("log.connection.close", "false"),
    ];
    set(&mut config, &fixed);
    for (property, value) in &options.properties {
        config.set(property, value);
    }
    let timeout = options.request_timeout_ms;
    config
        .set("bootstrap.servers", &options.brokers)
        .set("client.id", &options.client_id)
        .set("socket.timeout.ms", timeout.to_string())
        .set("socket.connection.setup.timeout.ms", timeout.max(1000).to_string())
        .set("api.version.request.timeout.ms", timeout.to_string())
        .set("statistics.interval.ms", options.statistics_interval_ms.to_string());
    for (property, value) in options.security.properties()? {
        config.set(property, value);
    }
    Ok(config)
}

fn set(config: &mut ClientConfig, properties: &[(&str, &str)]) {
    for (property, value) in properties {
        config.set(*property, *value);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn with(property: &str, value: &str) -> KafkaOptions {
        KafkaOptions {
            brokers: "127.0.0.1:9092".into(),
            properties: [(property.to_owned(), value.to_owned())].into(),
            ..KafkaOptions::default()
        }
    }

    #[test]
    fn what_would_weaken_the_guarantees_is_refused_by_name() {
        let refused = [
            ("acks", "1"),
            ("topic.acks", "0"),
            ("enable.idempotence", "false"),
            ("check.crcs", "false"),
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_committed"),
            ("enable.auto.commit", "true"),
            ("transactional.id", "t"),
            ("max.in.flight.requests.per.connection", "100"),
            ("group.id", "g"),
            ("sasl.password", "p"),
            ("test.mock.num.brokers", "3"),
        ];
        for (name, value) in refused {
            match with(name, value).validate() {
                Err(KafkaError::RefusedProperty { property, .. }) => assert_eq!(property, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_does_not_is_set_and_what_guarantees_stays() {
        let options = with("compression.type", "zstd");
        options.validate().unwrap();
        let config = producer(&options).unwrap();
        for (property, value) in [("compression.type", "zstd"), ("acks", "all"), ("enable.idempotence", "true")] {
            assert_eq!(config.get(property), Some(value));
        }
    }

    #[test]
    fn the_library_takes_every_kind_of_client() {
        let options = with("socket.nagle.disable", "true");
        for config in
            [query(&options), admin(&options), producer(&options), reader(&options), member(&options, "g", "c")]
        {
            config.unwrap().create_native_config().unwrap();
        }
        let error = query(&with("no.such.property", "1")).unwrap().create_native_config().map(drop).unwrap_err();
        match KafkaError::from(error) {
            KafkaError::InvalidProperty { property, .. } => assert_eq!(property, "no.such.property"),
            other => panic!("{other}"),
        }
    }
}
