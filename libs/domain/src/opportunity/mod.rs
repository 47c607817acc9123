//! A vendor's own opportunity on an account: what its direct sales are working, told by its CRM. It is one of the reasons
//! for which a registration may be in conflict.

mod decide;
mod evolve;

pub(crate) use decide::decide;
pub use evolve::evolve;

use pactum_ids::{AccountId, OpportunityId};
use serde::{Deserialize, Serialize};

use crate::account::Customer;
use crate::deal::Scope;

/// An event of an opportunity. Published with the prefix `VendorOpportunity`: `VendorOpportunityOpened`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The vendor works the account itself.
    Opened {
        /// The account the customer was found to be.
        account: AccountId,
        /// The customer as the CRM has it.
        customer: Customer,
        /// What it covers.
        scope: Scope,
    },
    /// It no longer does.
    Closed {
        /// How it ended, in words.
        reason: String,
    },
}

/// An opportunity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opportunity {
    /// Its id.
    pub id: OpportunityId,
    /// How many events made it what it is: its `etag`.
    pub version: u64,
    /// The account.
    pub account: AccountId,
    /// What it covers.
    pub scope: Scope,
    /// Whether the vendor still works it.
    pub open: bool,
}
