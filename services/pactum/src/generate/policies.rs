//! How a program's rules change over the years.

use pactum_domain::time::Timestamp;
use pactum_ids::ProductId;

/// The document that all versions are made from.
const TEMPLATE: &str = include_str!("policy.yaml");

/// The products, in the order in which they came.
const PRODUCTS: [&str; 4] = ["core", "services", "analytics-suite", "shield"];
/// The stages of a sale.
const STAGES: [&str; 5] = ["prospecting", "qualified", "proposal", "negotiation", "verbal"];
/// The tiers, lowest first.
pub(super) const TIERS: [&str; 4] = ["registered", "silver", "gold", "platinum"];
/// The types of partners.
pub(super) const TYPES: [&str; 4] = ["reseller", "distributor", "integrator", "referral"];
/// The territory above each country.
pub(super) const REGION: &str = "EMEA";

/// Days between the publication of a version and its coming into force.
pub(super) const NOTICE_DAYS: i64 = 14;

/// A version of the policy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    /// The part of the history after which it holds.
    pub(super) after: f64,
    /// How many products it has.
    pub(super) products: usize,
    auto_approve: u32,
    on_lapse: &'static str,
    on_conflict: &'static str,
}

/// A careful beginning; then more is approved at once; then protection that lapses ends the deal, which is soon taken back;
/// then conflicts are refused at once, which is taken back, too.
pub(super) const VERSIONS: [Version; 5] = [
    Version { after: 0.0, products: 3, auto_approve: 2_500_000, on_lapse: "keep", on_conflict: "review" },
    Version { after: 0.25, products: 4, auto_approve: 5_000_000, on_lapse: "keep", on_conflict: "review" },
    Version { after: 0.45, products: 4, auto_approve: 5_000_000, on_lapse: "expire", on_conflict: "review" },
    Version { after: 0.6, products: 4, auto_approve: 5_000_000, on_lapse: "keep", on_conflict: "reject" },
    Version { after: 0.7, products: 4, auto_approve: 5_000_000, on_lapse: "keep", on_conflict: "review" },
];

/// How many registrations a tier may have open, so that few partners come to the end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Capacity {
    pub(super) registered: u64,
    pub(super) silver: u64,
    pub(super) gold: u64,
}

/// The document of a version, from 0.
pub(super) fn document(version: usize, capacity: Capacity) -> String {
    let Version { products, auto_approve, on_lapse, on_conflict, .. } = VERSIONS[version];
    let shield = if products > 3 { "  - id: shield\n    specialisation: security\n" } else { "" };
    TEMPLATE
        .replace("{version}", &(version + 1).to_string())
        .replace("{registered}", &capacity.registered.to_string())
        .replace("{silver}", &capacity.silver.to_string())
        .replace("{gold}", &capacity.gold.to_string())
        .replace("{products}", shield)
        .replace("{auto_approve}", &auto_approve.to_string())
        .replace("{on_lapse}", on_lapse)
        .replace("{on_conflict}", on_conflict)
}

/// When a version comes into force in a history between two moments.
pub(super) fn in_force(version: usize, from: Timestamp, until: Timestamp) -> Timestamp {
    Timestamp(from.0 + ((until.0 - from.0) as f64 * VERSIONS[version].after) as i64)
}

/// A product, by its number.
pub(super) fn product(number: usize) -> ProductId {
    ProductId::new(PRODUCTS[number]).expect("the names above are ids")
}

/// A stage, by its number.
pub(super) fn stage(number: usize) -> smol_str::SmolStr {
    smol_str::SmolStr::new_static(STAGES[number.min(STAGES.len() - 1)])
}

/// How many stages there are.
pub(super) const STAGE_COUNT: usize = STAGES.len();

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use pactum_domain::policy::Policy;

    use super::*;

    #[test]
    fn every_version_is_a_policy_that_knows_what_the_generator_names() {
        for (version, expected) in VERSIONS.iter().enumerate() {
            let text = document(version, Capacity { registered: 10, silver: 20, gold: 30 });
            let policy = Policy::parse(&text).unwrap();
            assert!((0..expected.products).all(|number| policy.knows_product(&product(number))));
            assert_eq!(policy.products.len(), expected.products);
            assert!(TIERS.iter().all(|tier| policy.tier(tier).is_some()));
            assert!(STAGES.iter().all(|stage| policy.stage(stage).is_some()));
            assert!(TYPES.iter().all(|kind| policy.knows_partner_type(kind)));
            let countries = super::super::market::COUNTRIES;
            assert!(countries.iter().all(|country| policy.knows_territory(country.code)));
        }
    }
}
