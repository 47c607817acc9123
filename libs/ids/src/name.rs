//! Resource names: `programs/{program}` and what lies below.

use std::fmt;
use std::str::FromStr;

use crate::id::{AccountId, DealId, InvalidId, OpportunityId, PartnerId, ProgramId};

/// A malformed resource name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The segments are not those of the pattern.
    #[error("{value:?} does not match {pattern}")]
    Pattern {
        /// What was given, cut to a readable length.
        value: String,
        /// The pattern expected.
        pattern: &'static str,
    },
    /// A segment is not an id.
    #[error(transparent)]
    Id(#[from] InvalidId),
}

fn mismatch(value: &str, pattern: &'static str) -> InvalidName {
    InvalidName::Pattern { value: value.chars().take(160).collect(), pattern }
}

/// The name of a program: `programs/{program}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProgramName(pub ProgramId);

impl ProgramName {
    /// The pattern of such a name.
    pub const PATTERN: &'static str = "programs/{program}";
}

impl fmt::Display for ProgramName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "programs/{}", self.0)
    }
}

impl FromStr for ProgramName {
    type Err = InvalidName;
    fn from_str(value: &str) -> Result<Self, Self::Err> {
        let id = value.strip_prefix("programs/").filter(|rest| !rest.contains('/'));
        Ok(Self(ProgramId::new(id.ok_or_else(|| mismatch(value, Self::PATTERN))?)?))
    }
}

macro_rules! children {
    ($($(#[$doc:meta])* $name:ident($id:ident, $collection:literal);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            /// The program it belongs to.
            pub program: ProgramId,
            /// The id within the program.
            pub id: $id,
        }

        impl $name {
            /// The pattern of such a name.
            pub const PATTERN: &'static str = concat!("programs/{program}/", $collection, "/{id}");

            /// Names a resource of a program.
            #[must_use]
            pub fn new(program: ProgramId, id: $id) -> Self {
                Self { program, id }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("programs/{}/", $collection, "/{}"), self.program, self.id)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(value: &str) -> Result<Self, Self::Err> {
                let parts = value
                    .strip_prefix("programs/")
                    .and_then(|rest| rest.split_once(concat!("/", $collection, "/")))
                    .filter(|(program, id)| !program.contains('/') && !id.contains('/'));
                let (program, id) = parts.ok_or_else(|| mismatch(value, Self::PATTERN))?;
                Ok(Self { program: ProgramId::new(program)?, id: $id::new(id)? })
            }
        }
    )*};
}

children! {
    /// The name of a partner: `programs/{program}/partners/{partner}`.
    PartnerName(PartnerId, "partners");
    /// The name of a deal: `programs/{program}/deals/{deal}`.
    DealName(DealId, "deals");
    /// The name of a customer account: `programs/{program}/accounts/{account}`.
    AccountName(AccountId, "accounts");
    /// The name of a vendor's opportunity: `programs/{program}/opportunities/{opportunity}`.
    OpportunityName(OpportunityId, "opportunities");
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn names_round_trip(program in "[A-Za-z0-9][A-Za-z0-9._-]{0,62}", deal in "[A-Za-z0-9][A-Za-z0-9._-]{0,62}") {
            let text = format!("programs/{program}/deals/{deal}");
            prop_assert_eq!(text.parse::<DealName>().unwrap().to_string(), text);
        }

        #[test]
        fn nothing_panics(text in ".{0,200}") {
            let _ = text.parse::<DealName>();
            let _ = text.parse::<ProgramName>();
        }
    }

    #[test]
    fn another_collection_is_a_mismatch() {
        let error = "programs/acme/partners/p".parse::<DealName>().unwrap_err();
        assert_eq!(error.to_string(), r#""programs/acme/partners/p" does not match programs/{program}/deals/{id}"#);
        assert!("programs/a/b".parse::<ProgramName>().is_err());
        assert!("programs/a/deals/b/c".parse::<DealName>().is_err());
    }
}
