//! The journal as it runs: on the real clock, over logs that behave and logs that do not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pactum_journal::{
    CommandError, Fault, Follower, Handle, JournalOptions, Position, Reply, Role, Status, SubmitError, spawn,
};
use pactum_log::memory::{Faults, FaultyLog, MemoryLog, MemoryOptions};
use pactum_log::{Log, LogError};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::bank::{Answer, Bank, Command, Op};
use crate::gated::{Gated, Mode};

/// Longer than anything here takes on a busy machine; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    handle: Handle<Bank>,
    task: JoinHandle<Bank>,
    shutdown: CancellationToken,
}

fn options() -> JournalOptions {
    JournalOptions {
        owner: "a:1".into(),
        read_back_timeout: Duration::from_millis(200),
        tick: Duration::from_millis(10),
        contest_delay: Duration::from_millis(50),
        claim_backoff: Duration::from_millis(20),
        claim_backoff_max: Duration::from_millis(100),
        grace: Duration::from_millis(500),
        ..JournalOptions::default()
    }
}

fn start(log: impl Log, options: JournalOptions) -> Running {
    start_with(Arc::new(log), Bank { timers: u32::MAX, ..Bank::default() }, options)
}

/// The bank's timers are off: the time of day here is the real one, which is far from the epoch.
fn start_with(log: Arc<dyn Log>, bank: Bank, options: JournalOptions) -> Running {
    let shutdown = CancellationToken::new();
    let (handle, task) = spawn(log, 0, bank, options, shutdown.clone());
    Running { handle, task, shutdown }
}

fn deposit(request: u32) -> Command {
    Command { request, attempt: request, op: Op::Deposit { account: 0, amount: 1 } }
}

fn patient() -> Instant {
    Instant::now() + PATIENCE
}

impl Running {
    async fn until(&self, holds: impl FnMut(&Status) -> bool) -> Status {
        let mut status = self.handle.status();
        let found = tokio::time::timeout(PATIENCE, status.wait_for(holds)).await;
        found.expect("it happens in time").expect("the journal runs").clone()
    }

    async fn owner(self) -> Self {
        self.until(|status| status.role == Role::Owner && status.refusing.is_none()).await;
        self
    }

    fn submit(&self, request: u32) -> Reply<Answer> {
        self.handle.try_submit(deposit(request), patient()).expect("there is room")
    }

    async fn stop(self) -> Bank {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").expect("it does not panic")
    }
}

async fn answer(reply: Reply<Answer>) -> Result<Answer, CommandError> {
    tokio::time::timeout(PATIENCE, reply).await.expect("an answer in time")
}

fn done(sequence: u64) -> Result<Answer, CommandError> {
    Ok(Answer::Done { sequence })
}

#[tokio::test]
async fn commands_are_answered_in_order_and_are_in_the_log_once() {
    const COUNT: u32 = 20_000;
    let log = MemoryLog::new(&MemoryOptions::default());
    let running = start(log.clone(), options());
    let mut replies = Vec::new();
    for request in 1..=COUNT {
        replies.push(running.handle.submit(deposit(request), patient()).await.expect("it is taken"));
    }
    for (sequence, reply) in (1..).zip(replies) {
        assert_eq!(answer(reply).await, done(sequence));
    }
    assert_eq!(running.stop().await.accounts[0], i64::from(COUNT));

    let mut follower = Follower::open(Arc::new(log), 0, Position::default()).await.expect("it opens");
    let mut records = 0;
    while records < u64::from(COUNT) {
        records += follower.next(1_000).await.expect("all is well").records.len() as u64;
    }
    assert_eq!(follower.position().offset, follower.end().await.expect("it has one"), "and nothing else");
    assert_eq!(follower.skipped().total(), 0);
}

#[tokio::test]
async fn what_appends_nothing_is_answered_too() {
    let running = start(MemoryLog::new(&MemoryOptions::default()), options()).owner().await;
    assert_eq!(answer(running.submit(1)).await, done(1));
    assert_eq!(answer(running.submit(1)).await, Ok(Answer::Repeated { sequence: 1, at: 1 }));
    let overdraw = Command { request: 2, attempt: 2, op: Op::Withdraw { account: 0, amount: 9 } };
    let reply = running.handle.try_submit(overdraw, patient()).expect("there is room");
    assert_eq!(answer(reply).await, Ok(Answer::Refused { at: 1 }));
    running.stop().await;
}

#[tokio::test]
async fn a_full_queue_refuses_with_a_hint_or_makes_who_likes_wait() {
    let log = Gated::new();
    let narrow = JournalOptions { queue: 4, window: 2, read_back_timeout: PATIENCE, ..options() };
    let running = start(log.clone(), narrow).owner().await;
    log.set(Mode::Hold);
    let mut replies = Vec::new();
    let refused = loop {
        match running.handle.try_submit(deposit(replies.len() as u32 + 1), patient()) {
            Ok(reply) => replies.push(reply),
            Err(error) => break error,
        }
        assert!(replies.len() <= 6, "two in flight, four in the queue");
        tokio::task::yield_now().await;
    };
    let SubmitError::QueueFull { retry_after } = refused else { panic!("{refused}") };
    assert!(retry_after > Duration::ZERO && retry_after <= Duration::from_secs(1));
    let next = deposit(replies.len() as u32 + 1);
    let waits = tokio::spawn({
        let handle = running.handle.clone();
        async move { handle.submit(next, patient()).await }
    });
    log.release();
    replies.push(waits.await.expect("no panic").expect("there is room at last"));
    for (sequence, reply) in (1..).zip(replies) {
        assert_eq!(answer(reply).await, done(sequence));
    }
}

