//! A deal as the write side holds it.

use pactum_ids::{AccountId, DealId, PartnerId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Basis, Conflict, Scope};
use crate::account::Customer;
use crate::money::Money;
use crate::time::{Date, Timestamp};

/// Where a deal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DealState {
    /// Written down, not submitted.
    Draft,
    /// Submitted, not yet looked at.
    Submitted,
    /// A reviewer has it.
    InReview,
    /// The partner has to answer something.
    ActionRequired,
    /// Conflicts were found and wait for a reviewer.
    Conflicted,
    /// Approved and open: this is pipeline.
    Approved,
    /// The customer bought.
    Won,
    /// The customer did not buy.
    Lost,
    /// Refused. Final.
    Rejected,
    /// The same business as another deal. Final.
    Duplicate,
    /// Ended with its protection. Final.
    Expired,
    /// Taken back by the partner. Final.
    Withdrawn,
    /// Approval taken back by the vendor. Final.
    Revoked,
}

impl DealState {
    /// The state in lower-case words, as refusals name it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Draft => "a draft",
            Self::Submitted => "submitted",
            Self::InReview => "in review",
            Self::ActionRequired => "waiting for the partner's answer",
            Self::Conflicted => "in conflict",
            Self::Approved => "approved",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Rejected => "rejected",
            Self::Duplicate => "a duplicate",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Revoked => "revoked",
        }
    }

    /// Whether nothing can follow. Won and lost are not final: they can be reopened.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Rejected | Self::Duplicate | Self::Expired | Self::Withdrawn | Self::Revoked)
    }

    /// Whether it is an open registration: it counts against the partner's capacity.
    #[must_use]
    pub fn is_open_registration(self) -> bool {
        matches!(self, Self::Submitted | Self::InReview | Self::ActionRequired | Self::Conflicted | Self::Approved)
    }

    /// Whether it was submitted and nobody has decided yet.
    #[must_use]
    pub fn is_undecided(self) -> bool {
        matches!(self, Self::Submitted | Self::InReview | Self::ActionRequired | Self::Conflicted)
    }
}

/// A deal's protection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ProtectionState {
    /// Never granted.
    None,
    /// Held: from the first moment to just before the second.
    Held {
        /// First protected moment.
        from: Timestamp,
        /// First moment no longer protected.
        until: Timestamp,
        /// The clock it runs on.
        basis: Basis,
        /// How often it was extended.
        extensions: u32,
    },
    /// Approved under the protection of the same partner's other deal. It is covered for as long as that deal holds its
    /// protection and belongs to the same partner; when that ends, this stays, as the record of how it was approved.
    Under {
        /// That deal.
        deal: DealId,
    },
    /// It was held and has ended.
    Ended {
        /// First protected moment.
        from: Timestamp,
        /// When it ended.
        at: Timestamp,
    },
}

/// A deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// Its id.
    pub id: DealId,
    /// How many events made it what it is: its `etag`.
    pub version: u64,
    /// Where it stands.
    pub state: DealState,
    /// Whose it is.
    pub partner: PartnerId,
    /// A line a person recognises it by.
    pub title: String,
    /// The account, once registered.
    pub account: Option<AccountId>,
    /// The end customer.
    pub customer: Option<Customer>,
    /// What it covers.
    pub scope: Scope,
    /// The amount expected, or won.
    pub amount: Option<Money>,
    /// The day the customer is expected to decide, or did.
    pub close_date: Option<Date>,
    /// The stage of the policy; empty before registration where none was given.
    pub stage: SmolStr,
    /// Its protection.
    pub protection: ProtectionState,
    /// The conflicts found when its claim was last examined: on submission, on a change of its claim, on reassignment.
    pub conflicts: Vec<Conflict>,
    /// What the reviewer asked of the partner; empty where nothing is asked.
    pub requested_action: String,
    /// The deal this one is a new attempt of.
    pub previous_deal: Option<DealId>,
    /// Where it is a duplicate: of which deal.
    pub duplicate_of: Option<DealId>,
    /// The clock its windows run on.
    pub basis: Basis,
    /// When it was registered: the `recorded_at` of that event.
    pub registered_at: Option<Timestamp>,
    /// The sequence of its registration: who was first.
    pub registered_sequence: Option<u64>,
    /// When it was closed, in the world.
    pub closed_at: Option<Timestamp>,
}
