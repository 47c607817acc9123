//! Tells a partition's journal to own it or to let it go.
//!
//! An instance claims when the partition is assigned to it and another owns it (once, then again after ever longer waits,
//! so that two who disagree do not fight), or when the owner in force is gone, each candidate a little after the one before
//! it. It keeps what it has until another's claim is valid, assigned or not, so that a partition is never given up to
//! nobody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use pactum_journal::{Handle, Role, Status};
use pactum_log::{Offset, Partition};
use pactum_runtime::config::is_address;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::pool::Pool;
use super::probe::{self, Gone};
use super::rank::rank;
use super::{Detection, Peers};
use crate::machine::ProgramsMachine;

/// About how much earlier than the log the health service may tell of a change of owner.
const SETTLE: Duration = Duration::from_millis(10);

/// One partition's.
pub(crate) struct Ownership {
    partition: Partition,
    address: String,
    journal: Handle<ProgramsMachine>,
    status: watch::Receiver<Status>,
    assigned: watch::Receiver<BTreeSet<Partition>>,
    members: watch::Receiver<Vec<String>>,
    detection: Detection,
    pool: Arc<Pool>,
    contest: Contest,
    /// No claim before: the last one failed.
    paused_until: Instant,
}

/// When to claim what is assigned here and owned elsewhere.
struct Contest {
    at: Instant,
    wait: Duration,
}

/// What a partition's state is decided by: anything else in its status is a figure.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    role: Role,
    told: bool,
    deposed: bool,
    refused: bool,
    term: Option<Offset>,
}

impl Key {
    fn of(status: &Status) -> Self {
        let Status { role, told, deposed, term, .. } = *status;
        Self { role, told, deposed, refused: status.log_error.is_some(), term }
    }
}

impl Ownership {
    pub(crate) fn new(
        partition: Partition,
        address: String,
        journal: Handle<ProgramsMachine>,
        peers: &Peers,
        pool: Arc<Pool>,
    ) -> Self {
        let now = Instant::now();
        Self {
            partition,
            address,
            status: journal.status(),
            journal,
            assigned: peers.assigned.clone(),
            members: peers.members.clone(),
            detection: peers.detection,
            pool,
            contest: Contest { at: now, wait: peers.detection.contest },
            paused_until: now,
        }
    }

    /// Works until the stop is announced, or the journal has ended.
    pub(crate) async fn keep(mut self, announced: CancellationToken) {
        // The journal's status outlives it, so the stop is what ends this in the end.
        tokio::select! {
            biased;
            () = announced.cancelled() => {}
            () = self.work() => {}
        }
    }

    async fn work(&mut self) {
        loop {
            let status = self.status.borrow_and_update().clone();
            let key = Key::of(&status);
            let open = match status.role {
                Role::Failed | Role::Stopped => return,
                Role::Standby if status.told && status.deposed => {
                    self.contest.at = Instant::now() + self.contest.wait;
                    self.contest.wait = (self.contest.wait * 2).min(self.detection.contest_max);
                    self.tell(false).await
                }
                Role::Standby if status.told && status.log_error.is_some() => {
                    // Others may reach the log where this instance does not, so it does not insist.
                    self.paused_until = Instant::now() + self.detection.claim_pause;
                    self.tell(false).await
                }
                Role::Standby if !status.told => self.stand_by(key, status.owner).await,
                Role::CatchingUp | Role::Standby | Role::Claiming | Role::Owner => self.changed(key).await,
            };
            if !open {
                return;
            }
        }
    }

    /// Waits for a reason to claim, then does, unless the state changes first. False once the journal has ended.
    async fn stand_by(&mut self, key: Key, owner: Option<String>) -> bool {
        let mut status = self.status.clone();
        let reason = tokio::select! {
            biased;
            changed = status.wait_for(|status| Key::of(status) != key) => return changed.is_ok(),
            reason = self.reason(owner) => reason,
        };
        metrics::counter!("pactum_command_takeovers_total", "reason" => reason).increment(1);
        tracing::info!(partition = self.partition, reason, "claiming");
        self.tell(true).await
    }

    /// Waits until this instance should claim, and says why.
    async fn reason(&mut self, owner: Option<String>) -> &'static str {
        tokio::time::sleep_until(self.paused_until).await;
        let (mut assigned, partition) = (self.assigned.clone(), self.partition);
        // What writes histories into a log claims under a name that is no address, and has ended.
        let own = owner.as_deref().filter(|owner| *owner != self.address && is_address(owner));
        let contest = assigned_here(&mut assigned, partition, &mut self.contest, self.detection.contest);
        let watched = async {
            let gone = match own {
                Some(owner) => probe::gone(&self.pool, owner, partition, &self.detection).await,
                None => Gone::Nobody,
            };
            let rank = rank(partition, &self.address, &self.members.borrow(), own);
            // Who said that it stops deciding may have been deposed already, by a claim that is read in a moment.
            let settled = if gone == Gone::Announced { SETTLE } else { Duration::ZERO };
            tokio::time::sleep(settled + self.detection.rank_delay * rank).await;
            gone.name()
        };
        tokio::select! {
            biased;
            () = contest => "assigned",
            reason = watched => reason,
        }
    }

    /// Tells the journal, and waits until it has heard it.
    async fn tell(&mut self, own: bool) -> bool {
        self.journal.own(own);
        self.status.wait_for(|status| status.told == own).await.is_ok()
    }

    async fn changed(&mut self, key: Key) -> bool {
        self.status.wait_for(|status| Key::of(status) != key).await.is_ok()
    }
}

/// Waits until the partition is assigned here and may be claimed for that.
async fn assigned_here(
    assigned: &mut watch::Receiver<BTreeSet<Partition>>,
    partition: Partition,
    contest: &mut Contest,
    first_wait: Duration,
) {
    loop {
        if assigned.borrow_and_update().contains(&partition) {
            let mut taken_away = assigned.clone();
            tokio::select! {
                () = tokio::time::sleep_until(contest.at) => return,
                () = until(&mut taken_away, |assigned| !assigned.contains(&partition)) => {}
            }
        } else {
            // A new assignment is a new reason.
            *contest = Contest { at: Instant::now(), wait: first_wait };
            until(assigned, |assigned| assigned.contains(&partition)).await;
            contest.at = Instant::now();
        }
    }
}

/// Waits until it is so. For ever where nobody assigns any more: what was said last stays.
async fn until(assigned: &mut watch::Receiver<BTreeSet<Partition>>, so: impl FnMut(&BTreeSet<Partition>) -> bool) {
    let ended = assigned.wait_for(so).await.is_err();
    if ended {
        std::future::pending::<()>().await;
    }
}
