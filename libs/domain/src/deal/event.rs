//! What happens to a deal.

use pactum_ids::{AccountId, DealId, PartnerId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Conflict, Decision, Grant, Scope};
use crate::account::Customer;
use crate::money::Money;
use crate::time::{Date, Timestamp};

/// An event of a deal. Published with the prefix `Deal`: `DealRegistered`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A partner wrote it down; nothing is claimed yet.
    Drafted(Drafted),
    /// The partner submitted it. The place of this event in the log says who was first.
    Registered(Registered),
    /// Conflicts were found, on registration or resubmission.
    ConflictDetected {
        /// Ranked reasons, gravest first; never empty.
        conflicts: Vec<Conflict>,
    },
    /// A person of the vendor has it before them.
    ReviewStarted {
        /// When the policy's time for a decision runs out.
        due: Timestamp,
    },
    /// The reviewer needs something of the partner.
    ActionRequired {
        /// What, in words for the partner.
        message: String,
    },
    /// The partner answered and submitted again; the registration's place in line is kept.
    Resubmitted(Registered),
    /// Approved, with what protection.
    Approved {
        /// Why, and under which policy.
        decision: Decision,
        /// The protection granted.
        grant: Grant,
    },
    /// Refused. Final; a new attempt is a new deal with `previous_deal`.
    Rejected {
        /// Why, and under which policy.
        decision: Decision,
    },
    /// The same business as another deal. Final.
    MarkedDuplicate {
        /// The deal that stays.
        of: DealId,
        /// Why, and under which policy.
        decision: Decision,
    },
    /// Protection was prolonged.
    ProtectionExtended {
        /// The new end.
        until: Timestamp,
        /// Why.
        reason: String,
        /// Sequences of the events that support it.
        evidence: Vec<u64>,
    },
    /// Protection lapsed.
    ProtectionExpired {
        /// The end that had been set.
        until: Timestamp,
        /// True where the policy ends the whole deal with its protection.
        deal_expired: bool,
    },
    /// The partner took it back. Final.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// The vendor took the approval back. Final.
    Revoked {
        /// Why, and under which policy.
        decision: Decision,
    },
    /// A dispute gave it to another partner; the old owner stays in the chain.
    Reassigned {
        /// Who had it.
        from: PartnerId,
        /// Who has it now.
        to: PartnerId,
        /// Sequences of the events that the decision rests on; never empty.
        evidence: Vec<u64>,
        /// Why, and under which policy.
        decision: Decision,
    },
    /// The sale moved on (or back).
    StageChanged {
        /// From which stage of the policy.
        from: SmolStr,
        /// To which.
        to: SmolStr,
    },
    /// Fields were changed; only those named here.
    Amended(Amended),
    /// The customer bought.
    Won {
        /// For how much.
        amount: Money,
        /// On which day.
        closed_on: Date,
    },
    /// The customer did not buy.
    Lost {
        /// Why, as a short code or words.
        reason: String,
        /// On which day.
        closed_on: Date,
    },
    /// A closed deal was opened again; protection does not come back by itself.
    Reopened {
        /// Why.
        reason: String,
    },
}

/// A draft: everything but the partner may still be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drafted {
    /// Whose it is.
    pub partner: PartnerId,
    /// A line a person recognises it by.
    pub title: String,
    /// The end customer, where known.
    pub customer: Option<Customer>,
    /// What it covers.
    pub scope: Scope,
    /// The amount expected.
    pub amount: Option<Money>,
    /// The day the customer is expected to decide.
    pub expected_close: Option<Date>,
    /// The stage of the policy it is in; none before one is set.
    pub stage: Option<SmolStr>,
    /// The deal this one is a new attempt of.
    pub previous_deal: Option<DealId>,
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Whose it is.
    pub partner: PartnerId,
    /// A line a person recognises it by.
    pub title: String,
    /// The account the customer was found to be.
    pub account: AccountId,
    /// The end customer as the partner described it.
    pub customer: Customer,
    /// What it covers.
    pub scope: Scope,
    /// The amount expected.
    pub amount: Option<Money>,
    /// The day the customer is expected to decide.
    pub expected_close: Option<Date>,
    /// The stage of the policy it is in.
    pub stage: SmolStr,
    /// The deal this one is a new attempt of.
    pub previous_deal: Option<DealId>,
    /// The clock this deal's windows run on.
    pub basis: super::Basis,
}

/// Changed fields; `None` where a field stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amended {
    /// A new title.
    pub title: Option<String>,
    /// A better description of the customer, with the account it resolves to. Drafts have no account yet.
    pub customer: Option<(Customer, Option<AccountId>)>,
    /// Another scope.
    pub scope: Option<Scope>,
    /// Another amount; `Some(None)` clears it.
    pub amount: Option<Option<Money>>,
    /// Another expected day; `Some(None)` clears it.
    pub expected_close: Option<Option<Date>>,
}
