//! Why a history was not generated, and what to do.

use pactum_command::Refusal;
use pactum_domain::time::Timestamp;
use pactum_events::DecodeError;
use pactum_ids::ProgramId;
use pactum_journal::{BulkError, FollowError};
use pactum_log::{LogError, Offset, Partition};

use crate::log_copy::LogCopyError;

/// Why a history was not generated, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenerateError {
    /// The log cannot be named or opened.
    #[error(transparent)]
    Place(#[from] LogCopyError),
    /// The log has another number of partitions than asked for.
    #[error("{place} has {found} partitions, not {asked}; leave --partitions out, or name a place that is empty")]
    Partitions { place: String, found: u32, asked: u32 },
    /// A program of that name is there.
    #[error(
        "programs/{program} is in {place} already, with {events} events up to {last}; give another --program. Where it is what \
         a generation left behind that was cut off, remove that data directory or topic and generate again"
    )]
    Exists { program: ProgramId, place: String, events: u64, last: Timestamp },
    /// The end lies ahead.
    #[error("--until {until} lies ahead; history ends now at the latest")]
    Ahead { until: Timestamp },
    /// The beginning lies before all business.
    #[error("a history of {years} years that ends on {until} begins before 1900; ask for fewer --years")]
    TooEarly { years: u32, until: Timestamp },
    /// The partners alone take most of the events.
    #[error("{events} events are too few for {partners} partners, who take about six each; ask for fewer --partners")]
    TooFewEvents { events: u64, partners: u32 },
    /// A name that is no program's.
    #[error("--program: {why}; write programs/acme")]
    Program { why: String },
    /// A command that the rules should allow was refused.
    #[error(
        "the rules refused what the generator asked at {at}, {command}; please report this, with the arguments given"
    )]
    Refused { at: Timestamp, command: String, source: Box<Refusal> },
    /// A lapse that fell due took no effect.
    #[error("a protection that fell due at {at} did not lapse; please report this, with the arguments given")]
    NotLapsed { at: Timestamp },
    /// The log cannot be asked for its end.
    #[error("{place} cannot be asked for the end of partition {partition}")]
    End { place: String, partition: Partition, source: LogError },
    /// The log cannot be read.
    #[error("{place} cannot be read")]
    Read { place: String, source: FollowError },
    /// The log holds a record that cannot be read.
    #[error("{place}: the record at offset {offset} of partition {partition} cannot be read")]
    Record { place: String, partition: Partition, offset: Offset, source: DecodeError },
    /// What was made cannot be read.
    #[error("a record that was just made cannot be read; please report this, with the arguments given")]
    Made(#[source] DecodeError),
    /// The log does not take the records.
    #[error(
        "{place} cannot be written; a part of the history is in it: see to the cause, remove that data directory or topic and \
         generate again"
    )]
    Write { place: String, source: BulkError },
    /// The user stopped it.
    #[error(
        "stopped after {records} records; a part of the history is in {place}: remove that data directory or topic and \
         generate again"
    )]
    Interrupted { records: u64, place: String },
    /// A part of the generator panicked.
    #[error("a part of the generator ended by a fault of its own; please report this, with the arguments given")]
    Panicked,
}
