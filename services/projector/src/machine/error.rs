//! Why a moment cannot be restored.

use std::io;
use std::sync::Arc;

use pactum_domain::time::Timestamp;
use pactum_events::DecodeError;
use pactum_journal::FollowError;
use pactum_store::StoreError;
use pactum_views::RowError;

use crate::store::ViewStoreError;

/// A sequence or time that is no moment of the program's history, or cannot be found now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MomentError {
    #[error("the history ends at sequence {sequence}")]
    FutureSequence { sequence: u64 },
    #[error("it is {now}, not yet {asked}")]
    FutureTime { asked: Timestamp, now: Timestamp },
    #[error("the history begins with sequence {first}")]
    BeforeProgram { first: u64 },
    #[error("there is no such program")]
    NoProgram,
    #[error("the view is at sequence {sequence}")]
    Behind { sequence: u64 },
    #[error("the view has stopped: {why}")]
    Stopped { why: Arc<str> },
    #[error(transparent)]
    Rows(#[from] RowError),
    #[error("the view's place in the log cannot be read")]
    Store(#[from] ViewStoreError),
    #[error(transparent)]
    Log(#[from] FollowError),
    #[error("the log no longer keeps its beginning: {why}")]
    NotKept { why: String },
    #[error("the record at offset {offset} cannot be read")]
    Record { offset: u64, source: DecodeError },
}

/// A view that cannot be restored as of a moment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MachineError {
    #[error("too many moments are being restored")]
    Busy,
    #[error("the deadline passed while the moment was being restored")]
    NotReady,
    #[error("the projector stops")]
    Stopping,
    #[error("restoring ended in a panic")]
    Panicked,
    #[error("the log cannot be read")]
    Log(#[from] FollowError),
    #[error("the log no longer keeps its beginning: {why}")]
    NotKept { why: String },
    /// Which record, and why, as the fold has it.
    #[error("{0}")]
    Fold(String),
    #[error("the restored view is at sequence {found}, not at {expected}")]
    Elsewhere { expected: u64, found: u64 },
    #[error(transparent)]
    Rows(#[from] RowError),
    #[error("the restored view cannot be used")]
    Store(#[from] ViewStoreError),
    #[error("the files of the restored view are damaged: {why}")]
    Damaged { why: String },
    #[error("the directory for restored views cannot be used")]
    Directory(#[from] io::Error),
}

impl From<StoreError> for MachineError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

impl MachineError {
    /// What is wrong with the files that it was made from, if that is why.
    pub(super) fn damage(&self) -> Option<String> {
        match self {
            Self::Damaged { why } => Some(why.clone()),
            Self::Store(error) => error.damage(),
            _ => None,
        }
    }
}

/// A checkpoint that was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckpointError {
    #[error(transparent)]
    Store(#[from] ViewStoreError),
    #[error(transparent)]
    Rows(#[from] RowError),
    #[error("the checkpoint's files cannot be written")]
    Files(#[from] io::Error),
}

impl From<StoreError> for CheckpointError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}
