//! What a policy's approval expression knows of a registration.

use cel::common::types::{CelBool, CelInt, CelList, CelNull, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use pactum_ids::ProductId;
use smol_str::SmolStr;

use crate::account::{AccountKey, Customer};
use crate::money::Money;

/// A registration and who registers it, as [`super::Policy::auto_approves`] judges it.
#[derive(Clone, Copy, Debug)]
pub struct ApprovalInput<'a> {
    /// The amount expected.
    pub amount: Option<Money>,
    /// Products of the scope; empty: every product.
    pub products: &'a [ProductId],
    /// Territories of the scope; empty: every territory.
    pub territories: &'a [SmolStr],
    /// The stage the deal is in.
    pub stage: &'a str,
    /// Whether it is a new attempt of an earlier deal.
    pub previous_deal: bool,
    /// The partner's tier; its rank is looked up in the policy.
    pub partner_tier: &'a str,
    /// The partner's type: `reseller`.
    pub partner_type: &'a str,
    /// The partner's country.
    pub partner_country: Option<&'a str>,
    /// Territories the partner holds.
    pub partner_territories: &'a [SmolStr],
    /// Specialisations the partner holds.
    pub partner_specialisations: &'a [SmolStr],
    /// The end customer.
    pub customer: &'a Customer,
}

/// What kind of thing a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text, a number, a boolean or null.
    Scalar,
    /// A list of texts.
    List,
}

/// The variables of an expression, each made only when it is asked for.
pub(super) struct Variables<'a> {
    pub(super) input: &'a ApprovalInput<'a>,
    /// The rank of the partner's tier, 0 the lowest; -1 where the policy does not know the tier.
    pub(super) rank: i64,
}

/// Every variable; `docs/policy.md` says what each means.
const NAMES: [(&str, Kind); 18] = [
    ("deal.amount_minor", Kind::Scalar),
    ("deal.currency", Kind::Scalar),
    ("deal.products", Kind::List),
    ("deal.territories", Kind::List),
    ("deal.stage", Kind::Scalar),
    ("partner.tier", Kind::Scalar),
    ("partner.tier_rank", Kind::Scalar),
    ("partner.type", Kind::Scalar),
    ("partner.country", Kind::Scalar),
    ("partner.territories", Kind::List),
    ("partner.specialisations", Kind::List),
    ("customer.name", Kind::Scalar),
    ("customer.country", Kind::Scalar),
    ("customer.has_domain", Kind::Scalar),
    ("customer.has_duns", Kind::Scalar),
    ("customer.has_lei", Kind::Scalar),
    ("customer.has_crm_id", Kind::Scalar),
    ("previous_deal", Kind::Scalar),
];

impl Variables<'_> {
    /// What kind of thing a variable is; `None` where there is none of that name.
    pub(super) fn kind(name: &str) -> Option<Kind> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// The names of all, for an error message.
    pub(super) fn names() -> String {
        NAMES.map(|(name, _)| name).join(", ")
    }

    /// Calls back with a registration where nothing is absent.
    pub(super) fn probe<T>(with: impl FnOnce(&Variables<'_>) -> T) -> T {
        let currency = crate::money::Currency::parse("USD").expect("USD is a currency");
        let products = [ProductId::new("product").expect("a plain word is an id")];
        let places = [SmolStr::new_static("DE")];
        let specialisations = [SmolStr::new_static("specialisation")];
        let customer = Customer {
            name: SmolStr::new_static("Customer"),
            country: Some(SmolStr::new_static("DE")),
            keys: Vec::new(),
        };
        let input = ApprovalInput {
            amount: Some(Money::new(currency, 1)),
            products: &products,
            territories: &places,
            stage: "stage",
            previous_deal: false,
            partner_tier: "tier",
            partner_type: "type",
            partner_country: Some("DE"),
            partner_territories: &places,
            partner_specialisations: &specialisations,
            customer: &customer,
        };
        with(&Variables { input: &input, rank: 0 })
    }
}

fn text(value: &str) -> CowVal<'_, '_> {
    CowVal::owned(CelString::from(value))
}

fn flag<'v>(value: bool) -> CowVal<'v, 'v> {
    CowVal::owned(CelBool::from(value))
}

fn or_null<'v>(value: Option<CowVal<'v, 'v>>) -> CowVal<'v, 'v> {
    value.unwrap_or_else(|| CowVal::owned(CelNull))
}

fn list<'v>(values: impl Iterator<Item = &'v str>) -> CowVal<'v, 'v> {
    let values: Vec<Box<dyn Val + 'v>> = values.map(|value| Box::new(CelString::from(value)) as _).collect();
    CowVal::owned(CelList::from(values))
}

/// Qualified names are looked up whole before their parts are, so no map of maps is ever built.
impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let input = self.input;
        let has = |key: fn(&AccountKey) -> bool| flag(input.customer.keys.iter().any(key));
        let texts = |values: &'b [SmolStr]| list(values.iter().map(SmolStr::as_str));
        Some(match variable {
            "deal.amount_minor" => or_null(input.amount.map(|amount| CowVal::owned(CelInt::from(amount.minor)))),
            "deal.currency" => or_null(input.amount.as_ref().map(|amount| text(amount.currency.as_str()))),
            "deal.products" => list(input.products.iter().map(ProductId::as_str)),
            "deal.territories" => texts(input.territories),
            "deal.stage" => text(input.stage),
            "partner.tier" => text(input.partner_tier),
            "partner.tier_rank" => CowVal::owned(CelInt::from(self.rank)),
            "partner.type" => text(input.partner_type),
            "partner.country" => or_null(input.partner_country.map(text)),
            "partner.territories" => texts(input.partner_territories),
            "partner.specialisations" => texts(input.partner_specialisations),
            "customer.name" => text(&input.customer.name),
            "customer.country" => or_null(input.customer.country.as_deref().map(text)),
            "customer.has_domain" => has(|key| matches!(key, AccountKey::Domain(_))),
            "customer.has_duns" => has(|key| matches!(key, AccountKey::Duns(_))),
            "customer.has_lei" => has(|key| matches!(key, AccountKey::Lei(_))),
            "customer.has_crm_id" => has(|key| matches!(key, AccountKey::CrmId(_))),
            "previous_deal" => flag(input.previous_deal),
            _ => return None,
        })
    }
}
