//! Why a question about the past cannot be answered.

use std::time::Duration;

use pactum_domain::time::Timestamp;
use tonic::Status;

use super::{Failure, Reason};

/// The moment has not come: a sequence that the log does not have, held against the one it has.
#[must_use]
pub fn as_of_future_sequence(asked: u64, sequence: u64) -> Status {
    let message = format!("the program's history ends at sequence {sequence}, as of {asked} was asked for");
    Failure::new(Reason::AS_OF_FUTURE, message).with("as_of", asked).with("sequence", sequence).status()
}

/// The moment has not come: a time later than this server's clock.
#[must_use]
pub fn as_of_future_time(asked: Timestamp, now: Timestamp) -> Status {
    let message = format!("as of {asked} was asked for, and it is {now}");
    Failure::new(Reason::AS_OF_FUTURE, message).with("as_of", asked).with("now", now).status()
}

/// The moment lies before the command that created the program was recorded; `first` is the first sequence to ask for.
#[must_use]
pub fn as_of_before_program(first: u64) -> Status {
    let message = format!("the program did not exist then; its history begins with sequence {first}");
    Failure::new(Reason::AS_OF_BEFORE_PROGRAM, message).with("first_sequence", first).status()
}

/// The log no longer keeps what the moment would be restored from; `why` says so itself.
#[must_use]
pub fn as_of_not_kept(why: &str) -> Status {
    Failure::new(Reason::AS_OF_NOT_KEPT, format!("the moment can no longer be restored: {why}")).status()
}

/// More moments are being restored than may be at once.
#[must_use]
pub fn as_of_busy(retry_after: Duration) -> Status {
    let message = "too many moments are being restored; try again shortly";
    Failure::new(Reason::AS_OF_BUSY, message).retry_after(retry_after).status()
}

/// The deadline passed while the moment was being restored, which goes on.
#[must_use]
pub fn as_of_not_ready(retry_after: Duration) -> Status {
    let message = "the deadline passed while the moment was being restored; that goes on, so ask again";
    Failure::new(Reason::AS_OF_NOT_READY, message).retry_after(retry_after).status()
}
