//! What cannot be copied, and what is said then.

use std::path::Path;
use std::process::Command;

use super::{copied, embedded, made_source, streams_of};
use crate::system::{PACTUM, System, pactum};

fn refusal(arguments: &[&str]) -> String {
    let output = pactum(&[&["log", "copy"], arguments].concat());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{arguments:?} was done");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_names_the_next_step() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (from, other, four) = (path("from"), path("other"), path("four"));
    made_source(&from, 20).await;
    made_source(&other, 10).await;
    copied(&["--from", &embedded(&from), "--to", &embedded(&four), "--partitions", "4"]);
    let (source, nothing) = (embedded(&from), embedded(&path("nothing")));

    let table: [(&[&str], &str); 9] = [
        (&["--from", &nothing, "--to", &embedded(&path("x"))], "holds no log; name the data directory"),
        (&["--from", &source, "--to", &source], "name an empty place"),
        (&["--from", &source, "--to", &embedded(&from.join("."))], "the same log"),
        (&["--from", &source, "--to", &embedded(&path("x")), "--partitions", "300"], "1 to 256 partitions"),
        (&["--from", &source, "--to", &embedded(&four), "--partitions", "5"], "has 4 partitions, not 5"),
        (&["--from", &embedded(&other), "--to", &embedded(&four)], "which is not the source"),
        (&["--from", &source, "--to", &embedded(&other)], "has been used already"),
        (&["--from", &source, "--to", "somewhere"], "write embedded:DIR"),
        (&["--from", "config:/nonexistent.toml", "--to", &nothing], "/nonexistent.toml"),
    ];
    for (arguments, hint) in table {
        let text = refusal(arguments);
        assert!(text.contains(hint), "{arguments:?}: {text}");
    }
    assert!(!path("nothing").exists(), "looking for a source makes nothing");

    let differs = refusal(&["--from", &source, "--to", &embedded(&other), "--verify-only"]);
    assert!(differs.contains("program demo") && differs.contains("do not use it"), "{differs}");

    let system = System::start(&from);
    let in_use = refusal(&["--from", &source, "--to", &embedded(&path("y"))]);
    assert!(in_use.contains("stop the system that uses it"), "{in_use}");
    assert!(!path("y").exists(), "a source that cannot be opened leaves no target behind");
    system.terminate();
}

fn with_reserve(mib: u64, from: &Path, to: &Path) -> (bool, String) {
    let output = Command::new(PACTUM)
        .args(["log", "copy", "--from", &embedded(from), "--to", &embedded(to)])
        .env("PACTUM_LOG__RESERVE_MIB", mib.to_string())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_it_stops_at_once_and_goes_on_when_there_is_some() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    made_source(&from, 20).await;
    // As if the disk had less than a tebibyte, and that were the reserve.
    let (done, text) = with_reserve(1 << 20, &from, &to);
    assert!(!done && text.contains("no space left") && text.contains("run the same command again"), "{text}");
    let (done, text) = with_reserve(1, &from, &to);
    assert!(done, "{text}");
    assert_eq!(streams_of(&to).await, streams_of(&from).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_names_the_log_its_system_uses() {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    made_source(&from, 20).await;
    let file = directory.path().join("new.toml");
    std::fs::write(&file, format!("data = {to:?}\n")).unwrap();
    let report = copied(&["--from", &embedded(&from), "--to", &format!("config:{}", file.display())]);
    assert_eq!(report["to"], embedded(&to));
    assert_eq!(streams_of(&to).await, streams_of(&from).await);
}
