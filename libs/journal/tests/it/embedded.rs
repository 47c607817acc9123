//! The journal over the log that it runs on in production.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pactum_journal::{CommandError, JournalOptions, Reply, Role, SubmitError, spawn};
use pactum_log::LogError;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use tokio_util::sync::CancellationToken;

use crate::bank::{Answer, Bank, Command, Op};

const PATIENCE: Duration = Duration::from_secs(30);

fn open(directory: &Path, reserve_bytes: u64) -> EmbeddedLog {
    EmbeddedLog::open(directory, EmbeddedOptions { reserve_bytes, ..EmbeddedOptions::default() }).expect("it opens")
}

/// Runs a journal over the log in `directory` while `work` is done with it.
async fn with_journal<T>(log: &EmbeddedLog, work: impl AsyncFnOnce(&pactum_journal::Handle<Bank>) -> T) -> (T, Bank) {
    let shutdown = CancellationToken::new();
    let options = JournalOptions { owner: "a:1".into(), log_id: Some(log.identity().id), ..JournalOptions::default() };
    let bank = Bank { timers: u32::MAX, ..Bank::default() };
    let (handle, task) = spawn(Arc::new(log.clone()), 0, bank, options, shutdown.clone());
    let result = work(&handle).await;
    shutdown.cancel();
    (result, task.await.expect("the journal does not panic"))
}

async fn answer(reply: Reply<Answer>) -> Result<Answer, CommandError> {
    tokio::time::timeout(PATIENCE, reply).await.expect("an answer in time")
}

async fn deposits(handle: &pactum_journal::Handle<Bank>, requests: std::ops::Range<u32>) -> Vec<Answer> {
    let mut replies = Vec::new();
    for request in requests {
        let command = Command { request, attempt: request, op: Op::Deposit { account: 0, amount: 1 } };
        replies.push(handle.submit(command, Instant::now() + PATIENCE).await.expect("it is taken"));
    }
    let mut answers = Vec::new();
    for reply in replies {
        answers.push(answer(reply).await.expect("it is answered"));
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_there_after_a_restart_and_repeats_are_known() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut before = Bank::default();
    for run in 0..3 {
        let log = open(directory.path(), 0);
        let ((), bank) = with_journal(&log, async |handle| {
            let fresh = deposits(handle, run * 500..run * 500 + 500).await;
            let from = u64::from(run) * 500 + 1;
            assert_eq!(fresh, (from..from + 500).map(|sequence| Answer::Done { sequence }).collect::<Vec<_>>());
            let repeated = deposits(handle, 0..1).await;
            assert!(matches!(repeated[..], [Answer::Repeated { sequence: 1, at }] if at == from + 499));
        })
        .await;
        assert_eq!(bank.accounts[0], i64::from(run + 1) * 500);
        assert!(bank.sequence > before.sequence);
        before = bank;
        log.close();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_without_room_refuses_commands_and_keeps_what_is_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let log = open(directory.path(), 0);
    with_journal(&log, async |handle| deposits(handle, 0..10).await).await;
    log.close();

    let log = open(directory.path(), u64::MAX);
    let (refused, bank) = with_journal(&log, async |handle| {
        let mut status = handle.status();
        let found = tokio::time::timeout(PATIENCE, status.wait_for(|status| status.log_error.is_some())).await;
        let role = found.expect("in time").expect("the journal runs").role;
        assert!(matches!(role, Role::Standby | Role::Claiming), "{role:?}");
        let command = Command { request: 99, attempt: 99, op: Op::Balance { account: 0 } };
        handle.try_submit(command, Instant::now() + PATIENCE).err()
    })
    .await;
    assert!(matches!(refused, Some(SubmitError::LogUnavailable(LogError::Full(_)))), "{refused:?}");
    assert_eq!(bank.sequence, 10, "it reads all the same");
    log.close();

    let log = open(directory.path(), 0);
    let (answers, _) = with_journal(&log, async |handle| deposits(handle, 10..11).await).await;
    assert_eq!(answers, [Answer::Done { sequence: 11 }]);
}
