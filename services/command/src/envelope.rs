//! A command on its way to the program that decides it.

use pactum_domain::actor::Actor;
use pactum_domain::command::Command;
use pactum_domain::time::Timestamp;
use pactum_events::Request;
use pactum_ids::ProgramId;
use smol_str::SmolStr;

/// A command with who asks and why. Everything random or timed (ids, hashes) was made before, at the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The program that decides.
    pub program: ProgramId,
    /// What is asked.
    pub command: Command,
    /// Who asks.
    pub actor: Actor,
    /// When it happened in the world; when the log takes it where `None`.
    pub occurred_at: Option<Timestamp>,
    /// The version of the resource that the caller has seen, from its etag.
    pub expected_version: Option<u64>,
    /// The caller's id for this request, and what it says.
    pub request: Option<Request>,
    /// What the caller says this belongs to and came from.
    pub trace: Trace,
    /// Decide and answer, append nothing.
    pub validate_only: bool,
}

impl Envelope {
    /// A command of Pactum itself, because a deadline fell due.
    #[must_use]
    pub fn timer(program: ProgramId, command: Command) -> Self {
        Self {
            program,
            command,
            actor: Actor::timer(),
            occurred_at: None,
            expected_version: None,
            request: None,
            trace: Trace::default(),
            validate_only: false,
        }
    }
}

/// What ties a command to others, for whoever reads the history later. It decides nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// What it belongs to: a business process, a batch.
    pub correlation_id: Option<SmolStr>,
    /// What led to it.
    pub causation_id: Option<SmolStr>,
    /// The W3C trace context.
    pub traceparent: Option<SmolStr>,
}
