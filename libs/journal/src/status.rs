//! What a journal tells about itself.

use pactum_log::{LogError, Offset};

use crate::error::{Fault, SubmitError};
use crate::validity::Skipped;

/// What an instance is to its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reading what was there when it started.
    CatchingUp,
    /// Reading along.
    Standby,
    /// Waiting to read its own claim.
    Claiming,
    /// Deciding.
    Owner,
    /// Stopped at something it cannot read or fold, see [`Status::fault`].
    Failed,
    /// Shut down.
    Stopped,
}

/// A journal's state, published when it changes: at once for the role, at the next tick for figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What this instance is to the partition.
    pub role: Role,
    /// Whether it is told to own it.
    pub told: bool,
    /// Another instance took the partition, or was there first, since this one was last told to own it.
    pub deposed: bool,
    /// The term in force.
    pub term: Option<Offset>,
    /// The address of its owner.
    pub owner: Option<String>,
    /// The offset to read next.
    pub offset: Offset,
    /// The log's end when last heard of; never below `offset`.
    pub end: Offset,
    /// Commands waiting to be decided inside the journal (the queue in front of it not counted).
    pub waiting: usize,
    /// Records in flight.
    pub in_flight: usize,
    /// Valid claims read, anyone's.
    pub terms: u64,
    /// Entries without effect.
    pub skipped: Skipped,
    /// Why the log takes no records, while it does not.
    pub log_error: Option<LogError>,
    /// Why the log could not be read last, until it can.
    pub read_error: Option<LogError>,
    /// What stopped the partition.
    pub fault: Option<Fault>,
    /// Why a command would be refused now.
    pub refusing: Option<SubmitError>,
}

impl Status {
    /// How many offsets lie between the last one read and the log's end.
    pub fn lag(&self) -> u64 {
        self.end.saturating_sub(self.offset)
    }
}
