//! Who the end customer is: identity keys that decide, and names that only hint.

mod blocks;
pub mod country;
mod customer;
mod domain;
mod key;
mod legal_form;
mod name;
mod similarity;

pub use customer::{InvalidCustomer, RawCustomer};
pub use key::{AccountKey, duns_check_digit_holds};
pub use name::NormalisedName;
pub use similarity::{similarity, similarity_from};

use pactum_ids::AccountId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The end customer as a registration describes it. At least one of the keys or the name is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Customer {
    /// The legal name as given; empty where unknown.
    pub name: SmolStr,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<SmolStr>,
    /// The keys, normalised and checked, sorted, each kind at most once.
    pub keys: Vec<AccountKey>,
}

/// A customer account of a program: what registrations have told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The name it was first registered under.
    pub name: SmolStr,
    /// Its country, where known.
    pub country: Option<SmolStr>,
    /// All keys known of it, sorted.
    pub keys: Vec<AccountKey>,
}
