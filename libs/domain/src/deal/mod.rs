//! A deal: an opportunity that a partner brings, from draft to won or lost.

pub mod conflict;
pub mod event;
pub mod state;

pub use conflict::{Conflict, ConflictKind};
pub use event::Event;
pub use state::{Deal, DealState, ProtectionState};

use pactum_ids::{DealId, ProductId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::time::Timestamp;

/// What a registration covers on its account. An empty list means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Products, sorted; empty: every product.
    pub products: Vec<ProductId>,
    /// Territories (ISO 3166-1/-2 codes or the policy's names), sorted; empty: every territory.
    pub territories: Vec<SmolStr>,
}

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
