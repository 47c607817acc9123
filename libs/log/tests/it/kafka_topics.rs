//! Topics are made as a log needs them, and what is wrong with others is found.

use crate::kafka_support::on_shared;
use pactum_log::kafka::topics::{Severity, TopicSpec, check, describe, ensure};
use pactum_log::kafka::{KafkaError, KafkaOptions};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

const SPEC: TopicSpec = TopicSpec { partitions: 4, replication_factor: 1, min_insync_replicas: 1 };

#[tokio::test]
async fn a_topic_is_made_once_and_has_all_that_one_broker_can_give() {
    let options = on_shared().await;
    let first = ensure(&options, SPEC).await.unwrap();
    assert!(first.created && first.partitions == 4 && first.replication_factor == 1, "{first:?}");
    let second = ensure(&options, TopicSpec { partitions: 9, ..SPEC }).await.unwrap();
    assert!(!second.created && second.partitions == 4, "an existing topic is left as it is: {second:?}");
    let topic = describe(&options).await.unwrap();
    assert_eq!((topic.partitions, topic.replication_factor, topic.brokers), (4, 1, 1));

    let findings = check(&options).await.unwrap();
    let told: Vec<_> = findings.iter().map(|finding| (finding.setting.as_str(), finding.severity)).collect();
    assert_eq!(told, [("replication factor", Severity::Warn)], "one broker keeps one copy, and nothing else is wrong");
}

#[tokio::test]
async fn a_topic_made_by_hand_is_refused_by_the_names_of_its_settings() {
    let options = KafkaOptions { max_entry_bytes: 1024 * 1024, ..on_shared().await };
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &options.brokers).create().unwrap();
    let topic = NewTopic::new(&options.topic, 2, TopicReplication::Fixed(1))
        .set("unclean.leader.election.enable", "true")
        .set("cleanup.policy", "compact")
        .set("retention.bytes", "1000000");
    admin.create_topics([&topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();

    let findings = check(&options).await.unwrap();
    let refused: Vec<_> =
        findings.iter().filter(|finding| finding.severity == Severity::Refuse).map(|f| f.setting.as_str()).collect();
    let expected =
        ["unclean.leader.election.enable", "cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes"];
    assert_eq!(refused, expected);
    for finding in &findings {
        assert!(!finding.fix.is_empty() && finding.to_string().contains(&finding.setting), "{finding}");
    }
}

#[tokio::test]
async fn more_replicas_than_brokers_cannot_be_had() {
    let options = on_shared().await;
    let spec = TopicSpec { partitions: 1, replication_factor: 3, min_insync_replicas: 2 };
    let error = ensure(&options, spec).await.unwrap_err();
    assert!(matches!(error, KafkaError::Refused { .. }) && error.to_string().contains("fewer brokers"), "{error}");
    let error = check(&options).await.unwrap_err();
    assert!(matches!(error, KafkaError::MissingTopic { .. }), "{error}");
}
