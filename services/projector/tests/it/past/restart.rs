//! What is on the disk from before, and what of it may be used.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use pactum_log::Log;
use pactum_projector::{AsOfOptions, ProjectorOptions};
use tempfile::tempdir;

use super::happenings::{Dice, happening, try_one};
use super::patient;
use super::questions::{Answer, ask, at_sequence, every_question};
use crate::system::{ADMIN, System, acme, held_by_all, memory_log};

fn often(data: &Path) -> ProjectorOptions {
    patient(data, AsOfOptions { every_records: 4, keep: 5, ..AsOfOptions::default() })
}

/// The directories of checkpoints of every view.
fn checkpoints(data: &Path) -> Vec<PathBuf> {
    let partitions = (0..2).map(|partition| data.join(partition.to_string()));
    let shelves = partitions.flat_map(|partition| fs::read_dir(partition).unwrap()).map(|entry| entry.unwrap().path());
    let shelves = shelves.filter(|path| path.to_string_lossy().ends_with(".checkpoints"));
    let all = shelves.flat_map(|shelf| fs::read_dir(shelf).unwrap()).map(|entry| entry.unwrap().path());
    // Without those that are being made or removed.
    let is_whole = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().parse::<u64>().is_ok();
    all.filter(is_whole).collect()
}

async fn answers(system: &System, last: u64) -> Vec<Answer> {
    let admin = system.by(ADMIN);
    let mut answers = Vec::new();
    for moment in (1..=last).step_by(3) {
        for question in every_question() {
            answers.push(ask(&admin, &question, at_sequence(moment), 0).await);
        }
    }
    answers
}

/// A history, and the directory of a projector that took checkpoints of it.
async fn history(log: &Arc<dyn Log>, data: &Path) -> u64 {
    let system = System::start_with(Arc::clone(log), often(data)).await;
    let mut last = acme(&system).await;
    let (admin, mut dice) = (system.by(ADMIN), Dice::new(3));
    for _ in 0..60 {
        last = try_one(&admin, happening(&mut dice)).await.unwrap_or(last);
    }
    held_by_all(&admin, last).await;
    // More come until every view has as many as may be kept: a checkpoint is taken beside the fold.
    for _ in 0..3_000 {
        if checkpoints(data).len() >= 25 {
            break;
        }
        last = try_one(&admin, happening(&mut dice)).await.unwrap_or(last);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    held_by_all(&admin, last).await;
    drop(admin);
    system.stop().await;
    assert!((25..=30).contains(&checkpoints(data).len()), "{:?}", checkpoints(data));
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_used_again_and_what_is_none_of_them_goes() {
    let (data, fresh) = (tempdir().unwrap(), tempdir().unwrap());
    let log = memory_log();
    let last = history(&log, data.path()).await;
    let system = System::start_with(Arc::clone(&log), patient(fresh.path(), AsOfOptions::default())).await;
    held_by_all(&system.by(ADMIN), last).await;
    let expected = answers(&system, last).await;
    system.stop().await;

    // What a crash in the middle of each step leaves, and damage.
    let mut kept = checkpoints(data.path());
    kept.sort();
    let shelf = kept[0].parent().unwrap().to_owned();
    fs::rename(&kept[0], shelf.join("draft")).unwrap();
    fs::rename(&kept[1], shelf.join("removed-00000000000000000001")).unwrap();
    fs::write(kept[2].join("checkpoint"), b"damaged").unwrap();
    fs::remove_file(kept[3].join("checkpoint")).unwrap();
    fs::create_dir_all(data.path().join("as-of/7")).unwrap();
    let orphans = data.path().join("0/deals@0.checkpoints");
    fs::create_dir_all(orphans.join("00000000000000000001")).unwrap();

    let system = System::start_with(Arc::clone(&log), often(data.path())).await;
    held_by_all(&system.by(ADMIN), last).await;
    assert!(!orphans.exists() && !data.path().join("as-of/7").exists());
    assert!(answers(&system, last).await == expected, "the past is another one after the restart");
    for gone in ["draft", "removed-00000000000000000001"] {
        assert!(!shelf.join(gone).exists(), "{gone}");
    }
    assert!(!kept[2].exists() && !kept[3].exists(), "what is damaged is used");
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_of_another_log_are_not_used() {
    let data = tempdir().unwrap();
    history(&memory_log(), data.path()).await;
    // An operator moved the views away and left the checkpoints; the log is another one too.
    for partition in 0..2 {
        for entry in fs::read_dir(data.path().join(partition.to_string())).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.to_string_lossy().ends_with(".checkpoints") {
                fs::remove_dir_all(path).unwrap();
            }
        }
    }
    let (log, fresh) = (memory_log(), tempdir().unwrap());
    let system = System::start_with(Arc::clone(&log), often(data.path())).await;
    let mut last = acme(&system).await;
    let (admin, mut dice) = (system.by(ADMIN), Dice::new(4));
    for _ in 0..30 {
        last = try_one(&admin, happening(&mut dice)).await.unwrap_or(last);
    }
    held_by_all(&admin, last).await;
    let found = answers(&system, last).await;
    drop(admin);
    system.stop().await;
    let system = System::start_with(log, patient(fresh.path(), AsOfOptions::default())).await;
    held_by_all(&system.by(ADMIN), last).await;
    assert!(answers(&system, last).await == found, "another log's past shows through");
    system.stop().await;
}
