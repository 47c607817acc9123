//! Brokers come, serve, and go.

use std::path::Path;
use std::time::{Duration, Instant};

use pactum_testcontainers::{Error, Kafka, Options, shared};

const SOON: Duration = Duration::from_secs(60);

fn alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn one_broker_serves_and_leaves_nothing() {
    let kafka = Kafka::start(Options::default()).await.unwrap();
    let broker = kafka.broker(0);
    assert_eq!(kafka.bootstrap(), format!("127.0.0.1:{}", broker.port()));
    assert_eq!(kafka.controller().await.unwrap(), Some(0));
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

#[tokio::test]
async fn a_process_shares_one_broker() {
    let (one, other) = (shared().await.unwrap(), shared().await.unwrap());
    assert_eq!(one.bootstrap(), other.bootstrap());
    assert_eq!(one.members().await.unwrap(), [0]);
}

async fn wait_for_members(kafka: &Kafka, wanted: &[usize]) {
    let deadline = Instant::now() + SOON;
    loop {
        let found = kafka.members().await.unwrap();
        if found == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{found:?} take part, not {wanted:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn three_brokers_survive_what_is_done_to_one() {
    let kafka = Kafka::start(Options { brokers: 3, ..Options::default() }).await.unwrap();
    assert_eq!(kafka.members().await.unwrap(), [0, 1, 2]);

    // The first broker is asked first, so the second is hurt.
    let broker = kafka.broker(1);
    let first_life = broker.pid().unwrap();
    broker.kill().await.unwrap();
    assert!(!alive(first_life));
    let twice = broker.kill().await.unwrap_err();
    assert!(twice.to_string().contains("call start()"), "{twice}");
    wait_for_members(&kafka, &[0, 2]).await;
    broker.start().await.unwrap();
    kafka.whole(SOON).await.unwrap();
    assert_ne!(broker.pid().unwrap(), first_life);

    broker.pause().await.unwrap();
    wait_for_members(&kafka, &[0, 2]).await;
    broker.resume().await.unwrap();
    kafka.whole(SOON).await.unwrap();

    broker.stop().await.unwrap();
    assert!(broker.log_text().contains("shut down completed"), "it did not end by itself");
    wait_for_members(&kafka, &[0, 2]).await;
    broker.start().await.unwrap();
    let twice = broker.start().await.unwrap_err();
    assert!(twice.to_string().contains("call kill() or stop()"), "{twice}");

    // Without a majority none can start, and together two can.
    let (a, b) = (kafka.broker(0), kafka.broker(2));
    a.kill().await.unwrap();
    b.kill().await.unwrap();
    let (a, b) = tokio::join!(a.start(), b.start());
    a.and(b).unwrap();
    kafka.whole(SOON).await.unwrap();
}
