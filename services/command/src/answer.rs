//! What a command is answered with.

use std::sync::Arc;

use pactum_domain::command::Command;
use pactum_domain::deal::Deal;
use pactum_domain::event::AnyEvent;
use pactum_domain::model::Model;
use pactum_domain::opportunity::Opportunity;
use pactum_domain::partner::Partner;
use pactum_domain::program::Program;
use pactum_domain::rejection::Rejection;
use pactum_domain::time::Timestamp;
use pactum_ids::{DealId, OpportunityId, PartnerId, RequestId};

/// The decision on one command.
pub type Answer = Result<Done, Refusal>;

/// The command took effect, or what it asks for held already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The resource as the command left it; as it would be, where the command was only to be validated.
    pub resource: Resource,
    /// The program's last sequence then. A query that waits for it sees the effect.
    pub sequence: u64,
    /// When the log took it. What a resource shows may depend on the time: which policy is in force.
    pub at: Timestamp,
}

/// Why a command had no effect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The domain's rules do not allow it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The caller has used this request id for something else.
    #[error("the request id was used before, for another request")]
    RequestIdReused(RequestId),
    /// The domain decided on events that it cannot fold: a bug. Nothing was appended.
    #[error("the decision cannot be folded: {0}")]
    Unfoldable(String),
}

/// A snapshot of the resource that a command names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The program itself.
    Program(Arc<Program>),
    /// A partner.
    Partner(Arc<Partner>),
    /// A deal.
    Deal(Arc<Deal>),
    /// A vendor's opportunity.
    Opportunity(Arc<Opportunity>),
}

/// Which aggregate of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Program,
    Partner(PartnerId),
    Deal(DealId),
    Opportunity(OpportunityId),
}

impl Target {
    pub(crate) fn of_command(command: &Command) -> Self {
        match command {
            Command::Program(_) => Self::Program,
            Command::Partner(id, _) => Self::Partner(id.clone()),
            Command::Deal(id, _) => Self::Deal(id.clone()),
            Command::Opportunity(id, _) => Self::Opportunity(id.clone()),
        }
    }

    /// Whether an event is of this aggregate.
    pub(crate) fn has(&self, event: &AnyEvent) -> bool {
        match (self, event) {
            (Self::Program, AnyEvent::Program(_)) => true,
            (Self::Partner(id), AnyEvent::Partner(of, _)) => id == of,
            (Self::Deal(id), AnyEvent::Deal(of, _)) => id == of,
            (Self::Opportunity(id), AnyEvent::Opportunity(of, _)) => id == of,
            (Self::Program | Self::Partner(_) | Self::Deal(_) | Self::Opportunity(_), _) => false,
        }
    }

    /// The aggregate as it stands; `None` where it does not exist.
    pub(crate) fn find(&self, model: &Model) -> Option<Resource> {
        match self {
            Self::Program => model.program().cloned().map(Resource::Program),
            Self::Partner(id) => model.partner(id).cloned().map(Resource::Partner),
            Self::Deal(id) => model.deal(id).cloned().map(Resource::Deal),
            Self::Opportunity(id) => model.opportunity(id).cloned().map(Resource::Opportunity),
        }
    }
}

impl Resource {
    /// The aggregate that an event is of, as it stands; `None` where it does not exist.
    pub(crate) fn of_event(event: &AnyEvent, model: &Model) -> Option<Self> {
        match event {
            AnyEvent::Program(_) => model.program().cloned().map(Self::Program),
            AnyEvent::Partner(id, _) => model.partner(id).cloned().map(Self::Partner),
            AnyEvent::Deal(id, _) => model.deal(id).cloned().map(Self::Deal),
            AnyEvent::Opportunity(id, _) => model.opportunity(id).cloned().map(Self::Opportunity),
        }
    }

    /// How many events made it what it is.
    #[must_use]
    pub fn version(&self) -> u64 {
        match self {
            Self::Program(program) => program.version,
            Self::Partner(partner) => partner.version,
            Self::Deal(deal) => deal.version,
            Self::Opportunity(opportunity) => opportunity.version,
        }
    }
}
