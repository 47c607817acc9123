//! Exact amounts of money.

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency, by its three letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency([u8; 3]);

/// An amount in a currency's minor units (cents, yen, fils).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The currency.
    pub currency: Currency,
    /// Minor units; the currency says how many make one.
    pub minor: i64,
}
