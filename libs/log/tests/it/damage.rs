//! Damaged, cut off and missing files: noticed on opening or on reading, and never given out as entries.

use crate::support::{append, number, numbered, open, options, read_all, until_end};
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::{Entry, Log, LogError};
use std::fs;
use std::path::{Path, PathBuf};

const COUNT: u64 = 3000;

fn small() -> EmbeddedOptions {
    EmbeddedOptions { write_buffer_bytes: 128 * 1024, ..options(1) }
}

/// A log with files and a write-ahead log, as a crash leaves it, and what it holds.
async fn crashed(directory: &Path) -> Vec<Entry> {
    let original = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(original.path(), small()).unwrap();
    let appender = log.appender(0).unwrap();
    for n in 0..COUNT {
        append(&*appender, numbered(n, 200)).await;
        // In several batches and several records of the write-ahead log.
        if n % 50 == 0 {
            until_end(&log, 0, n + 1).await;
        }
    }
    until_end(&log, 0, COUNT).await;
    let (entries, error) = read_all(&log, 0).await;
    assert_eq!((entries.len() as u64, error), (COUNT, None));
    // What is on the disk while the log is open is what a kill leaves. Flushes may be under way: a copy of a moving
    // directory is no picture of one moment, so wait until it stands still.
    loop {
        let before = listing(original.path());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        if before == listing(original.path()) {
            break;
        }
    }
    copy(original.path(), directory);
    entries
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn listing(directory: &Path) -> Vec<(PathBuf, u64)> {
    files(directory).into_iter().map(|path| (path.clone(), fs::metadata(path).map_or(0, |of| of.len()))).collect()
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

/// The files whose content the log needs.
fn needed_files(directory: &Path) -> Vec<PathBuf> {
    let is_data = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.ends_with(".sst")
            || name.ends_with(".log")
            || name.starts_with("MANIFEST-")
            || ["CURRENT", "synced", "identity"].contains(&name.as_str())
    };
    files(directory).into_iter().filter(is_data).collect()
}

/// What it is called, and what it does to a file.
type Damage = (String, Box<dyn Fn(&Path)>);

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Intact,
    RefusedToOpen,
    CorruptOnReading,
}

/// Opens what is there. Whatever happens, no entry may be read that was not written, and none silently left out.
async fn outcome(directory: &Path, expected: &[Entry], what: &str) -> Outcome {
    let log = match EmbeddedLog::open(directory, small()) {
        Ok(log) => log,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return Outcome::RefusedToOpen;
        }
    };
    let (entries, error) = read_all(&log, 0).await;
    assert!(entries == expected[..entries.len()], "{what}: damaged entries were given out");
    match error {
        None => {
            assert!(entries == expected, "{what}: {} of {} entries, and no error", entries.len(), expected.len());
            Outcome::Intact
        }
        Some(LogError::Corrupt(_)) => {
            assert!(log.health().damage.is_some(), "{what}: damage shows in the health");
            assert!(!log.verify(|_| {}).unwrap().is_ok(), "{what}: a verification finds it too");
            Outcome::CorruptOnReading
        }
        Some(error) => panic!("{what}: {error}"),
    }
}

async fn each_damage(damages: impl Fn(&Path) -> Vec<Damage>) -> Vec<(String, Outcome)> {
    let original = tempfile::tempdir().unwrap();
    let expected = crashed(original.path()).await;
    let mut outcomes = Vec::new();
    for file in needed_files(original.path()) {
        let relative = file.strip_prefix(original.path()).unwrap();
        for (name, damage) in damages(&file) {
            let directory = tempfile::tempdir().unwrap();
            copy(original.path(), directory.path());
            damage(&directory.path().join(relative));
            let what = format!("{} {name}", relative.display());
            let outcome = outcome(directory.path(), &expected, &what).await;
            outcomes.push((what, outcome));
        }
    }
    outcomes
}

