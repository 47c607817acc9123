//! What brokers run on, as the environment says. It is read once a call, so each case is a process of its own.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use pactum_testcontainers::{Kafka, Options};

type Environment<'a> = &'a [(&'a str, &'a str)];

/// Runs a test of this file that is ignored otherwise.
fn run(test: &str, environment: Environment<'_>) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("launchers::{test}"), "--ignored", "--nocapture"])
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn without_kafka_one_learns_how_to_get_it() {
    let nowhere = ("PACTUM_KAFKA_JARS", "/nowhere");
    let cases: [(Environment<'_>, &[&str]); 3] = [
        (&[("PACTUM_KAFKA", "jvm"), nowhere], &["scripts/setup test", "/nowhere"]),
        (&[("PACTUM_KAFKA", "container"), ("PATH", "/nowhere")], &["scripts/setup test", "docker"]),
        (&[("PACTUM_KAFKA", "steam")], &["`jvm` or `container`"]),
    ];
    for (environment, expected) in cases {
        let output = run("nothing_to_start", environment);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{environment:?}: {said}");
        for part in expected {
            assert!(said.contains(part), "{part} is missing: {said}");
        }
    }
}

#[tokio::test]
#[ignore = "the test above runs it where there is no Kafka"]
#[expect(clippy::print_stdout, reason = "read by the test above")]
async fn nothing_to_start() {
    println!("{}", Kafka::start(Options::default()).await.unwrap_err());
}

/// Stands in for docker: takes the same commands and starts the same programs, on this machine's JVM. It shows that the commands
/// fit together, not that an engine takes them.
const ENGINE: &str = r#"#!/bin/sh
echo "$*" >>"$0.log"
verb=$1
shift
while [ "$verb" != run ] && [ $# -gt 1 ]; do
    shift
done
pid_of() { cat "$0.$1"; }
case $verb in
    info) ;;
    inspect) pid_of "$1" ;;
    pause) kill -STOP "$(pid_of "$1")" ;;
    unpause) kill -CONT "$(pid_of "$1")" ;;
    kill) kill -TERM "$(pid_of "$1")" ;;
    rm) kill -KILL "$(pid_of "$1")" ;;
    run)
        while [ "$1" != --entrypoint ]; do
            [ "$1" != --name ] || echo $$ >"$0.$2"
            shift
        done
        shift 3
        PATH=$OUTER_PATH
        arguments=
        for argument in "$@"; do
            shift
            case $argument in
                '/opt/kafka/libs/*') argument=$OUTER_JARS/'*' ;;
            esac
            set -- "$@" "$argument"
        done
        exec java "$@"
        ;;
esac
"#;

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[test]
fn a_container_is_treated_as_a_process() {
    let directory = tempfile::tempdir().unwrap();
    let engine = directory.path().join("docker");
    std::fs::write(&engine, ENGINE).unwrap();
    Command::new("chmod").arg("+x").arg(&engine).status().unwrap();
    let path = std::env::var("PATH").unwrap();
    let jars = set("PACTUM_KAFKA_JARS").unwrap_or_else(|| {
        let cache = set("PACTUM_CACHE").or_else(|| set("XDG_CACHE_HOME").map(|cache| format!("{cache}/pactum")));
        let cache = cache.unwrap_or_else(|| format!("{}/.cache/pactum", set("HOME").unwrap()));
        format!("{cache}/kafka/{}", Kafka::version())
    });
    let output = run(
        "a_broker_in_a_container",
        &[
            ("PACTUM_KAFKA", "container"),
            ("PATH", &format!("{}:{path}", directory.path().display())),
            ("OUTER_PATH", &path),
            ("OUTER_JARS", &jars),
        ],
    );
    let asked = std::fs::read_to_string(directory.path().join("docker.log")).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}\n{asked}", String::from_utf8_lossy(&output.stderr));
    for verb in ["info", "run --rm", "inspect", "pause", "unpause", "kill --signal TERM", "rm --force"] {
        assert!(asked.lines().any(|line| line.starts_with(verb)), "{verb} is missing:\n{asked}");
    }
}

#[tokio::test]
#[ignore = "the test above runs it with an engine"]
async fn a_broker_in_a_container() {
    let kafka = Kafka::start(Options::default()).await.unwrap();
    let broker = kafka.broker(0);
    let first = broker.pid().unwrap();
    assert!(Path::new(&format!("/proc/{first}")).exists());
    broker.pause().await.unwrap();
    broker.resume().await.unwrap();
    kafka.whole(Duration::from_secs(60)).await.unwrap();
    broker.kill().await.unwrap();
    broker.start().await.unwrap();
    assert_ne!(broker.pid().unwrap(), first);
    broker.stop().await.unwrap();
}
