//! A deal's fields, as filters see them: those of the contract's `Deal`, states by their short names.

use pactum_domain::account::AccountKey;
use pactum_domain::deal::{ConflictKind, Deal, DealState, ProtectionState};

use crate::filter::{Field, Fields};

/// A deal before a viewer.
#[derive(Clone, Copy, Debug)]
pub struct DealFields<'a> {
    /// The deal; none where a filter is checked before there is any.
    pub deal: Option<&'a Deal>,
    /// True for a caller of a partner, who must not find out by a filter what an answer would not tell.
    pub redacted: bool,
}

macro_rules! key {
    ($deal:expr, $kind:ident) => {
        $deal
            .customer
            .iter()
            .flat_map(|customer| &customer.keys)
            .find_map(|key| if let AccountKey::$kind(value) = key { Some(value.as_str()) } else { None })
            .unwrap_or_default()
    };
}

impl Fields for DealFields<'_> {
    const OBJECT: &'static str = "deal";
    const PATHS: &'static [&'static str] = &[
        "id",
        "state",
        "partner",
        "title",
        "customer.name",
        "customer.country_code",
        "customer.domain",
        "customer.duns",
        "customer.lei",
        "customer.crm_id",
        "scope.products",
        "scope.territories",
        "amount.currency_code",
        "amount.minor",
        "close_date",
        "stage",
        "previous_deal",
        "account",
        "protection.state",
        "protection.from",
        "protection.until",
        "protection.extensions",
        "protection.under_deal",
        "conflicts",
        "duplicate_of",
        "registered_at",
        "registered_sequence",
        "closed_at",
        "historical",
    ];

    fn field(&self, path: &str) -> Option<Field<'_>> {
        match self.deal {
            Some(deal) => field(deal, self.redacted, path),
            None => unset(path),
        }
    }

    fn is_set(&self, path: &str) -> bool {
        let Some(deal) = self.deal else { return false };
        match path {
            "customer" => deal.customer.is_some(),
            "scope" => !deal.scope.products.is_empty() || !deal.scope.territories.is_empty(),
            "amount" | "amount.minor" => deal.amount.is_some(),
            "protection" => deal.protection != ProtectionState::None,
            _ => match field(deal, self.redacted, path) {
                Some(Field::Text(text)) => !text.is_empty(),
                Some(Field::Owned(text)) => !text.is_empty(),
                Some(Field::Integer(number)) => number != 0,
                Some(Field::Flag(flag)) => flag,
                Some(Field::List(list)) => !list.is_empty(),
                None => false,
            },
        }
    }
}

fn field<'a>(deal: &'a Deal, redacted: bool, path: &str) -> Option<Field<'a>> {
    let customer = deal.customer.as_ref();
    let (from, until) = match &deal.protection {
        ProtectionState::Held { from, until, .. } => (Some(*from), Some(*until)),
        ProtectionState::Ended { from, at } => (Some(*from), Some(*at)),
        ProtectionState::None | ProtectionState::Under { .. } => (None, None),
    };
    let time =
        |time: Option<pactum_domain::time::Timestamp>| Field::Owned(time.map_or_else(String::new, |t| t.to_string()));
    let number = |number: u64| Field::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    Some(match path {
        "id" => Field::Text(deal.id.as_str()),
        "state" => Field::Text(state_name(deal.state)),
        "partner" => Field::Text(deal.partner.as_str()),
        "title" => Field::Text(&deal.title),
        "customer.name" => Field::Text(customer.map_or("", |customer| &customer.name)),
        "customer.country_code" => {
            Field::Text(customer.and_then(|customer| customer.country.as_deref()).unwrap_or_default())
        }
        "customer.domain" => Field::Text(key!(deal, Domain)),
        "customer.duns" => Field::Text(key!(deal, Duns)),
        "customer.lei" => Field::Text(key!(deal, Lei)),
        "customer.crm_id" => Field::Text(key!(deal, CrmId)),
        "scope.products" => Field::List(deal.scope.products.iter().map(|product| product.as_str()).collect()),
        "scope.territories" => Field::List(deal.scope.territories.iter().map(|territory| &**territory).collect()),
        "amount.currency_code" => {
            Field::Owned(deal.amount.map_or_else(String::new, |amount| amount.currency.to_string()))
        }
        "amount.minor" => Field::Integer(deal.amount.map_or(0, |amount| amount.minor)),
        "close_date" => Field::Owned(deal.close_date.map_or_else(String::new, |date| date.to_string())),
        "stage" => Field::Text(&deal.stage),
        "previous_deal" => Field::Text(deal.previous_deal.as_ref().map_or("", |id| id.as_str())),
        "account" => Field::Text(deal.account.as_ref().map_or("", |id| id.as_str())),
        "protection.state" => Field::Text(protection_name(&deal.protection)),
        "protection.from" => time(from),
        "protection.until" => time(until),
        "protection.extensions" => match deal.protection {
            ProtectionState::Held { extensions, .. } => Field::Integer(extensions.into()),
            ProtectionState::None | ProtectionState::Under { .. } | ProtectionState::Ended { .. } => Field::Integer(0),
        },
        "protection.under_deal" => match &deal.protection {
            ProtectionState::Under { deal } => Field::Text(deal.as_str()),
            ProtectionState::None | ProtectionState::Held { .. } | ProtectionState::Ended { .. } => Field::Text(""),
        },
        "conflicts" => Field::List(deal.conflicts.iter().map(|conflict| conflict_name(&conflict.kind)).collect()),
        "duplicate_of" if redacted => Field::Text(""),
        "duplicate_of" => Field::Text(deal.duplicate_of.as_ref().map_or("", |id| id.as_str())),
        "registered_at" => time(deal.registered_at),
        "registered_sequence" => number(deal.registered_sequence.unwrap_or_default()),
        "closed_at" => time(deal.closed_at),
        "historical" => Field::Flag(deal.basis == pactum_domain::deal::Basis::Occurred),
        _ => return None,
    })
}

