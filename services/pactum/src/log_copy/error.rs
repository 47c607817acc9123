//! Why a log was not copied, and what to do.

use pactum_events::DecodeError;
use pactum_journal::{BulkError, FollowError};
use pactum_log::embedded::OpenError;
use pactum_log::kafka::KafkaError;
use pactum_log::{LogError, Offset, Partition};
use pactum_runtime::config::ConfigError;

/// Why a log was not copied, and what to do. What was written until then stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogCopyError {
    /// A configuration that names a log cannot be used.
    #[error("the log cannot be found by its configuration")]
    Config(#[from] ConfigError),
    /// There is no history where one was expected.
    #[error("{place} holds no log; name the data directory or the topic that a system has used")]
    Missing { place: String },
    /// Another process has the embedded log open.
    #[error("the log of {place} is in use; stop the system that uses it, then run this again")]
    InUse { place: String },
    /// The embedded log cannot be opened.
    #[error("the log of {place} cannot be opened")]
    Embedded { place: String, source: OpenError },
    /// The topic cannot be used.
    #[error("the log of {place} cannot be reached")]
    Kafka { place: String, source: KafkaError },
    /// The topic would lose what is copied into it.
    #[error("{place} is not fit to be a log: {findings}")]
    Topic { place: String, findings: String },
    /// Both names mean one log.
    #[error("--from and --to are the same log, {place}; name an empty place to copy to")]
    SameLog { place: String },
    /// The target is there, with another number of partitions.
    #[error("{place} has {found} partitions, not {asked}; leave --partitions out, or name a place that is empty")]
    Partitions { place: String, found: u32, asked: u32 },
    /// The target has been written to by something else.
    #[error("{place} has been used already, last by {owner:?}; name an empty place to copy to")]
    NotEmpty { place: String, owner: String },
    /// The target is a copy of something else.
    #[error("{place} holds a copy of log {found:032x}, which is not the source; name an empty place to copy to")]
    OtherSource { place: String, found: u128 },
    /// Something else writes to the target.
    #[error("something writes to {place}; stop it, then run this again")]
    NotQuiet { place: String },
    /// A partition cannot be read, or holds something that is no entry.
    #[error("{place} cannot be read")]
    Read { place: String, source: FollowError },
    /// A partition's end cannot be learnt.
    #[error("{place} cannot be asked for the end of partition {partition}")]
    End { place: String, partition: Partition, source: LogError },
    /// A record cannot be read.
    #[error(
        "{place}: the record at offset {offset} of partition {partition} cannot be read, so nothing after it is copied"
    )]
    Record { place: String, partition: Partition, offset: Offset, source: DecodeError },
    /// A record lies where its program does not belong.
    #[error(
        "{place}: the record at offset {offset} of partition {partition} is of program {program}, which belongs into \
         partition {belongs}; no version of pactum writes that: compare the log with a backup"
    )]
    Misplaced { place: String, partition: Partition, offset: Offset, program: String, belongs: Partition },
    /// A program's records do not follow each other.
    #[error(
        "{place}: the record at offset {offset} of partition {partition} is of program {program} and starts at sequence \
         {found} where {expected} is next; no version of pactum writes that: compare the log with a backup"
    )]
    Gap { place: String, partition: Partition, offset: Offset, program: String, found: u64, expected: u64 },
    /// The target does not take the records.
    #[error("{place} cannot be written; what was copied stays: see to the cause, then run the same command again")]
    Write { place: String, source: BulkError },
    /// The user stopped it.
    #[error("stopped after {copied} records; run the same command again to go on")]
    Interrupted { copied: u64 },
    /// The two logs do not hold the same.
    #[error("{place} does not hold what the source holds: {differences}; do not use it")]
    Differs { place: String, differences: String },
    /// A task of the copy panicked.
    #[error("a part of the copy ended by a fault of its own; please report this, then run the same command again")]
    Panicked,
}
