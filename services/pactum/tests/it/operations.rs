//! Starting, stopping and being looked after.

use std::time::Duration;

use pactum_api::proto::replay::v1::ReadEventsRequest;
use pactum_api::proto::replay::v1::replay_service_client::ReplayServiceClient;

use crate::system::{POLICY, System, pactum, pactum_ok, small_program};

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_stops_cleanly_even_with_a_follower_listening() {
    let directory = tempfile::tempdir().unwrap();
    let system = System::start(directory.path());
    let connection = small_program(&system, "ops", POLICY).await;
    let request =
        ReadEventsRequest { parent: "programs/ops".into(), follow: true, min_sequence: 1, ..Default::default() };
    let mut events = ReplayServiceClient::new(connection).read_events(request).await.unwrap().into_inner();
    assert_eq!(events.message().await.unwrap().unwrap().event.unwrap().r#type, "ProgramCreated");
    let (status, took) = tokio::task::spawn_blocking(move || system.terminate()).await.unwrap();
    assert!(status.success(), "ended with {status}");
    assert!(took < Duration::from_secs(10), "took {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_health_tell_what_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let system = System::start(directory.path());
    small_program(&system, "ops", POLICY).await;
    let metrics = system.get("/metrics");
    for name in [
        "pactum_commands_total",
        "pactum_command_seconds_bucket",
        "pactum_journal_decide_seconds",
        "pactum_journal_readback_seconds",
        "pactum_journal_queue_depth",
        "pactum_projector_lag_records",
        "pactum_projector_lag_seconds",
        "pactum_projector_fold_records_total",
        "pactum_rocksdb_",
    ] {
        assert!(metrics.contains(name), "/metrics has no {name}:\n{metrics}");
    }
    assert!(system.get("/livez").contains("ok"));
    assert!(system.get("/readyz").contains("\"ready\""), "{}", system.get("/readyz"));
}

#[test]
fn a_second_process_on_the_same_data_gets_a_clear_error() {
    let directory = tempfile::tempdir().unwrap();
    let _first = System::start(directory.path());
    let data = directory.path().to_str().unwrap();
    let second = pactum(&["serve", "--data", data, "--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"]);
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success());
    assert!(text.contains("in use") || text.contains("locked"), "{text}");
}

#[test]
fn doctor_asks_a_running_system_and_looks_into_one_that_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let system = System::start(directory.path());
    let flags = [
        "--grpc-listen",
        &format!("127.0.0.1:{}", system.grpc),
        "--http-listen",
        &format!("127.0.0.1:{}", system.http),
    ];
    let report = pactum_ok(&[&["doctor", "--data", data][..], &flags].concat());
    assert!(report.contains("running"), "{report}");
    system.terminate();
    let report = pactum_ok(&["doctor", "--data", data]);
    assert!(report.contains("not running"), "{report}");
    let nothing = pactum(&["doctor", "--data", "/nonexistent/pactum"]);
    assert!(!nothing.status.success());
}

#[test]
fn a_truncated_log_is_refused_and_explained() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let system = System::start(directory.path());
    runtime.block_on(small_program(&system, "ops", POLICY));
    system.kill();
    // The newest write-ahead file holds what was acknowledged last.
    let mut files = Vec::new();
    walk(&directory.path().join("log"), &mut files);
    let wal = files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "log"))
        .max_by_key(|path| std::fs::metadata(path).unwrap().len());
    let wal = wal.expect("the embedded log keeps a write-ahead file");
    let length = std::fs::metadata(&wal).unwrap().len();
    assert!(length > 100);
    std::fs::OpenOptions::new().write(true).open(&wal).unwrap().set_len(length / 2).unwrap();
    let serve = pactum(&["serve", "--data", data, "--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"]);
    let text = String::from_utf8_lossy(&serve.stderr).into_owned();
    assert!(!serve.status.success() && text.contains("damaged"), "{text}");
    let doctor = pactum(&["doctor", "--data", data]);
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(!doctor.status.success() && text.contains("damaged"), "{text}");
}

fn walk(directory: &std::path::Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

#[test]
fn settings_have_one_precedence() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pactum.toml");
    std::fs::write(&file, "[grpc]\nlisten = '127.0.0.1:1'\n[http]\nlisten = '127.0.0.1:2'\n[command]\nqueue = 3\n")
        .unwrap();
    let output = std::process::Command::new(crate::system::PACTUM)
        .args(["serve", "--print-config", "--config", file.to_str().unwrap(), "--http-listen", "127.0.0.1:22"])
        .env("PACTUM_GRPC__LISTEN", "127.0.0.1:11")
        .env("PACTUM_HTTP__LISTEN", "127.0.0.1:12")
        .output()
        .unwrap();
    let printed: toml::Table = String::from_utf8(output.stdout).unwrap().parse().unwrap();
    assert_eq!(printed["grpc"]["listen"].as_str(), Some("127.0.0.1:11"), "the environment wins over the file");
    assert_eq!(printed["http"]["listen"].as_str(), Some("127.0.0.1:22"), "a flag wins over the environment");
    assert_eq!(printed["command"]["queue"].as_integer(), Some(3), "the file wins over the defaults");
    let unknown = pactum(&["serve", "--print-config", "--config", "/nonexistent.toml"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("/nonexistent.toml"));
}

#[test]
fn completion_is_printed_for_shells() {
    for shell in ["bash", "zsh", "fish"] {
        assert!(pactum_ok(&["completion", shell]).contains("import"), "{shell}");
    }
}

#[test]
fn errors_say_the_next_step() {
    for (arguments, hint) in [
        (&["token", "--program", "acme", "--role", "auditor"][..], "programs/acme"),
        (&["token", "--program", "programs/acme", "--role", "boss"], "program-admin"),
        (&["token", "--program", "programs/acme", "--role", "partner-sales"], "needs a partner"),
        (&["events", "--program", "programs/acme", "--token", "t", "--endpoint", "http://127.0.0.1:9"], "pactum serve"),
        (&["import", "crm", "--program", "programs/acme", "--pipeline", "/nonexistent.csv"], "/nonexistent.csv"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let output = std::process::Command::new(crate::system::PACTUM)
            .args(arguments)
            .current_dir(directory.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(hint), "{arguments:?}: {text}");
    }
}
