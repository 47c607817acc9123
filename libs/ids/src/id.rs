//! The registry of typed ids.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

/// The longest id, in bytes.
pub(crate) const MAX_ID: usize = 63;

/// A malformed id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a valid {kind} id: {why}")]
pub struct InvalidId {
    /// Which kind of id was expected, as the resource's singular: `partner`.
    pub kind: &'static str,
    /// What was given, cut to a readable length.
    pub value: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Ids are letters, digits, `-`, `_` and `.`, so that a resource name never needs escaping and a caller may bring the ids
/// of another system along.
fn check(kind: &'static str, value: &str) -> Result<(), InvalidId> {
    let why = if value.is_empty() {
        "it is empty"
    } else if value.len() > MAX_ID {
        "it is longer than 63 characters"
    } else if !value.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        "it must start with a letter or a digit"
    } else if !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        "only letters, digits, '-', '_' and '.' are allowed"
    } else {
        return Ok(());
    };
    Err(InvalidId { kind, value: value.chars().take(80).collect(), why })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// The resource's singular, as error messages name it.
            pub const KIND: &'static str = $kind;

            /// Checks and takes an id.
            ///
            /// # Errors
            /// [`InvalidId`] where it is empty, longer than 63 characters, or has other characters than ASCII letters,
            /// digits, `-`, `_` and `.`, or does not start with a letter or a digit.
            pub fn new(value: impl AsRef<str>) -> Result<Self, InvalidId> {
                let value = value.as_ref();
                check(Self::KIND, value)?;
                Ok(Self(SmolStr::new(value)))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Self::new(value)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = SmolStr::deserialize(deserializer)?;
                check(Self::KIND, &value).map_err(serde::de::Error::custom)?;
                Ok(Self(value))
            }
        }
    )*};
}

ids! {
    /// A vendor's partner program: the tenant, and the unit of order.
    ProgramId = "program";
    /// A partner of a program.
    PartnerId = "partner";
    /// A deal of a program.
    DealId = "deal";
    /// A customer account of a program, as told apart by its identity keys.
    AccountId = "account";
    /// A vendor's own opportunity on an account.
    OpportunityId = "opportunity";
    /// A product, as the program's policy or a deal's scope names it.
    ProductId = "product";
    /// One import of another system's history.
    ImportId = "import";
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn takes_other_systems_ids_and_refuses_what_would_need_escaping() {
        for good in ["1C1I7A6R", "moses-frase", "01JD3Z0000000000000000000A", "a", "GTX_Pro.2"] {
            assert_eq!(DealId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", ".a", "a b", "a/b", "ä", "a%20", &"x".repeat(64)] {
            let error = DealId::new(bad).unwrap_err();
            assert_eq!(error.kind, "deal");
        }
    }

    #[test]
    fn stored_bytes_are_checked_too() {
        let bytes = postcard::to_allocvec("a/b").unwrap();
        assert!(postcard::from_bytes::<PartnerId>(&bytes).is_err());
        let id = PartnerId::new("p-1").unwrap();
        assert_eq!(postcard::from_bytes::<PartnerId>(&postcard::to_allocvec(&id).unwrap()).unwrap(), id);
    }
}