fn count(outcomes: &[(String, Outcome)], kind: &str, outcome: &Outcome) -> usize {
    outcomes.iter().filter(|(what, of)| what.contains(kind) && of == outcome).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undamaged_it_opens() {
    let directory = tempfile::tempdir().unwrap();
    let expected = crashed(directory.path()).await;
    let kinds: Vec<_> = needed_files(directory.path())
        .into_iter()
        .map(|path| path.extension().map(|kind| kind.to_string_lossy().into_owned()))
        .collect();
    for kind in ["sst", "log"] {
        assert!(kinds.contains(&Some(kind.into())), "the damage below needs a file of kind {kind}");
    }
    assert_eq!(outcome(directory.path(), &expected, "no damage").await, Outcome::Intact);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_noticed() {
    let outcomes = each_damage(|file| {
        let len = fs::metadata(file).unwrap().len() as usize;
        let step = (len / 12).max(1);
        let flip = |at: usize| -> Damage {
            let damage = move |path: &Path| {
                let mut bytes = fs::read(path).unwrap();
                bytes[at] ^= 0x10;
                fs::write(path, bytes).unwrap();
            };
            (format!("flipped at {at} of {len}"), Box::new(damage))
        };
        (step / 2..len).step_by(step).map(flip).collect()
    })
    .await;
    let intact: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Intact).collect();
    println!("{} flips, harmless: {intact:?}", outcomes.len());
    // Statistics and padding can be damaged without harm; entries cannot.
    assert!(count(&outcomes, ".sst", &Outcome::CorruptOnReading) > 0);
    assert_eq!(count(&outcomes, ".log", &Outcome::Intact), 0, "every byte of a write-ahead log counts");
    assert_eq!(count(&outcomes, "identity", &Outcome::Intact), 0);
    assert_eq!(count(&outcomes, "synced", &Outcome::Intact), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_off_file_is_noticed() {
    let outcomes = each_damage(|file| {
        let len = fs::metadata(file).unwrap().len();
        let cut = |to: u64| -> Damage {
            let damage = move |path: &Path| fs::File::options().write(true).open(path).unwrap().set_len(to).unwrap();
            (format!("cut to {to} of {len}"), Box::new(damage))
        };
        [0, len / 4, len / 2, len - len.min(300), len - 1].into_iter().filter(|to| *to < len).map(cut).collect()
    })
    .await;
    // The end of a manifest tells what was moved from the write-ahead log to a file; without it that happens again.
    let is_harmless = |what: &str| what.contains("MANIFEST-");
    let unnoticed: Vec<_> =
        outcomes.iter().filter(|(what, outcome)| *outcome == Outcome::Intact && !is_harmless(what)).collect();
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_file_is_noticed() {
    let outcomes =
        each_damage(|_| vec![("removed".into(), Box::new(|path: &Path| fs::remove_file(path).unwrap()))]).await;
    let intact: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Intact).collect();
    assert!(intact.is_empty(), "{intact:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_can_accept_the_loss() {
    let directory = tempfile::tempdir().unwrap();
    let expected = crashed(directory.path()).await;
    let wal =
        needed_files(directory.path()).into_iter().rfind(|path| path.extension().is_some_and(|kind| kind == "log"));
    let wal = wal.unwrap();
    let len = fs::metadata(&wal).unwrap().len();
    fs::File::options().write(true).open(&wal).unwrap().set_len(len / 2).unwrap();
    let error = EmbeddedLog::open(directory.path(), small()).unwrap_err().to_string();
    assert!(error.contains("changes are missing that were acknowledged"), "{error}");
    assert!(error.contains("restore it from a backup"), "{error}");

    let log = EmbeddedLog::open(directory.path(), EmbeddedOptions { accept_loss: true, ..small() }).unwrap();
    let (entries, error) = read_all(&log, 0).await;
    assert_eq!(error, None);
    assert!(entries.len() < expected.len() && entries == expected[..entries.len()], "{}", entries.len());
    let appender = log.appender(0).unwrap();
    append(&*appender, numbered(77, 8)).await;
    until_end(&log, 0, entries.len() as u64 + 1).await;
    drop(log);
    let (again, error) = read_all(&open(directory.path(), 1), 0).await;
    assert_eq!((again.len(), error), (entries.len() + 1, None));
    assert_eq!(again.last().map(number), Some(77));
}
