//! An import that is killed in the middle and started again ends as one that ran through.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pactum_api::proto::pipeline::v1::PipelineDimension;

use crate::crm;
use crate::system::{PACTUM, System, pactum_ok};

const PATIENCE: Duration = Duration::from_secs(60);

/// The sequence of the program's last event.
fn last_sequence(system: &System) -> u64 {
    let (endpoint, data) = (system.endpoint(), system.data().to_str().unwrap().to_owned());
    let events = ["events", "--program", "programs/acme", "--endpoint", &endpoint, "--data", &data, "--json"];
    let printed = pactum_ok(&events);
    let last: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    last["sequence"].as_u64().unwrap_or_else(|| panic!("no sequence in {last}"))
}

/// How many commands took effect since the system started.
fn accepted(system: &System) -> u64 {
    let metrics = system.get("/metrics");
    let counted = |line: &&str| line.starts_with("pactum_commands_total{") && line.contains("\"OK\"");
    metrics.lines().filter(counted).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Starts the import and kills it once so many more commands were answered. Whether it was still running then.
fn killed_after(system: &System, files: &std::path::Path, commands: u64) -> bool {
    let before = accepted(system);
    let mut import = Command::new(PACTUM)
        .args(crm::arguments(system, files))
        .env_remove("PACTUM_TOKEN")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while accepted(system) < before + commands && import.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < PATIENCE, "the import does not get on");
    }
    let running = import.try_wait().unwrap().is_none();
    import.kill().unwrap();
    import.wait().unwrap();
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_killed_goes_on_where_it_was() {
    let (through, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let files = tempfile::tempdir().unwrap();
    let opportunities = crm::export(4_000);
    crm::write(files.path(), &opportunities);
    let undisturbed = System::start(through.path());
    let report = crm::import(&undisturbed, files.path());

    let system = System::start(broken.path());
    let kills = [500, 1_500, 2_500].map(|commands| killed_after(&system, files.path(), commands));
    assert!(kills.contains(&true), "no import was killed before its end");
    let rest = crm::import(&system, files.path());
    assert!(rest["events_appended"].as_u64() < report["events_appended"].as_u64(), "it began anew: {rest}");
    for figure in ["accepted", "drafts", "won", "lost", "conflicts", "conflicts_by_partner"] {
        assert_eq!(rest[figure], report[figure], "{figure}");
    }
    let again = crm::import(&system, files.path());
    assert_eq!(again["events_appended"], 0);

    let expected = crm::conflicts(&opportunities);
    for system in [&undisturbed, &system] {
        let connection = system.connect("programs/acme", "analyst", None).await;
        let partners = crm::pipeline(&connection, PipelineDimension::Partner).await;
        let conflicted = partners.iter().map(|(id, (_, conflicted, _))| (id.clone(), *conflicted));
        assert_eq!(conflicted.filter(|(_, count)| *count > 0).collect::<std::collections::BTreeMap<_, _>>(), expected);
    }
    // What lapsed after the history's end is appended by a timer, a little later.
    let started = Instant::now();
    while last_sequence(&system) != last_sequence(&undisturbed) {
        assert!(started.elapsed() < PATIENCE, "{} and {}", last_sequence(&system), last_sequence(&undisturbed));
    }
}
