//! A broker whose disk is full.

use std::time::{Duration, Instant};

use pactum_testcontainers::{Kafka, Options};

const SOON: Duration = Duration::from_secs(60);

fn is_mounted(path: &std::path::Path) -> bool {
    std::fs::read_to_string("/proc/self/mounts").unwrap().contains(path.to_str().unwrap())
}

#[tokio::test]
async fn a_full_disk_ends_a_broker_and_room_brings_it_back() {
    let options = Options { disk_mib: Some(48), ..Options::default() };
    let started = Kafka::start(options).await;
    if !rustix::process::geteuid().is_root() {
        let refused = started.unwrap_err().to_string();
        assert!(refused.contains("as root"), "{refused}");
        return;
    }
    let kafka = started.unwrap();
    let broker = kafka.broker(0);
    let data = broker.log_dir();
    assert!(is_mounted(&data));
    broker.fill_disk().await.unwrap();
    // The controller writes to its log even if nobody else writes anything.
    let deadline = Instant::now() + SOON;
    while broker.pid().is_ok() {
        assert!(Instant::now() < deadline, "it goes on without room");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused = broker.pid().unwrap_err().to_string();
    assert!(refused.contains("by itself"), "{refused}");
    broker.free_disk().await.unwrap();
    broker.start().await.unwrap();
    kafka.whole(SOON).await.unwrap();
    drop(kafka);
    assert!(!is_mounted(&data) && !data.exists());
}