#[tokio::test]
async fn deadlines_are_kept_wherever_a_command_is() {
    let log = Gated::new();
    let narrow = JournalOptions { window: 1, read_back_timeout: PATIENCE, ..options() };
    let running = start(log.clone(), narrow).owner().await;
    log.set(Mode::Hold);
    let soon = Instant::now() + Duration::from_millis(30);
    let in_flight = running.handle.try_submit(deposit(1), soon).expect("there is room");
    running.until(|status| status.in_flight == 1).await;
    let waiting = running.handle.try_submit(deposit(2), soon).expect("there is room");
    let late = running.handle.try_submit(deposit(3), Instant::now()).expect("there is room");
    assert_eq!(answer(in_flight).await, Err(CommandError::OutcomeUnknown));
    log.release();
    assert_eq!(answer(waiting).await, Err(CommandError::NotDecided));
    assert_eq!(answer(late).await, Err(CommandError::NotDecided));
    // The first took effect after all, and a repeat says so.
    assert!(matches!(answer(running.submit(1)).await, Ok(Answer::Repeated { sequence: 1, .. })));
    assert_eq!(running.stop().await.sequence, 1);
}

#[tokio::test]
async fn a_full_log_refuses_at_once_and_recovers_by_itself() {
    let log = Gated::new();
    let running = start(log.clone(), options()).owner().await;
    log.set(Mode::Full);
    let first = running.submit(1);
    let status = running.until(|status| status.refusing.is_some()).await;
    let full = LogError::Full("test".into());
    assert_eq!(status.log_error, Some(full.clone()));
    let refused = running.handle.try_submit(deposit(2), patient()).err();
    assert_eq!(refused, Some(SubmitError::LogUnavailable(full)));
    log.set(Mode::Through);
    assert_eq!(answer(first).await, done(1), "it waited for its outcome, and was decided again");
    let running = running.owner().await;
    assert_eq!(answer(running.submit(3)).await, done(2));
}

#[tokio::test]
async fn a_busy_log_is_only_slow() {
    let log = Gated::new();
    let running = start(log.clone(), options()).owner().await;
    log.set(Mode::Busy);
    let replies: Vec<_> = (1..=3).map(|request| running.submit(request)).collect();
    running.until(|status| status.in_flight == 3).await;
    log.set(Mode::Through);
    for (sequence, reply) in (1..).zip(replies) {
        assert_eq!(answer(reply).await, done(sequence));
    }
    assert_eq!(running.handle.status().borrow().terms, 1);
}

#[tokio::test]
async fn what_is_lost_is_decided_again_in_a_new_term() {
    for mode in [Mode::Swallow, Mode::Fail] {
        let log = Gated::new();
        let running = start(log.clone(), options()).owner().await;
        log.set(mode);
        let replies: Vec<_> = (1..=3).map(|request| running.submit(request)).collect();
        running.until(|status| status.role != Role::Owner).await;
        log.set(Mode::Through);
        for (sequence, reply) in (1..).zip(replies) {
            assert_eq!(answer(reply).await, done(sequence), "{mode:?}");
        }
        assert!(running.stop().await.sequence == 3);
    }
}

