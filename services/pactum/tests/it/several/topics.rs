//! What a process says of a topic that it cannot use, and what it does then.

use std::time::{Duration, Instant};

use pactum_log::Log as _;
use pactum_log::kafka::{KafkaLog, KafkaOptions};

use super::process::{PATIENCE, Site};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_is_made_once_and_found_as_it_should_be() {
    let site = Site::new().await;
    let missing = site.topics("check", &[]).unwrap_err();
    assert!(missing.contains(site.topic()) && missing.contains("pactum topics ensure"), "{missing}");
    let made = site.topics("ensure", &["--partitions", "3", "--replication-factor", "1"]).unwrap();
    assert_eq!((&made["created"], &made["partitions"], &made["usable"]), (&true.into(), &3.into(), &true.into()));
    let again = site.topics("ensure", &["--partitions", "5", "--replication-factor", "1"]).unwrap();
    assert_eq!((&again["created"], &again["partitions"]), (&false.into(), &3.into()));
    let checked = site.topics("check", &[]).unwrap();
    assert_eq!(checked["log_id"], made["log_id"]);
    // One broker cannot hold a partition three times, and that is told.
    let settings: Vec<_> = checked["findings"].as_array().unwrap().iter().map(|finding| &finding["setting"]).collect();
    assert!(settings.iter().any(|setting| setting.as_str().unwrap().contains("replication")), "{settings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_another_configuration_helps_ends_with_the_next_step() {
    let site = Site::new().await;
    let output = site.command("command", "c", site.brokers()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("pactum topics ensure"), "{text}");
    let everywhere = site.command("command", "c", site.brokers()).args(["--advertise", "0.0.0.0:1"]).output().unwrap();
    let text = String::from_utf8_lossy(&everywhere.stderr).into_owned();
    assert!(!everywhere.status.success() && text.contains("command.advertise"), "{text}");
    let alone = std::process::Command::new(crate::system::PACTUM).arg("projector").output().unwrap();
    let text = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(!alone.status.success() && text.contains("log.kind"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_that_cannot_be_reached_are_waited_for() {
    let site = Site::new().await;
    let nobody = format!("127.0.0.1:{}", pactum_testcontainers::free_port().unwrap());
    let mut process = site.start_with("command", "c", &nobody);
    process.until("saying why", |process| process.get("/readyz").contains("no Kafka broker answers")).await;
    assert!(process.get("/readyz").starts_with("HTTP/1.1 503"));
    process.signal("TERM");
    let stopped = Instant::now();
    assert!(process.ended().await, "{}", process.log());
    assert!(stopped.elapsed() < Duration::from_secs(30), "{:?}", stopped.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_records_stop_their_partition_and_nothing_else() {
    let site = Site::new().await;
    let options =
        KafkaOptions { brokers: site.brokers().into(), topic: site.topic().into(), ..KafkaOptions::default() };
    let spec = pactum_log::kafka::topics::TopicSpec { partitions: 1, replication_factor: 1, min_insync_replicas: 1 };
    pactum_log::kafka::topics::ensure(&options, spec).await.unwrap();
    let log = KafkaLog::connect(options).await.unwrap();
    log.appender(0).unwrap().append("{\"order\": 1}".into()).unwrap();
    let started = Instant::now();
    while log.end(0).await.unwrap() == 0 {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let checked = site.topics("check", &[]).unwrap_err();
    assert!(checked.contains("kafka.topic"), "{checked}");
    let mut process = site.start("command", "c");
    process.until("saying why", |process| process.get("/readyz").contains("not a journal entry")).await;
    assert!(process.get("/readyz").starts_with("HTTP/1.1 503"));
    assert!(process.get("/livez").starts_with("HTTP/1.1 200"));
    process.signal("TERM");
    assert!(process.ended().await, "{}", process.log());
}
