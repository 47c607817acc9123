//! What can go wrong, and what it says about the command's effect.

use std::time::Duration;

use pactum_log::{LogError, Offset};

use crate::entry::{EntryError, FORMAT, Genesis};
use crate::machine::FoldError;

/// Why a command was not taken. Nothing was appended for it, certainly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue in front of the partition is full.
    #[error("the command queue is full")]
    QueueFull {
        /// When there will probably be room.
        retry_after: Duration,
    },
    /// Another instance owns the partition, or none does.
    #[error("this instance does not own the partition")]
    NotOwner {
        /// The owner's address, if it is known and not this instance.
        owner: Option<String>,
    },
    /// The log takes no appends now.
    #[error("the log takes no records now")]
    LogUnavailable(#[source] LogError),
    /// The partition stopped at something it cannot read or fold.
    #[error("the partition has stopped")]
    Failed(#[source] Fault),
    /// The journal is shutting down.
    #[error("the journal has stopped")]
    Stopped,
}

/// Why a command that was taken got no answer of the machine's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Its record was in flight when the deadline passed or the journal stopped: it may or may not take effect. Repeat it
    /// with the same request id to know.
    #[error("the outcome is unknown; repeat with the same request id")]
    OutcomeUnknown,
    /// The deadline passed first. Nothing was appended, certainly.
    #[error("the deadline passed before the command took effect")]
    NotDecided,
    /// Another instance took the partition, or this one gave it up. Nothing was appended, certainly.
    #[error("this instance does not own the partition")]
    NotOwner {
        /// The owner's address, if it is known and not this instance.
        owner: Option<String>,
    },
    /// The log takes no records now. Nothing was appended, certainly.
    #[error("the log takes no records now")]
    LogUnavailable(#[source] LogError),
    /// The command's record would be larger than the log takes. Nothing was appended, certainly.
    #[error("the command's record of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// The record's size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The partition stopped at something it cannot read or fold. Nothing was appended, certainly.
    #[error("the partition has stopped")]
    Failed(#[source] Fault),
    /// The journal stopped first. Nothing was appended, certainly.
    #[error("the journal has stopped")]
    Stopped,
}

impl From<SubmitError> for CommandError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::QueueFull { .. } => Self::NotDecided,
            SubmitError::NotOwner { owner } => Self::NotOwner { owner },
            SubmitError::LogUnavailable(error) => Self::LogUnavailable(error),
            SubmitError::Failed(fault) => Self::Failed(fault),
            SubmitError::Stopped => Self::Stopped,
        }
    }
}

/// What stops a partition until an operator or an upgrade helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An entry that cannot be decoded.
    #[error("cannot read the entry at offset {offset}")]
    Entry {
        /// Where it is.
        offset: Offset,
        /// Why.
        source: EntryError,
    },
    /// A valid record that the machine cannot fold.
    #[error("cannot fold the record at offset {offset}")]
    Fold {
        /// Where it is.
        offset: Offset,
        /// Why.
        source: FoldError,
    },
    /// The partition belongs to another log, or to one laid out otherwise.
    #[error("the partition does not fit this configuration")]
    Genesis(#[from] GenesisError),
    /// A record is valid in our own term and we did not write it there. Two processes must be using one claim id.
    #[error("the record at offset {offset} is in our term but not ours")]
    NotOurs {
        /// Where it is.
        offset: Offset,
    },
    /// The log is corrupt, closed, or has no such partition.
    #[error("the log cannot be read")]
    Log(#[source] LogError),
}

/// How a partition's genesis does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// The log was made with another number of partitions.
    #[error("the log was made with {found} partitions, but {expected} are configured")]
    Partitions {
        /// What the genesis says.
        found: u32,
        /// What the log says now.
        expected: u32,
    },
    /// The log was made by a newer program.
    #[error("log format {found} is newer than {FORMAT}, the newest this program reads")]
    Format {
        /// What the genesis says.
        found: u16,
    },
    /// It is not the log that was expected.
    #[error("the partition belongs to log {found:032x}, not {expected:032x}")]
    Log {
        /// What the genesis says.
        found: u128,
        /// What was expected.
        expected: u128,
    },
}

/// Whether a partition that starts with `genesis` can be read here.
pub(crate) fn check_genesis(genesis: &Genesis, partitions: u32, log_id: Option<u128>) -> Result<(), GenesisError> {
    if genesis.format > FORMAT {
        return Err(GenesisError::Format { found: genesis.format });
    }
    if genesis.partitions != partitions {
        return Err(GenesisError::Partitions { found: genesis.partitions, expected: partitions });
    }
    match log_id {
        Some(expected) if expected != genesis.log_id => Err(GenesisError::Log { found: genesis.log_id, expected }),
        _ => Ok(()),
    }
}

/// Whether trying again cannot help.
pub(crate) fn is_final(error: &LogError) -> bool {
    match error {
        LogError::NoSuchPartition { .. } | LogError::Corrupt(_) | LogError::Closed => true,
        LogError::TooLarge { .. } | LogError::Busy | LogError::Full(_) | LogError::Unavailable(_) => false,
    }
}
