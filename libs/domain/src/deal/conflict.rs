//! Why a registration may not simply be approved: ranked reasons, as data.

use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::account::AccountKey;
use crate::partner::PartnerState;
use crate::time::Timestamp;

/// One reason, with the keys that matched. Lists of conflicts are sorted by [`ConflictKind::rank`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Conflict {
    /// What stands in the way.
    pub kind: ConflictKind,
    /// The account keys by which it was found, strongest first; empty where the account plays no part.
    pub matched: Vec<AccountKey>,
}

/// What stands in the way, gravest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConflictKind {
    /// Another partner's deal holds protection on the account with overlapping scope.
    ProtectedByOther {
        /// The deal that holds it.
        deal: DealId,
        /// Its partner.
        partner: PartnerId,
        /// Until when.
        until: Timestamp,
    },
    /// The vendor works the account itself.
    VendorOpportunity {
        /// The vendor's opportunity.
        opportunity: OpportunityId,
    },
    /// The account has bought in this program before.
    ExistingCustomer {
        /// A deal won on it.
        deal: DealId,
    },
    /// The keys given belong to different accounts.
    AmbiguousAccount {
        /// The accounts, the one of the strongest key first.
        accounts: Vec<AccountId>,
    },
    /// The name is like that of a known account: for a person to judge.
    SimilarAccount {
        /// The account.
        account: AccountId,
        /// Likeness in thousandths; 1000 is equal after normalisation.
        score: u16,
    },
    /// The partner is not active.
    PartnerNotActive {
        /// Its state.
        state: PartnerState,
    },
    /// The partner's tier is below what the policy asks.
    TierTooLow {
        /// The lowest tier that may.
        required: SmolStr,
        /// The partner's.
        actual: SmolStr,
    },
    /// The partner does not hold a territory of the scope.
    TerritoryNotHeld {
        /// The territory; `*` where the scope is every territory and the partner does not hold them all.
        territory: SmolStr,
    },
    /// The partner lacks a specialisation that a product of the scope asks.
    SpecialisationNotHeld {
        /// The specialisation.
        specialisation: SmolStr,
    },
    /// The tier's number of open registrations is used up.
    CapacityUsedUp {
        /// How many the tier allows.
        limit: u32,
    },
    /// The partner itself has an open registration on the account with overlapping scope. Informs; alone it never keeps a
    /// registration from approval.
    OwnRegistration {
        /// The partner's other deal.
        deal: DealId,
    },
}

impl ConflictKind {
    /// The place in a list of conflicts: the lower, the graver.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Self::ProtectedByOther { .. } => 0,
            Self::VendorOpportunity { .. } => 1,
            Self::ExistingCustomer { .. } => 2,
            Self::AmbiguousAccount { .. } => 3,
            Self::SimilarAccount { .. } => 4,
            Self::PartnerNotActive { .. } => 5,
            Self::TierTooLow { .. } => 6,
            Self::TerritoryNotHeld { .. } => 7,
            Self::SpecialisationNotHeld { .. } => 8,
            Self::CapacityUsedUp { .. } => 9,
            Self::OwnRegistration { .. } => 10,
        }
    }

    /// Whether it keeps a registration from being approved without a decision. A registration on which nothing blocks is
    /// not in conflict, and no [`ConflictDetected`](super::Event::ConflictDetected) is recorded for it.
    #[must_use]
    pub fn blocks(&self) -> bool {
        !matches!(self, Self::OwnRegistration { .. })
    }
}
