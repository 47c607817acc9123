//! Copies that are cut off in the middle, and go on.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::{Streams, copied, embedded, made_source, streams_of};
use crate::system::PACTUM;

/// How many times to try to catch a copy in the middle.
const TRIES: usize = 30;
/// Of a copy that does not end.
const PATIENCE: Duration = Duration::from_secs(120);

fn start(from: &Path, to: &Path) -> Child {
    Command::new(PACTUM)
        .args(["log", "copy", "--from", &embedded(from), "--to", &embedded(to), "--partitions", "3"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Bytes in the log's files; what was written last is in the write-ahead log.
fn written(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}

/// Ends a copy by `signal` once it has written this much, or gives up because it was done first.
fn cut_off(from: &Path, to: &Path, after: u64, signal: &str) -> Option<Output> {
    let mut child = start(from, to);
    let started = Instant::now();
    while written(&to.join("log/entries")) < after {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        assert!(started.elapsed() < PATIENCE, "the copy gets nowhere");
        std::thread::sleep(Duration::from_millis(1));
    }
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).stderr(Stdio::null()).status();
    let output = child.wait_with_output().unwrap();
    (sent.unwrap().success() && !output.status.success()).then_some(output)
}

fn count(streams: &Streams) -> usize {
    streams.values().map(Vec::len).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_and_asked_for_again_it_ends_as_if_nothing_had_been() {
    let directory = tempfile::tempdir().unwrap();
    let from = directory.path().join("from");
    made_source(&from, 3_000).await;
    let source = streams_of(&from).await;
    let mut in_the_middle = 0;
    for number in 0..TRIES {
        let to = directory.path().join(format!("to-{number}"));
        // Further each time: now at the beginning, now near the end, and killed twice.
        let after = 100_000 * (1 + number as u64 % 10);
        let killed = cut_off(&from, &to, after, "KILL").is_some();
        let there = streams_of(&to).await;
        let _ = cut_off(&from, &to, after + 300_000, "KILL");
        let report = copied(&["--from", &embedded(&from), "--to", &embedded(&to)]);
        assert_eq!(report["records"], count(&source));
        assert!(streams_of(&to).await == source, "the copy differs from the source");
        if killed && (1..count(&source)).contains(&count(&there)) {
            in_the_middle += 1;
            assert!(report["already_there"].as_u64().unwrap() >= count(&there) as u64, "{report}");
        }
        if in_the_middle == 3 {
            return;
        }
        std::fs::remove_dir_all(&to).unwrap();
    }
    panic!("only {in_the_middle} of {TRIES} copies were caught in the middle");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_it_cleanly_and_says_how_to_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let from = directory.path().join("from");
    made_source(&from, 3_000).await;
    for number in 0..TRIES {
        let to = directory.path().join(format!("to-{number}"));
        let Some(output) = cut_off(&from, &to, 200_000, "INT") else { continue };
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains("run the same command again to go on"), "{text}");
        copied(&["--from", &embedded(&from), "--to", &embedded(&to)]);
        assert!(streams_of(&to).await == streams_of(&from).await, "the copy differs from the source");
        return;
    }
    panic!("none of {TRIES} copies was caught before its end");
}
