//! A partner: from application to the end of the contract.
//!
//! **When a partner leaves.** Its deals are not touched: its open registrations stay where they are, for the vendor to reassign,
//! revoke or let go, and what it protects stays protected until it lapses by its date, so that a customer in the middle of a
//! purchase is not open to everybody overnight. What it registers from then on is in conflict (`PartnerNotActive`).

mod decide;
mod evolve;

pub(crate) use decide::decide;
pub use evolve::evolve;

use pactum_ids::PartnerId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Where a partner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PartnerState {
    /// Asked to join.
    Applied,
    /// Accepted, not yet in the program.
    Approved,
    /// Refused. Final.
    Rejected,
    /// In the program, with tier and territories, being made ready.
    Onboarding,
    /// Sells.
    Active,
    /// For now may not register deals.
    Suspended,
    /// Left the program. Final.
    Terminated,
}

impl PartnerState {
    /// The state in lower-case words, as refusals name it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Onboarding => "onboarding",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
        }
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Rejected | Self::Terminated)
    }

    /// Whether it is in the program: it has a tier and territories.
    #[must_use]
    pub fn is_enrolled(self) -> bool {
        matches!(self, Self::Onboarding | Self::Active | Self::Suspended)
    }
}

/// An event of a partner. Published with the prefix `Partner`: `PartnerEnrolled`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Asked to join.
    Applied(Profile),
    /// Accepted.
    Approved {
        /// The reviewer's words.
        note: String,
    },
    /// Refused.
    Rejected {
        /// Why.
        reason: String,
    },
    /// Entered the program.
    Enrolled(Enrolled),
    /// Fields were changed; only those named here.
    ProfileUpdated(ProfileUpdated),
    /// Ready to sell.
    Activated,
    /// Stopped for now.
    Suspended {
        /// Why.
        reason: String,
    },
    /// Back from suspension.
    Reinstated {
        /// Why.
        reason: String,
    },
    /// Left the program.
    Terminated {
        /// Why.
        reason: String,
    },
    /// A channel manager of the vendor looks after it.
    ManagerAssigned {
        /// The manager's opaque id or handle.
        manager: SmolStr,
    },
}

/// What a partner tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name shown.
    pub display_name: String,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<SmolStr>,
    /// Its own registrable domain.
    pub domain: Option<SmolStr>,
    /// Reseller, distributor, integrator, referral, …: a type the policy knows, or empty before enrolment.
    pub kind: SmolStr,
}

/// What enrolment fixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// A tier of the policy.
    pub tier: SmolStr,
    /// Reseller, distributor, integrator, referral, …
    pub kind: SmolStr,
    /// Territories held, sorted.
    pub territories: Vec<SmolStr>,
    /// Specialisations held, sorted.
    pub specialisations: Vec<SmolStr>,
}

/// Changed fields; `None` where a field stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileUpdated {
    /// Another name.
    pub display_name: Option<String>,
    /// Another country; `Some(None)` clears it.
    pub country: Option<Option<SmolStr>>,
    /// Another domain; `Some(None)` clears it.
    pub domain: Option<Option<SmolStr>>,
    /// Other territories.
    pub territories: Option<Vec<SmolStr>>,
    /// Other specialisations.
    pub specialisations: Option<Vec<SmolStr>>,
    /// Another tier, set by hand (reviews set it otherwise).
    pub tier: Option<SmolStr>,
}

/// A partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Its id.
    pub id: PartnerId,
    /// How many events made it what it is: its `etag`.
    pub version: u64,
    /// Where it stands.
    pub state: PartnerState,
    /// What it tells of itself.
    pub profile: Profile,
    /// Its tier; empty before enrolment.
    pub tier: SmolStr,
    /// Territories held, sorted.
    pub territories: Vec<SmolStr>,
    /// Specialisations held, sorted.
    pub specialisations: Vec<SmolStr>,
    /// The vendor's channel manager for it; empty where none.
    pub manager: SmolStr,
}
