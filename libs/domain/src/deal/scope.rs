//! What a registration covers on its account.

use pactum_ids::ProductId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::policy::Policy;

/// What a registration covers on its account. An empty list means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Products, sorted; empty: every product.
    pub products: Vec<ProductId>,
    /// Territories (ISO 3166-1/-2 codes or the policy's names), sorted; empty: every territory.
    pub territories: Vec<SmolStr>,
}

impl Scope {
    /// Whether two scopes have anything in common: a product, and a territory by the policy's nesting.
    #[must_use]
    pub fn overlaps(&self, other: &Self, policy: &Policy) -> bool {
        self.products_meet(other) && self.territories_meet(other, policy)
    }

    /// The same scope with its lists sorted and without repetitions, as history keeps it.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.products.sort_unstable();
        self.products.dedup();
        self.territories.sort_unstable();
        self.territories.dedup();
        self
    }

    fn products_meet(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.products, &other.products);
        mine.is_empty() || theirs.is_empty() || mine.iter().any(|product| theirs.contains(product))
    }

    fn territories_meet(&self, other: &Self, policy: &Policy) -> bool {
        let (mine, theirs) = (&self.territories, &other.territories);
        mine.is_empty() || theirs.is_empty() || mine.iter().any(|a| theirs.iter().any(|b| policy.overlap(a, b)))
    }
}
