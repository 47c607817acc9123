//! What keeps a log from being reached is told, with what to do, in good time.

use crate::kafka_support::{connect, make_topic, on, on_shared, soon};
use crate::support::{append, numbered};
use pactum_log::kafka::{KafkaError, KafkaLog, KafkaOptions};
use pactum_log::{Log, LogError};
use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use std::net::TcpListener;
use std::time::{Duration, Instant};

async fn refused(options: KafkaOptions) -> KafkaError {
    soon("an error", KafkaLog::connect(options)).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn nobody_there() {
    // Bound and let go: nothing listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = Instant::now();
    let error = refused(KafkaOptions { connect_timeout_ms: 1500, ..on(format!("127.0.0.1:{port}")) }).await;
    assert!(matches!(error, KafkaError::Unreachable { .. }) && error.is_passing(), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(15), "took {:?}", started.elapsed());
}

#[tokio::test]
async fn somebody_there_who_says_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let error = refused(KafkaOptions { connect_timeout_ms: 1500, ..on(address) }).await;
    assert!(matches!(error, KafkaError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn no_topic() {
    let options = on_shared().await;
    let error = refused(options.clone()).await;
    assert!(matches!(&error, KafkaError::MissingTopic { topic } if *topic == options.topic), "{error}");
    assert!(error.to_string().contains("pactum topics ensure") && !error.is_passing(), "{error}");
}

#[tokio::test]
async fn a_property_that_weakens_the_guarantees() {
    let options = KafkaOptions { properties: [("acks".into(), "1".into())].into(), ..on("127.0.0.1:1".into()) };
    let error = refused(options).await;
    assert!(matches!(&error, KafkaError::RefusedProperty { property, .. } if property == "acks"), "{error}");
}

#[tokio::test]
async fn what_retention_deleted_is_told_and_not_jumped_over() {
    let options = on_shared().await;
    make_topic(&options, 1, 1).await;
    let log = connect(&options).await;
    let appender = log.appender(0).unwrap();
    for n in 0..10 {
        append(&*appender, numbered(n, 100)).await;
    }
    let mut reader = log.reader(0, 0).await.unwrap();
    let mut count = 0;
    while count < 10 {
        count += soon("entries", reader.next(100)).await.unwrap().len();
    }
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &options.brokers).create().unwrap();
    let mut before = TopicPartitionList::new();
    before.add_partition_offset(&options.topic, 0, rdkafka::Offset::Offset(7)).unwrap();
    soon("deletion", admin.delete_records(&before, &AdminOptions::new())).await.unwrap();

    let mut late = log.reader(0, 3).await.unwrap();
    for _ in 0..2 {
        let error = soon("an error", late.next(100)).await.unwrap_err();
        let LogError::Corrupt(text) = &error else { panic!("{error}") };
        assert!(text.contains("retention") && text.contains("starts at 7"), "{text}");
    }
    let mut in_time = log.reader(0, 7).await.unwrap();
    assert_eq!(soon("entries", in_time.next(1)).await.unwrap()[0].offset, 7);
}
