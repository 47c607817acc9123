//! A program's strategy as configuration: one YAML document, validated whole before it is taken, and looked up fast after.

mod approval;
mod document;
mod expression;
mod lines;
mod problem;
mod read;
mod territory;
mod validate;

pub use approval::ApprovalInput;
pub use document::{DealRegistration, Document, OnConflict, OnLapse, Product, Stage, Territory, Tier};
pub use problem::InvalidPolicy;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use pactum_ids::ProductId;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::account::country;

/// A policy that was validated whole. It reads as its [`Document`]; two are equal where their documents say the same.
#[derive(Clone)]
pub struct Policy {
    document: Arc<Document>,
    compiled: Arc<Compiled>,
}

/// What is worked out once, when the policy is read.
struct Compiled {
    nesting: territory::Nesting,
    products: FxHashMap<SmolStr, usize>,
    auto_approve: Option<expression::Expression>,
}

impl Policy {
    /// The largest document, in bytes.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// A realistic policy, as the guides and the demonstration use it.
    pub const EXAMPLE: &str = include_str!("example.yaml");

    /// Reads a YAML document and validates it whole.
    ///
    /// # Errors
    /// [`InvalidPolicy`], with the line and the field of the first thing that is wrong.
    pub fn parse(document: &str) -> Result<Self, InvalidPolicy> {
        let read = read::read(document)?;
        let compiled = validate::validate(&read).map_err(|fault| fault.at(document))?;
        Ok(Self { document: Arc::new(read), compiled: Arc::new(compiled) })
    }

    /// [`Policy::EXAMPLE`], read.
    #[must_use]
    pub fn example() -> Self {
        Self::parse(Self::EXAMPLE).expect("the example is read by a test")
    }

    /// A tier and its rank; 0 is the lowest.
    #[must_use]
    pub fn tier(&self, id: &str) -> Option<(usize, &Tier)> {
        self.tiers.iter().enumerate().find(|(_, tier)| tier.id == id)
    }

    /// A stage of an open deal.
    #[must_use]
    pub fn stage(&self, id: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == id)
    }

    /// The stage that a deal is in where nobody says another.
    #[must_use]
    pub fn first_stage(&self) -> &Stage {
        self.stages.first().expect("a policy without stages is not taken")
    }

    /// The chance that a deal of a stage is won, in percent.
    #[must_use]
    pub fn probability(&self, stage: &str) -> Option<u8> {
        self.stage(stage).map(|stage| stage.probability)
    }

    /// Days of protection that an approval gives a partner of a tier.
    #[must_use]
    pub fn protection_days(&self, tier: &str) -> u32 {
        let own = self.tier(tier).and_then(|(_, tier)| tier.protection_days);
        own.unwrap_or(self.deal_registration.protection_days)
    }

    /// Whether partners of this type may enrol.
    #[must_use]
    pub fn knows_partner_type(&self, kind: &str) -> bool {
        self.partner_types.is_empty() || self.partner_types.iter().any(|known| known == kind)
    }

    /// Whether the program has this specialisation.
    #[must_use]
    pub fn knows_specialisation(&self, id: &str) -> bool {
        self.specialisations.iter().any(|known| known == id)
    }

    /// Whether deals may name this product.
    #[must_use]
    pub fn knows_product(&self, id: &ProductId) -> bool {
        self.products.is_empty() || self.compiled.products.contains_key(id.as_str())
    }

    /// A product that the policy lists.
    #[must_use]
    pub fn product(&self, id: &ProductId) -> Option<&Product> {
        self.compiled.products.get(id.as_str()).map(|index| &self.products[*index])
    }

    /// Whether it is a territory here: one that the policy lists or a subdivision of a country that it lists, by the code of
    /// ISO 3166-2; where it lists none, any country or subdivision.
    #[must_use]
    pub fn knows_territory(&self, id: &str) -> bool {
        if self.territories.is_empty() {
            return country::is_country(id) || country::is_subdivision(id);
        }
        let listed = |id: &str| self.compiled.nesting.declares(id);
        listed(id) || (country::is_subdivision(id) && id.split('-').next().is_some_and(listed))
    }

    /// Whether all of the territory `asked` lies in `held`: they are the same, or the policy nests the one in the other, or
    /// ISO 3166-2 does (`DE-BY` lies in `DE`), or both in turn.
    #[must_use]
    pub fn covers(&self, held: &str, asked: &str) -> bool {
        self.compiled.nesting.covers(held, asked)
    }

    /// Whether two territories have anything in common. Covering is one way; the other is a third territory that lies in both.
    #[must_use]
    pub fn overlap(&self, a: &str, b: &str) -> bool {
        self.compiled.nesting.overlap(a, b)
    }

    /// Whether the policy's `auto_approve` expression holds for a registration; false where there is none.
    ///
    /// # Errors
    /// Why it gave no answer, where it gave none: it compared an amount that is not there, for instance. Nothing is approved
    /// then.
    pub fn auto_approves(&self, input: &ApprovalInput<'_>) -> Result<bool, String> {
        let Some(expression) = &self.compiled.auto_approve else { return Ok(false) };
        let rank = self.tier(input.partner_tier).and_then(|(rank, _)| i64::try_from(rank).ok());
        expression.holds(&approval::Variables { input, rank: rank.unwrap_or(-1) })
    }
}

impl Deref for Policy {
    type Target = Document;
    fn deref(&self) -> &Document {
        &self.document
    }
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

impl Eq for Policy {}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.document, f)
    }
}

#[cfg(test)]
mod tests;
