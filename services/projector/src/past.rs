//! What callers are told when the past cannot be answered from.

use std::time::Duration;

use pactum_api::error;
use pactum_api::query::AsOf;
use pactum_domain::rejection::Rejection;
use pactum_journal::FollowError;
use pactum_log::LogError;
use tonic::Status;

use crate::fold::chain;
use crate::machine::{MachineError, MomentError};
use crate::queries::unreadable;

/// The moment that a page after the first is of: that of the first, which its token names. A time may since have come to mean
/// a later moment, by records that were on their way to the log; a sequence always means the same.
pub(crate) fn of_page(as_of: AsOf, page: u64, found: u64) -> Result<AsOf, Status> {
    match as_of {
        AsOf::Time(_) if page < found => Ok(AsOf::Sequence(page)),
        AsOf::Time(_) | AsOf::Sequence(_) => {
            let why = "it belongs to another moment; repeat the query it came from, with the same as_of";
            Err(error::invalid_page_token(why))
        }
    }
}

/// There is no such moment, or it cannot be found. `view` is the one that was searched.
pub(crate) fn no_moment(moment_error: &MomentError, as_of: AsOf, view: &'static str) -> Status {
    let sequence_asked = match as_of {
        AsOf::Sequence(sequence) => sequence,
        AsOf::Time(_) => 0,
    };
    match moment_error {
        MomentError::FutureSequence { sequence } => error::as_of_future_sequence(sequence_asked, *sequence),
        MomentError::FutureTime { asked, now } => error::as_of_future_time(*asked, *now),
        MomentError::BeforeProgram { first } => error::as_of_before_program(*first),
        MomentError::NoProgram => error::rejected(&Rejection::ProgramNotFound),
        MomentError::Behind { sequence } => error::view_behind(sequence_asked, *sequence),
        MomentError::Stopped { why } => error::view_stopped(view, why),
        MomentError::Rows(error) => unreadable(error),
        MomentError::Store(_) => internal(moment_error),
        MomentError::Log(error) => unreadable_log(error),
        MomentError::NotKept { why } => error::as_of_not_kept(why),
        MomentError::Record { .. } => error::data_corrupt(&chain(moment_error)),
    }
}

/// The view could not be restored.
pub(crate) fn not_restored(machine_error: &MachineError, view: &'static str, retry_after: Duration) -> Status {
    match machine_error {
        MachineError::Busy => error::as_of_busy(retry_after),
        MachineError::NotReady => error::as_of_not_ready(retry_after),
        MachineError::Stopping => error::not_serving("the server stops; ask another, or come again"),
        MachineError::Log(error) => unreadable_log(error),
        MachineError::NotKept { why } => error::as_of_not_kept(why),
        MachineError::Fold(why) => error::view_stopped(view, why),
        MachineError::Rows(error) => unreadable(error),
        MachineError::Panicked
        | MachineError::Elsewhere { .. }
        | MachineError::Store(_)
        | MachineError::Damaged { .. }
        | MachineError::Directory(_) => internal(machine_error),
    }
}

fn internal(cause: &dyn std::error::Error) -> Status {
    tracing::error!(why = chain(cause), "the past cannot be restored");
    error::internal("the past cannot be restored; see the server's log")
}

/// The log cannot be read.
pub(crate) fn unreadable_log(follow_error: &FollowError) -> Status {
    let why = chain(follow_error);
    match follow_error {
        FollowError::Log { source: LogError::Corrupt(_), .. } | FollowError::Entry { .. } => error::data_corrupt(&why),
        FollowError::Log { .. } => error::log_unavailable(&why),
        FollowError::Genesis { .. } => error::internal(&why),
    }
}
