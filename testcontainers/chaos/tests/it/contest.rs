//! Several command roles that take the partitions from each other all the time, on a log that loses, doubles and reorders.

use std::sync::Arc;
use std::time::Duration;

use pactum_chaos::history::Outcome;
use pactum_chaos::load::Patience;
use pactum_chaos::{LoadOptions, LogContents, check};
use pactum_journal::JournalOptions;
use pactum_journal::validity::Rule;
use pactum_log::Log;
use pactum_log::memory::{Faults, FaultyLog};

use crate::local::{Local, PATIENCE, contents, run};

/// The protocol without its point: records of any term and number take effect.
#[derive(Debug)]
enum Weak {}

impl Rule for Weak {
    const CHECK_TERM: bool = false;
    const CHECK_N: bool = false;
}

/// What is given up early is claimed again early.
fn quarrelsome() -> JournalOptions {
    JournalOptions {
        read_back_timeout: Duration::from_millis(100),
        contest_delay: Duration::from_millis(80),
        claim_backoff: Duration::from_millis(10),
        claim_backoff_max: Duration::from_millis(50),
        tick: Duration::from_millis(10),
        ..JournalOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_owners_on_a_bad_log_lose_and_double_nothing() {
    let views = tempfile::tempdir().unwrap();
    let log: Arc<dyn Log> = Arc::new(FaultyLog::start(2, Faults::SOME, 11));
    let logs = [Arc::clone(&log), Arc::clone(&log), log];
    let local = Local::start(&logs, quarrelsome(), views.path()).await;
    let patience = Patience { attempt: Duration::from_millis(500), ..Patience::default() };
    let options = LoadOptions { seed: 11, pace: Duration::from_millis(1), patience, ..LoadOptions::default() };
    let (history, log) = run(local, options, 60).await;
    let weak = LogContents::read_by::<Weak>(&log, PATIENCE).await.unwrap();
    let log = contents(&log).await;
    let findings = check(&history, &log);
    assert!(findings.is_clean(), "{findings}");
    // It did go wrong, and the checker had something to look at.
    assert!(log.terms > 2 && log.skipped > 0, "{} terms, {} entries without effect", log.terms, log.skipped);
    let refused = history.commands.iter().filter(|call| matches!(call.outcome, Outcome::Refused(_))).count();
    assert!(refused > 10 && findings.decisions >= refused as u64, "{refused} refused, {findings:?}");
    assert!(findings.reads > 10 && findings.events > 200, "{findings:?}");

    // What the rule holds back would be found, were it let in.
    assert!(weak.records() > log.records());
    assert!(!check(&history, &weak).is_clean());
}
