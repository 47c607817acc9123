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
    /// Approved under the protection of the same partner's other deal.
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
    /// The conflicts found at its last submission.
    pub conflicts: Vec<Conflict>,
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
