//! The policy as it is written: one struct a section, one field a key of the YAML document.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The whole document. `docs/policy.md` is its reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Tiers, lowest first.
    pub tiers: Vec<Tier>,
    /// Partner types that may enrol (`reseller`, `distributor`, …); empty: any.
    #[serde(default)]
    pub partner_types: Vec<SmolStr>,
    /// Territories of the program; empty: any ISO 3166 code.
    #[serde(default)]
    pub territories: Vec<Territory>,
    /// Specialisations of the program.
    #[serde(default)]
    pub specialisations: Vec<SmolStr>,
    /// Products that deals may name; empty: any.
    #[serde(default)]
    pub products: Vec<Product>,
    /// Stages of an open deal, in order, each with its probability.
    pub stages: Vec<Stage>,
    /// Deal registration.
    pub deal_registration: DealRegistration,
    /// How long a request id is remembered, in days.
    #[serde(default = "default_request_window")]
    pub request_window_days: u32,
}

fn default_request_window() -> u32 {
    7
}

/// A tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its id: `gold`.
    pub id: SmolStr,
    /// How many open registrations a partner of it may have; none: no bound.
    #[serde(default)]
    pub registration_capacity: Option<u32>,
    /// Days of protection for this tier; none: the program's.
    #[serde(default)]
    pub protection_days: Option<u32>,
}

/// A territory and what lies in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Territory {
    /// Its id: `DE`, `DE-BY`, `emea`.
    pub id: SmolStr,
    /// The territory it lies in.
    #[serde(default)]
    pub parent: Option<SmolStr>,
}

/// A product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// Its id.
    pub id: SmolStr,
    /// The specialisation a partner must hold to register it.
    #[serde(default)]
    pub specialisation: Option<SmolStr>,
}

/// A stage of an open deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Its id: `proposal`.
    pub id: SmolStr,
    /// The chance that a deal in it is won, in percent.
    pub probability: u8,
}

/// The rules of deal registration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealRegistration {
    /// Days of protection from approval.
    pub protection_days: u32,
    /// How often protection may be extended.
    #[serde(default)]
    pub max_extensions: u32,
    /// By how many days at most each time.
    #[serde(default)]
    pub max_extension_days: u32,
    /// Whether a deal goes on without protection, or ends, when its protection lapses.
    #[serde(default)]
    pub on_lapse: OnLapse,
    /// The lowest tier that may register; none: any.
    #[serde(default)]
    pub min_tier: Option<SmolStr>,
    /// Whether the partner must hold the territories of the scope.
    #[serde(default)]
    pub require_territory: bool,
    /// Whether an account that has bought before is a conflict.
    #[serde(default)]
    pub existing_customer_conflicts: bool,
    /// Likeness from which a similar name goes to review, in percent.
    #[serde(default = "default_similarity")]
    pub similarity_percent: u8,
    /// A CEL expression over the registration; where it is true and there is no conflict, it is approved at once.
    #[serde(default)]
    pub auto_approve: Option<String>,
    /// What happens to a registration in conflict.
    #[serde(default)]
    pub on_conflict: OnConflict,
    /// Days in which a review must end.
    #[serde(default = "default_review_days")]
    pub review_days: u32,
    /// Days after closing in which a deal may be reopened; 0: never.
    #[serde(default = "default_reopen_days")]
    pub reopen_days: u32,
}

fn default_similarity() -> u8 {
    90
}

fn default_review_days() -> u32 {
    5
}

fn default_reopen_days() -> u32 {
    90
}

/// What the lapse of protection does to a deal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnLapse {
    /// It stays open, unprotected.
    #[default]
    Keep,
    /// It expires.
    Expire,
}

/// What happens to a registration in conflict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnConflict {
    /// A reviewer decides.
    #[default]
    Review,
    /// It is rejected at once; the registration and its reasons stay in history.
    Reject,
    /// It is approved at once, without protection.
    ApproveUnprotected,
}
