//! `kill -9` while checkpoints are taken and moments restored: the next start is right.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pactum_log::Log;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_projector::{AsOfOptions, ProjectorOptions};
use tempfile::tempdir;

use super::happenings::{Dice, happening, try_one};
use super::patient;
use super::questions::{ask, at_sequence, every_question};
use crate::system::{ADMIN, System, acme, held_by_all};

/// Where the child works; set for it alone.
const CHILD: &str = "PACTUM_TEST_KILLED_CHILD";
const ROUNDS: u64 = 5;

fn log(directory: &Path) -> Arc<dyn Log> {
    Arc::new(EmbeddedLog::open(directory.join("log"), EmbeddedOptions::default()).unwrap())
}

fn busy(directory: &Path) -> ProjectorOptions {
    let as_of = AsOfOptions { every_records: 2, keep: 4, scratches: 2, ..AsOfOptions::default() };
    ProjectorOptions { flush_every: Duration::from_millis(20), ..patient(&directory.join("views"), as_of) }
}

/// Not a test by itself: what the parent kills. Writes, and asks about the past, without end.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let directory = Path::new(&directory);
    let system = System::start_with(log(directory), busy(directory)).await;
    if !directory.join("made").exists() {
        acme(&system).await;
        std::fs::write(directory.join("made"), "").unwrap();
    }
    let (admin, mut dice) = (system.by(ADMIN), Dice::new(u64::from(std::process::id())));
    let questions = every_question();
    loop {
        let taken = try_one(&admin, happening(&mut dice)).await;
        if let Some(last) = taken {
            let question = &questions[usize::try_from(dice.roll(questions.len() as u64)).unwrap()];
            drop(ask(&admin, question, at_sequence(1 + dice.roll(last)), 0).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_start_tells_the_same_past() {
    let directory = tempdir().unwrap();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "past::killed::child", "--nocapture"])
            .env(CHILD, directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..3_000 {
            if directory.path().join("made").exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Another moment of the work each round.
        tokio::time::sleep(Duration::from_millis(400 + 170 * round)).await;
        assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let log = log(directory.path());
    let checkpointed = System::start_with(Arc::clone(&log), busy(directory.path())).await;
    let last = acme_sequence(&checkpointed).await;
    let mut found = Vec::new();
    let moments: Vec<u64> = (1..=last).step_by(usize::try_from(last / 20 + 1).unwrap()).collect();
    for moment in &moments {
        for question in every_question() {
            found.push(ask(&checkpointed.by(ADMIN), &question, at_sequence(*moment), 0).await);
        }
    }
    checkpointed.stop().await;

    let fresh = tempdir().unwrap();
    let system = System::start_with(log, patient(fresh.path(), AsOfOptions::default())).await;
    held_by_all(&system.by(ADMIN), last).await;
    let mut answers = found.iter();
    for moment in &moments {
        for question in every_question() {
            let expected = ask(&system.by(ADMIN), &question, at_sequence(*moment), 0).await;
            assert!(answers.next() == Some(&expected), "{question:?} as of {moment}");
        }
    }
    system.stop().await;
}

/// The program's last sequence, once a view holds it.
async fn acme_sequence(system: &System) -> u64 {
    for _ in 0..1_000 {
        if system.views.views().iter().all(|view| view.caught_up && view.lag_records == 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let admin = system.by(ADMIN);
    let request =
        pactum_api::proto::program::v1::GetProgramRequest { name: "programs/acme".into(), ..Default::default() };
    admin.program_queries().get_program(admin.request(request)).await.unwrap().into_inner().sequence
}