/// The zero of a field's type: what a filter is tried on before it is used.
fn unset(path: &str) -> Option<Field<'static>> {
    Some(match path {
        "amount.minor" | "protection.extensions" | "registered_sequence" => Field::Integer(0),
        "scope.products" | "scope.territories" | "conflicts" => Field::List(Vec::new()),
        "historical" => Field::Flag(false),
        path if DealFields::PATHS.contains(&path) => Field::Text(""),
        _ => return None,
    })
}

/// The state's short name.
#[must_use]
pub fn state_name(state: DealState) -> &'static str {
    match state {
        DealState::Draft => "DRAFT",
        DealState::Submitted => "SUBMITTED",
        DealState::InReview => "IN_REVIEW",
        DealState::ActionRequired => "ACTION_REQUIRED",
        DealState::Conflicted => "CONFLICTED",
        DealState::Approved => "APPROVED",
        DealState::Won => "WON",
        DealState::Lost => "LOST",
        DealState::Rejected => "REJECTED",
        DealState::Duplicate => "DUPLICATE",
        DealState::Expired => "EXPIRED",
        DealState::Withdrawn => "WITHDRAWN",
        DealState::Revoked => "REVOKED",
    }
}

fn protection_name(protection: &ProtectionState) -> &'static str {
    match protection {
        ProtectionState::None => "NONE",
        ProtectionState::Held { .. } => "HELD",
        ProtectionState::Under { .. } => "UNDER",
        ProtectionState::Ended { .. } => "ENDED",
    }
}

fn conflict_name(kind: &ConflictKind) -> &'static str {
    match kind {
        ConflictKind::ProtectedByOther { .. } => "PROTECTED_BY_OTHER",
        ConflictKind::VendorOpportunity { .. } => "VENDOR_OPPORTUNITY",
        ConflictKind::ExistingCustomer { .. } => "EXISTING_CUSTOMER",
        ConflictKind::AmbiguousAccount { .. } => "AMBIGUOUS_ACCOUNT",
        ConflictKind::SimilarAccount { .. } => "SIMILAR_ACCOUNT",
        ConflictKind::PartnerNotActive { .. } => "PARTNER_NOT_ACTIVE",
        ConflictKind::TierTooLow { .. } => "TIER_TOO_LOW",
        ConflictKind::TerritoryNotHeld { .. } => "TERRITORY_NOT_HELD",
        ConflictKind::SpecialisationNotHeld { .. } => "SPECIALISATION_NOT_HELD",
        ConflictKind::CapacityUsedUp { .. } => "CAPACITY_USED_UP",
        ConflictKind::OwnRegistration { .. } => "OWN_REGISTRATION",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_value_of_one_type() {
        let none = DealFields { deal: None, redacted: false };
        for path in DealFields::PATHS {
            assert!(none.field(path).is_some(), "{path}");
        }
        assert_eq!(none.field("nothing"), None);
    }
}
