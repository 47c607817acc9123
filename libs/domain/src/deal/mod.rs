//! A deal: an opportunity that a partner brings, from draft to won or lost.

//!
//! A deal's state is a fold of its events ([`evolve()`]); what may happen next is decided in `decide`, which hands on to a
//! file for each part of a deal's life: `register`, `review`, `protection`, `dispute`, `amend`, `close`.
//!
//! **Protection.** For one account and overlapping scope at most one deal holds protection at any sequence, whoever asks:
//! every decision that would grant, widen, move or prolong protection looks at the account's deals that hold it. A window
//! that has run out but has no event yet protects nothing, and the decision that rests on this puts the missing
//! `DealProtectionExpired` into its own record, before its own events. Whether two scopes overlap is judged under the policy
//! in force at the decision: a policy that nests territories anew changes no protection already granted.
//!
//! **Under another deal.** A partner that already holds protection on the scope gets no second window; its further deals are
//! approved `Under` that deal. They are covered while that deal holds its protection and belongs to the same partner. When
//! it ends, they stay open without cover: nobody is told of a right that the log did not grant.

pub mod conflict;
pub mod event;
mod evolve;
mod scope;
pub mod state;

mod amend;
mod close;
mod decide;
mod detect;
mod dispute;
mod protection;
mod register;
mod review;

pub use conflict::{Conflict, ConflictKind};
pub(crate) use decide::decide;
pub use event::Event;
pub use evolve::{advance, begin, evolve, protect};
pub use scope::Scope;
pub use state::{Deal, DealState, ProtectionState};

use pactum_ids::DealId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::time::Timestamp;

/// Which clock a window runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Basis {
    /// When the log took it: the rule.
    Recorded,
    /// When it happened in the world: history brought in from another system.
    Occurred,
}

/// Protection as an approval grants it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Grant {
    /// No protection: somebody else holds it, or the policy or reviewer gave none.
    None,
    /// Protected from `from` until just before `until`.
    Window {
        /// First protected moment.
        from: Timestamp,
        /// First moment no longer protected.
        until: Timestamp,
        /// The clock the window runs on.
        basis: Basis,
    },
    /// The same partner already holds protection on this scope by another deal; no window is added.
    Under {
        /// The deal that holds it.
        deal: DealId,
    },
}

/// A decision on a registration: who made it is on the record, why is here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decision {
    /// A short upper-snake code: `AUTO_APPROVED`, `REVIEWED`, `CONFLICT`, `HISTORY_IMPORT`, or the reviewer's own.
    pub reason_code: SmolStr,
    /// The reviewer's words, if any.
    pub note: String,
    /// True where the policy decided.
    pub automatic: bool,
    /// The policy version in force.
    pub policy_version: u32,
}
