//! What an instance is told about the others, and how patient it is with them.

use std::collections::BTreeSet;
use std::time::Duration;

use pactum_log::Partition;
use tokio::sync::watch;
use tonic_health::server::HealthReporter;

/// The other instances of the command role over the same log, as far as anybody knows.
#[derive(Clone, Debug)]
pub struct Peers {
    /// The partitions that this instance should own for the sake of balance.
    pub assigned: watch::Receiver<BTreeSet<Partition>>,
    /// The addresses of the instances that are there, with or without this one's own.
    pub members: watch::Receiver<Vec<String>>,
    /// Where this instance says which partitions it decides on; served beside the role's services.
    pub health: HealthReporter,
    /// How patient to be.
    pub detection: Detection,
}

/// When an owner counts as gone, and what follows. Too short costs needless changes of owner, too long costs waiting; no
/// value can cost an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// How often an owner's connection is asked for a sign of life.
    pub ping_interval: Duration,
    /// How long it may take to give one.
    pub ping_timeout: Duration,
    /// After a connection to the owner broke or was refused, how long until it must serve again.
    pub broken: Duration,
    /// How long an owner that was never seen serving may take to.
    pub silence: Duration,
    /// What each place in the order of claimants waits longer than the one before, so that usually one claims.
    pub rank_delay: Duration,
    /// The wait before a claim that failed is repeated.
    pub claim_pause: Duration,
    /// When a partition assigned to this instance was taken by another, the wait before it is claimed back; doubled each time.
    pub contest: Duration,
    /// The longest such wait.
    pub contest_max: Duration,
    /// How long a clean stop waits for others to take over.
    pub handover: Duration,
    /// How many commands may be on their way elsewhere, or wait for an owner, at once.
    pub away: usize,
}

impl Default for Detection {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_millis(400),
            ping_timeout: Duration::from_millis(800),
            broken: Duration::from_millis(250),
            silence: Duration::from_secs(2),
            rank_delay: Duration::from_millis(150),
            claim_pause: Duration::from_millis(500),
            contest: Duration::from_secs(10),
            contest_max: Duration::from_secs(600),
            handover: Duration::from_secs(1),
            away: 4096,
        }
    }
}
