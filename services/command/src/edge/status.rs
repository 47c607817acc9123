//! What the machine and the journal say, as statuses. Exhaustive: a new way to fail does not compile until it has a code.

use pactum_api::error;
use pactum_journal::{CommandError, Fault, SubmitError};
use pactum_log::LogError;
use tonic::Status;

use crate::answer::Refusal;

/// The command was refused; nothing was appended.
pub(crate) fn refused(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Rejected(rejection) => error::rejected(&rejection),
        Refusal::RequestIdReused(id) => error::request_id_reused(id.as_str()),
        Refusal::Unfoldable(why) => error::internal(&why),
    }
}

/// Why there is no answer of the machine's.
#[derive(Debug)]
pub(crate) enum NoAnswer {
    /// What the caller is told.
    Final(Status),
    /// Nothing was appended here, certainly, and another instance may decide; this is for where there is none.
    Elsewhere(Status),
}

impl From<Status> for NoAnswer {
    fn from(status: Status) -> Self {
        Self::Final(status)
    }
}

impl NoAnswer {
    pub(crate) fn status(&self) -> &Status {
        match self {
            Self::Final(status) | Self::Elsewhere(status) => status,
        }
    }

    pub(crate) fn into_status(self) -> Status {
        match self {
            Self::Final(status) | Self::Elsewhere(status) => status,
        }
    }
}

/// The command was not taken; nothing was appended.
pub(crate) fn not_taken(error: SubmitError) -> NoAnswer {
    match error {
        SubmitError::QueueFull { retry_after } => NoAnswer::Final(error::queue_full(retry_after)),
        SubmitError::NotOwner { owner } => NoAnswer::Elsewhere(not_owner(owner.as_deref())),
        SubmitError::LogUnavailable(log) => NoAnswer::Elsewhere(log_error(&log)),
        SubmitError::Failed(fault) => NoAnswer::Final(failed(&fault)),
        SubmitError::Stopped => NoAnswer::Elsewhere(stopping()),
    }
}

/// The command was taken, and there is no answer.
pub(crate) fn no_answer(error: CommandError) -> NoAnswer {
    NoAnswer::Final(match error {
        CommandError::NotOwner { owner } => return NoAnswer::Elsewhere(not_owner(owner.as_deref())),
        CommandError::LogUnavailable(log) => return NoAnswer::Elsewhere(log_error(&log)),
        CommandError::Stopped => return NoAnswer::Elsewhere(stopping()),
        CommandError::OutcomeUnknown => error::outcome_unknown(),
        CommandError::NotDecided => error::not_decided(),
        CommandError::TooLarge { bytes, limit } => error::too_large(bytes, limit),
        CommandError::Failed(fault) => failed(&fault),
    })
}

/// This process is going away.
pub(crate) fn stopping() -> Status {
    error::not_serving("this process is stopping")
}

/// The machine answered with a resource of another kind than the request's: a bug.
pub(crate) fn other_kind() -> Status {
    error::internal("the answer is not of the kind that was asked for")
}

fn not_owner(owner: Option<&str>) -> Status {
    match owner {
        Some(owner) => error::not_serving(&format!("the program is served by {owner}")),
        None => error::not_serving("the program is not served yet; this process is starting"),
    }
}

fn log_error(log: &LogError) -> Status {
    match log {
        LogError::Full(why) => error::log_full(why),
        LogError::TooLarge { bytes, limit } => error::too_large(*bytes, *limit),
        LogError::NoSuchPartition { .. }
        | LogError::Busy
        | LogError::Unavailable(_)
        | LogError::Corrupt(_)
        | LogError::Closed => error::log_unavailable(&log.to_string()),
    }
}

/// What stopped the partition is for its operators: it is in the health and the log, and may name other tenants.
fn failed(_: &Fault) -> Status {
    error::not_serving("the program's partition has stopped and waits for an operator")
}
