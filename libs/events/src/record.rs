//! A record: one command's whole effect, with who asked and why.

use pactum_domain::actor::Actor;
use pactum_domain::event::{AnyEvent, Moment};
use pactum_domain::time::Timestamp;
use pactum_ids::{ProgramId, RequestId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The whole effect of one command. It is atomic because it is one entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The program it belongs to.
    pub program: ProgramId,
    /// The place of its first event in the program's gapless order, from 1. The others follow it.
    pub sequence: u64,
    /// When the log took it; never going back within a program.
    pub recorded_at: Timestamp,
    /// Who asked.
    pub actor: Actor,
    /// The caller's id for the request, where it gave one.
    pub request: Option<Request>,
    /// What the caller says this belongs to: a business process, a chat, a batch.
    pub correlation_id: Option<SmolStr>,
    /// What the caller says led to this.
    pub causation_id: Option<SmolStr>,
    /// The W3C trace context of the command.
    pub traceparent: Option<SmolStr>,
    /// The policy version the command was decided under; 0 where none was in force.
    pub policy_version: u32,
    /// What happened, in order.
    pub events: Vec<Recorded>,
}

/// A caller's id for a request, and what the request said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The caller's id.
    pub id: RequestId,
    /// A hash of what was asked, without the id: the same id with another content is an error of the caller.
    pub content_hash: [u8; 16],
}

/// An event of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What happened, and to which aggregate.
    pub event: AnyEvent,
    /// The number of this event among its aggregate's events, from 1.
    pub aggregate_version: u64,
    /// When it happened in the world.
    pub occurred_at: Timestamp,
}

impl Record {
    /// The sequence of its last event; the one before its first where it has none.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        (self.sequence + self.events.len() as u64).saturating_sub(1)
    }

    /// Its events, each with its sequence and times.
    pub fn moments(&self) -> impl Iterator<Item = (Moment, &Recorded)> {
        self.events.iter().zip(self.sequence..).map(|(recorded, sequence)| {
            let moment = Moment { occurred_at: recorded.occurred_at, recorded_at: self.recorded_at, sequence };
            (moment, recorded)
        })
    }
}
