//! Why a log could not be opened.

use crate::LogError;
use pactum_store::StoreError;
use std::path::PathBuf;

/// Why an embedded log could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is no log, and none was to be made.
    #[error("{} holds no log", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The log has another number of partitions.
    #[error("the log in {} has {recorded} partitions, not {asked}", path.display())]
    Partitions {
        /// The log.
        path: PathBuf,
        /// What was recorded when it was made.
        recorded: u32,
        /// What was asked for.
        asked: u32,
    },
    /// No log can have this number of partitions.
    #[error("a log has 1 to {limit} partitions, not {asked}")]
    InvalidPartitions {
        /// What was asked for.
        asked: u32,
        /// The most.
        limit: u32,
    },
    /// The log was written by a newer version.
    #[error("the log in {} has format {recorded}, this version knows {known}: use a newer version", path.display())]
    NewerFormat {
        /// The log.
        path: PathBuf,
        /// Its format.
        recorded: u32,
        /// The newest that is known here.
        known: u32,
    },
    /// The file that says what the log is, is damaged or missing.
    #[error("{}: {detail}; restore the log from a backup", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file could not be read or written.
    #[error("{}: {detail}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        detail: String,
    },
    /// The database could not be opened: in use, damaged, full.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is not a log.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// What a failure of the store means for the log.
pub(super) fn from_store(error: StoreError) -> LogError {
    match error {
        StoreError::Full { path, detail } => LogError::Full(format!("{}: {detail}", path.display())),
        StoreError::Corrupt { .. } | StoreError::Missing { .. } | StoreError::UnknownKeyspace { .. } => {
            LogError::Corrupt(error.to_string())
        }
        StoreError::Locked { .. }
        | StoreError::ForeignKeyspaces { .. }
        | StoreError::NotRebuildable { .. }
        | StoreError::Io { .. } => LogError::Unavailable(error.to_string()),
    }
}
