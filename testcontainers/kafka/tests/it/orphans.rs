//! Nothing outlives a test process, not even one that had no chance to clean up.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pactum_testcontainers::{Kafka, Options};

#[test]
fn a_killed_test_leaves_no_broker_and_no_file() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "orphans::a_test_to_be_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let brokers = said.find_map(|line| Some(line.unwrap().strip_prefix("broker ")?.to_owned())).unwrap();
    let (pid, data) = brokers.split_once(' ').unwrap();
    let (process, data) = (PathBuf::from("/proc").join(pid), Path::new(data));
    assert!(process.exists() && data.exists());

    child.kill().unwrap();
    child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while process.exists() || data.exists() {
        assert!(Instant::now() < deadline, "left: process {pid}, or {}", data.display());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
#[ignore = "the test above runs it in a process of its own, and kills it"]
#[expect(clippy::print_stdout, reason = "read by the test above")]
async fn a_test_to_be_killed() {
    let kafka = Kafka::start(Options::default()).await.unwrap();
    let broker = kafka.broker(0);
    // A stopped process does not hear a polite signal.
    broker.pause().await.unwrap();
    // The harness leaves its own line unfinished.
    println!("\nbroker {} {}", broker.pid().unwrap(), broker.log_dir().display());
    tokio::time::sleep(Duration::from_secs(60)).await;
    panic!("nobody killed it");
}
