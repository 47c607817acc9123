//! Brokers come, serve, and go.

use std::path::Path;

use pactum_testcontainers::{Error, Kafka, Options};

fn alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn one_broker_serves_and_leaves_nothing() {
    let kafka = Kafka::start(Options::default()).await.unwrap();
    let broker = kafka.broker(0);
    assert_eq!(kafka.bootstrap(), format!("127.0.0.1:{}", broker.port()));
    assert_eq!(kafka.controller().await.unwrap(), 0);
    assert_eq!(kafka.leader("nobody-made-this", 0).await.unwrap(), None);
    let (pid, data) = (broker.pid().unwrap(), broker.log_dir());
    assert!(alive(pid) && data.join("meta.properties").exists());
    drop(kafka);
    assert!(!alive(pid), "process {pid} lives on");
    assert!(!data.exists(), "{} is left", data.display());
}

#[tokio::test]
async fn two_brokers_are_refused() {
    let refused = Kafka::start(Options { brokers: 2, ..Options::default() }).await.unwrap_err();
    assert!(matches!(&refused, Error::Options(text) if text.contains("1 or 3")), "{refused}");
}
