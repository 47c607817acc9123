//! The documentation's way from the demo to Kafka, and the README's commands there.

use std::process::Command;

use pactum_testcontainers::free_port;

use super::process::{Process, Site};
use crate::competing::{path_of_tools, run, run_and_check, wait_for_demo};
use crate::docs::example;
use crate::system::System;

const PAGE: &str = "docs/operations/kafka.md";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_holds_on_kafka() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let demo = System::start_as(&["demo", "--partners", "30", "--deals", "300"], &data);
    wait_for_demo(&demo);
    assert!(demo.terminate().0.success());

    let site = Site::new().await;
    let here = |text: &str| {
        text.replace("127.0.0.1:9092", site.brokers())
            .replace("kafka-topic pactum", &format!("kafka-topic {}", site.topic()))
            .replace("/pactum\n", &format!("/{}\n", site.topic()))
            .replace("embedded:data", &format!("embedded:{}", data.display()))
            .replace(" data/", &format!(" {}/", data.display()))
    };
    run(&here(&format!("{}\n", example(PAGE, "kafka-log"))), &data);

    let mut processes = Vec::new();
    for (line, number) in example(PAGE, "kafka-processes").lines().zip(0_u16..) {
        let (grpc, http) = (free_port().unwrap(), free_port().unwrap());
        let line = here(line)
            .replace(&format!("127.0.0.1:{}", 7400 + 2 * number), &format!("127.0.0.1:{grpc}"))
            .replace(&format!("127.0.0.1:{}", 7401 + 2 * number), &format!("127.0.0.1:{http}"));
        let mut command = Command::new("bash");
        command.args(["-c", &format!("exec {line}")]).env("PATH", path_of_tools());
        processes.push(Process::start(command, grpc, http, &directory.path().join(format!("{number}.log"))));
    }
    assert_eq!(processes.len(), 3, "the page starts three processes");
    for process in &mut processes {
        process.ready().await;
    }
    let [one, other, views] = [0, 1, 2].map(|number: usize| format!("127.0.0.1:{}", processes[number].grpc));
    run_and_check([&one, &other, &views], &data);
    for process in &mut processes {
        process.signal("TERM");
        assert!(process.ended().await, "{}", process.log());
    }
}
