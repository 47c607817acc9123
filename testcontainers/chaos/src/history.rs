//! What clients saw: every request with when it was asked, when it was answered, and with what.
//!
//! Times are taken from one monotonic clock of the process that makes the load, so that "was answered before the other was
//! asked" is a fact and no guess. Nothing here comes from the system under test but the answers.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use pactum_api::Caller;
use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_ids::{DealId, ProgramId};

/// Nanoseconds since the load began, on one monotonic clock.
pub type Time = u64;

/// The clock of a load.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Instant);

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Time {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(Time::MAX)
    }
}

/// Everything that the clients of a load asked and were answered.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Commands, in the order in which they ended.
    pub commands: Vec<CommandCall>,
    /// Reads that were answered, in the order in which they ended.
    pub reads: Vec<ReadCall>,
    /// Reads that got no answer: the view was behind for too long, or nobody served it.
    pub failed_reads: u64,
    /// When the load began.
    pub began: Time,
    /// When its last client ended.
    pub ended: Time,
}

/// A command as its client saw it: one request, sent as often as it took.
#[derive(Clone, Debug)]
pub struct CommandCall {
    /// Which client.
    pub client: u32,
    /// Who asked.
    pub caller: Arc<Caller>,
    /// What was asked, with a request id always.
    pub request: Arc<Request>,
    /// When it was first sent.
    pub first_invoked: Time,
    /// When it was sent the time that brought the outcome.
    pub invoked: Time,
    /// When the outcome was known.
    pub returned: Time,
    /// How often it was sent.
    pub attempts: u32,
    /// An earlier attempt ended without saying what became of it, so it may take effect whatever a later one was told.
    pub doubtful: bool,
    /// What came of it.
    pub outcome: Outcome,
}

impl CommandCall {
    /// The program that it was for.
    #[must_use]
    pub fn program(&self) -> &ProgramId {
        &self.caller.program
    }
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered.
    Answered {
        /// The program's sequence in the answer.
        sequence: u64,
        /// The resource in the answer, encoded.
        resource: Bytes,
    },
    /// It was refused by the rules.
    Refused(Refused),
    /// Every attempt was answered that nothing was appended.
    NotTaken {
        /// The reason that the last attempt was given.
        reason: String,
    },
    /// It was given up without knowing.
    Unknown {
        /// What the last attempt ended with.
        why: String,
    },
}

/// A refusal, as a status carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The gRPC code.
    pub code: i32,
    /// The stable reason.
    pub reason: String,
    /// The message.
    pub message: String,
}

/// A read as its client saw it.
#[derive(Clone, Debug)]
pub struct ReadCall {
    /// Which client.
    pub client: u32,
    /// Who asked.
    pub caller: Arc<Caller>,
    /// The sequence that the answer had to hold.
    pub min_sequence: u64,
    /// When it was sent.
    pub invoked: Time,
    /// When it was answered.
    pub returned: Time,
    /// The answer.
    pub answer: ReadAnswer,
}

/// What a read was answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadAnswer {
    /// A deal; `None` where it was not found.
    Deal {
        /// Which was asked for.
        id: DealId,
        /// What the answer says it holds; 0 where the deal was not found.
        sequence: u64,
        /// The deal.
        seen: Option<SeenDeal>,
    },
    /// The deals that changed last, newest change first.
    Newest {
        /// How many were asked for.
        page: usize,
        /// What the answer says it holds.
        sequence: u64,
        /// The deals.
        seen: Vec<SeenDeal>,
    },
    /// Counts and sums of all deals by state.
    Pipeline {
        /// What the answer says it holds.
        sequence: u64,
        /// A row a state, in order of the states' numbers.
        groups: Vec<Group>,
    },
}

impl ReadAnswer {
    /// What the answer says it holds.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Deal { sequence, .. } | Self::Newest { sequence, .. } | Self::Pipeline { sequence, .. } => *sequence,
        }
    }
}

/// A deal in an answer: enough to tell it from any other, and to name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenDeal {
    /// Its resource name.
    pub name: String,
    /// Its etag.
    pub etag: String,
    /// A hash of the whole message.
    pub digest: [u8; 16],
}

/// A row of a pipeline by state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The state's number in the contract.
    pub state: i32,
    /// How many deals.
    pub deals: u64,
    /// How many of them ever met a conflict.
    pub conflicted: u64,
    /// Currency, how many deals have an amount in it, and their sum, by currency.
    pub amounts: Vec<(String, u64, i64)>,
}