#[tokio::test]
async fn two_that_are_told_to_own_depose_each_other_and_nothing_is_lost() {
    let log = MemoryLog::new(&MemoryOptions::default());
    let writers = ["a:1", "b:1"].map(|owner| {
        let contest_delay = Duration::from_millis(30);
        start(log.clone(), JournalOptions { owner: owner.into(), contest_delay, ..options() })
    });
    let began = Instant::now();
    let mut request = 0;
    while began.elapsed() < Duration::from_secs(10) {
        request += 1;
        // Asked again and again at either, until it is known.
        let mut at = request as usize;
        loop {
            at += 1;
            let writer = &writers[at % 2];
            let outcome = match writer.handle.try_submit(deposit(request), patient()) {
                Ok(reply) => answer(reply).await,
                Err(SubmitError::NotOwner { .. }) => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            match outcome {
                Ok(_) => break,
                Err(CommandError::NotOwner { .. } | CommandError::OutcomeUnknown) => {}
                Err(error) => panic!("{error}"),
            }
        }
        if request >= 200 && writers[0].handle.status().borrow().terms >= 10 {
            break;
        }
    }
    let terms = writers[0].handle.status().borrow().terms;
    let end = log.end(0).await.expect("it has one");
    let [mut a, mut b] = writers;
    a.until(|status| status.offset >= end).await;
    b.until(|status| status.offset >= end).await;
    (a.handle, b.handle) = (b.handle, a.handle);
    let [a, b] = [a.stop().await, b.stop().await];
    assert_eq!(a.accounts[0], i64::from(request), "each request once");
    assert_eq!(a, b);
    assert!(terms >= 3, "they did contend: {terms} terms, {request} requests");
}

#[tokio::test]
async fn shutdown_drains_and_answers_everyone() {
    let log = Gated::new();
    let running = start(log.clone(), JournalOptions { window: 2, ..options() }).owner().await;
    log.set(Mode::Hold);
    let replies: Vec<_> = (1..=5).map(|request| running.submit(request)).collect();
    running.until(|status| status.in_flight == 2).await;
    running.shutdown.cancel();
    running.until(|status| status.refusing == Some(SubmitError::Stopped)).await;
    log.release();
    let handle = running.handle.clone();
    assert_eq!(running.stop().await.sequence, 2);
    let mut answers = Vec::new();
    for reply in replies {
        answers.push(answer(reply).await);
    }
    let stopped = || Err(CommandError::Stopped);
    assert_eq!(answers, [done(1), done(2), stopped(), stopped(), stopped()]);
    assert_eq!(handle.status().borrow().role, Role::Stopped);
    assert_eq!(handle.try_submit(deposit(9), patient()).err(), Some(SubmitError::Stopped));
}

#[tokio::test]
async fn release_and_own_again() {
    let running = start(MemoryLog::new(&MemoryOptions::default()), options()).owner().await;
    assert_eq!(answer(running.submit(1)).await, done(1));
    running.handle.own(false);
    running.until(|status| status.role == Role::Standby).await;
    let refused = running.handle.try_submit(deposit(2), patient()).err();
    assert_eq!(refused, Some(SubmitError::NotOwner { owner: None }));
    running.handle.own(true);
    let running = running.owner().await;
    assert_eq!(answer(running.submit(2)).await, done(2));
}

#[tokio::test]
async fn what_cannot_be_read_stops_the_partition_and_says_so() {
    let log = MemoryLog::new(&MemoryOptions::default());
    let running = start(log.clone(), options()).owner().await;
    let appender = log.appender(0).expect("there is a partition");
    appender.append(Bytes::from_static(b"foreign")).expect("it is taken");
    let status = running.until(|status| status.role == Role::Failed).await;
    assert!(matches!(status.fault, Some(Fault::Entry { offset: 2, .. })), "{status:?}");
    assert!(matches!(running.handle.try_submit(deposit(1), patient()), Err(SubmitError::Failed(_))));
    running.stop().await;
}

#[tokio::test]
async fn a_partition_that_is_not_there_is_a_fault() {
    let log = MemoryLog::new(&MemoryOptions::default());
    let (handle, task) = spawn(Arc::new(log), 9, Bank::default(), options(), CancellationToken::new());
    let early = handle.try_submit(deposit(1), patient()).expect("nobody knows yet");
    assert!(matches!(answer(early).await, Err(CommandError::Failed(_))));
    let mut status = handle.status();
    let found = tokio::time::timeout(PATIENCE, status.wait_for(|status| status.role == Role::Failed)).await;
    let fault = found.expect("in time").expect("the journal runs").fault.clone();
    assert_eq!(fault, Some(Fault::Log(LogError::NoSuchPartition { partition: 9, partitions: 1 })));
    let refused = handle.try_submit(deposit(1), patient()).err();
    assert!(matches!(refused, Some(SubmitError::Failed(_))), "{refused:?}");
    task.abort();
}

#[tokio::test]
async fn a_command_whose_caller_went_away_before_it_was_decided_never_is() {
    let log = Gated::new();
    let running = start(log.clone(), JournalOptions { window: 1, ..options() }).owner().await;
    log.set(Mode::Hold);
    let first = running.submit(1);
    running.until(|status| status.in_flight == 1).await;
    drop(running.submit(2));
    log.release();
    assert_eq!(answer(first).await, done(1));
    assert_eq!(answer(running.submit(3)).await, done(2));
}

/// The same faults as in the simulation, but with real tasks, timers and races.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_log_that_loses_doubles_and_reorders_every_command_takes_effect_once() {
    for seed in 0..3 {
        let log = FaultyLog::start(1, Faults::SOME, seed);
        let running = start(log.clone(), JournalOptions { window: 16, ..options() });
        let mut replies = Vec::new();
        for request in 1..=300 {
            loop {
                match running.handle.submit(deposit(request), patient()).await {
                    Ok(reply) => break replies.push((request, reply)),
                    Err(SubmitError::LogUnavailable(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                    Err(error) => panic!("seed {seed}: {error}"),
                }
            }
        }
        for (request, mut reply) in replies {
            while let Err(error) = answer(reply).await {
                assert!(matches!(error, CommandError::LogUnavailable(_)), "seed {seed}: {error}");
                reply = loop {
                    match running.handle.submit(deposit(request), patient()).await {
                        Ok(reply) => break reply,
                        Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                    }
                };
            }
        }
        log.set_faults(Faults::NONE);
        let bank = running.stop().await;
        assert_eq!((bank.accounts[0], bank.sequence), (300, 300), "seed {seed}");
    }
}
