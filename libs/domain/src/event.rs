//! Every event of every aggregate, with the aggregate it belongs to.

use pactum_ids::{DealId, OpportunityId, PartnerId};
use smol_str::SmolStr;

use crate::time::Timestamp;
use crate::{deal, opportunity, partner, program};

/// An event and the aggregate it happened to. The program is known from the record around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnyEvent {
    /// Of the program itself.
    Program(program::Event),
    /// Of a partner.
    Partner(PartnerId, partner::Event),
    /// Of a deal.
    Deal(DealId, deal::Event),
    /// Of a vendor's opportunity.
    Opportunity(OpportunityId, opportunity::Event),
}

/// An event that does not follow from the state it meets: the history is damaged, foreign or from a newer version. The fold
/// stops at it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvolveError {
    /// It happened to something that was never created.
    #[error("an event of {kind} {id}, which was never created")]
    Unknown {
        /// `program`, `partner`, `deal` or `opportunity`.
        kind: &'static str,
        /// Its id.
        id: SmolStr,
    },
    /// It creates what is there already.
    #[error("{kind} {id} is created twice")]
    Twice {
        /// `program`, `partner`, `deal` or `opportunity`.
        kind: &'static str,
        /// Its id.
        id: SmolStr,
    },
    /// The policy it carries cannot be read.
    #[error("a published policy cannot be read")]
    Policy(#[from] crate::policy::InvalidPolicy),
}

/// When an event happened and was taken, and its place in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When it happened in the world.
    pub occurred_at: Timestamp,
    /// When the log took it; never going back within a program.
    pub recorded_at: Timestamp,
    /// Its place in the program's gapless order, from 1.
    pub sequence: u64,
}
