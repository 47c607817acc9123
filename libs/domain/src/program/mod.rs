//! A program: the tenant, its policy, and the imports of history into it.

mod decide;
mod evolve;

pub(crate) use decide::{create, decide};
pub use evolve::evolve;

use std::sync::Arc;

use pactum_ids::{ImportId, ProgramId};
use serde::{Deserialize, Serialize};

use crate::money::Currency;
use crate::policy::Policy;
use crate::time::Timestamp;

/// Where a program stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProgramState {
    /// Created; no policy yet.
    Draft,
    /// Has a policy and runs.
    Active,
    /// Ended; read only. Final.
    Archived,
}

/// An event of a program. Published with the prefix `Program` (`ProgramCreated`), but for `PolicyPublished` and the two of
/// history imports (`HistoryImportStarted`, `HistoryImportCompleted`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The vendor opened it.
    Created {
        /// The name shown.
        display_name: String,
        /// The currency its figures are reported in.
        currency: Currency,
    },
    /// A policy was published, whole.
    PolicyPublished {
        /// 1, 2, 3, …
        version: u32,
        /// From when on it holds.
        effective_from: Timestamp,
        /// The YAML document as it was given: comments are part of the evidence.
        document: String,
    },
    /// Another system's history begins to be brought in. Until it is completed, windows that run on `occurred_at` do not
    /// fall due by the wall clock.
    HistoryImportStarted {
        /// Which import.
        import: ImportId,
        /// Where it comes from, in words.
        source: String,
    },
    /// All of it is in.
    HistoryImportCompleted {
        /// Which import.
        import: ImportId,
    },
    /// The vendor ended it.
    Archived {
        /// Why.
        reason: String,
    },
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its id.
    pub id: ProgramId,
    /// How many events made it what it is: its `etag`.
    pub version: u64,
    /// Where it stands.
    pub state: ProgramState,
    /// The name shown.
    pub display_name: String,
    /// The currency its figures are reported in.
    pub currency: Currency,
    /// Every policy published, by version (the first at index 0). The one in force at `t` is the last with
    /// `effective_from <= t`.
    pub policies: Vec<PublishedPolicy>,
    /// Imports under way.
    pub open_imports: Vec<ImportId>,
    /// Imports completed.
    pub completed_imports: Vec<ImportId>,
}

/// A policy and when it came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedPolicy {
    /// 1, 2, 3, …
    pub version: u32,
    /// From when on it holds.
    pub effective_from: Timestamp,
    /// The policy.
    pub policy: Arc<Policy>,
}

impl Program {
    /// The policy in force at a moment; `None` before the first.
    #[must_use]
    pub fn policy_at(&self, moment: Timestamp) -> Option<&PublishedPolicy> {
        self.policies.iter().rev().find(|published| published.effective_from <= moment)
    }

    /// Whether history is being brought in.
    #[must_use]
    pub fn is_importing(&self) -> bool {
        !self.open_imports.is_empty()
    }
}
