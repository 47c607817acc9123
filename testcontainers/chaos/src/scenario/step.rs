//! What a scenario is made of.

use std::fmt;
use std::time::Duration;

/// What a scenario runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cluster {
    /// `pactum serve` on the embedded log.
    Embedded,
    /// `pactum command` and `pactum projector` on three brokers.
    Kafka {
        /// How many command processes.
        commands: usize,
        /// How many projectors.
        projectors: usize,
        /// Gives every broker a disk of its own, of so many MiB, that can be filled.
        disk_mib: Option<u32>,
    },
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The load goes on until every program has had so many answers more.
    Answers(u64),
    /// The load goes on for a time between these, by the seed.
    Load(Duration, Duration),
    /// Something is done to something.
    Do(Action, Target),
    /// Everything that is down is started again, brokers together, and waited for.
    StartAll,
    /// Waits until every broker is in sync again, as an operator does before the next fault.
    Whole,
    /// Every program has to answer again within this time. Not to is a violation.
    Progress(Duration),
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `kill -9`.
    Kill,
    /// SIGTERM, and its end.
    Terminate,
    /// SIGSTOP.
    Pause,
    /// SIGCONT.
    Resume,
    /// Start again, and wait until it is ready.
    Start,
    /// Nothing goes through any more, and nobody is told.
    Cut,
    /// Everything goes through again.
    Heal,
    /// Its disk is full.
    Fill,
    /// Its disk has room again.
    Free,
}

/// To what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The only process of an embedded system.
    Serve,
    /// A command process.
    Command(usize),
    /// The command process that owns a partition then.
    Owner(u32),
    /// A projector.
    Projector(usize),
    /// A broker.
    Broker(usize),
    /// The broker that leads a partition then.
    Leader(u32),
    /// What the step before was about, whoever that was.
    Same,
    /// The network between a command process and the brokers; of the owner of a partition then.
    OwnersBrokers(u32),
    /// The network between a command process and the other command processes; of the owner of a partition then.
    OwnersPeers(u32),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kill => "kill -9 of",
            Self::Terminate => "SIGTERM to",
            Self::Pause => "SIGSTOP to",
            Self::Resume => "SIGCONT to",
            Self::Start => "start of",
            Self::Cut => "cut of",
            Self::Heal => "end of the cut of",
            Self::Fill => "full disk of",
            Self::Free => "room again on the disk of",
        })
    }
}

impl Action {
    /// Whether it breaks something, rather than mend it.
    #[must_use]
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Kill | Self::Terminate | Self::Pause | Self::Cut | Self::Fill)
    }
}

/// How long everything may take to work again after the brokers had no majority.
pub(super) fn after_an_outage() -> Duration {
    Duration::from_secs(60)
}
