//! The id a caller gives a request so that repeating it is safe ([AIP-155](https://google.aip.dev/155)).

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A malformed request id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request id is 1 to 64 printable ASCII characters without spaces, a UUID for example")]
pub struct InvalidRequestId;

/// A caller's id for one request: 1 to 64 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(SmolStr);

impl RequestId {
    /// Checks and takes a request id.
    ///
    /// # Errors
    /// [`InvalidRequestId`] where it is empty, longer than 64 bytes or not printable ASCII.
    pub fn new(value: impl AsRef<str>) -> Result<Self, InvalidRequestId> {
        let value = value.as_ref();
        let fits = !value.is_empty() && value.len() <= 64 && value.bytes().all(|b| b.is_ascii_graphic());
        if fits { Ok(Self(SmolStr::new(value))) } else { Err(InvalidRequestId) }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_uuids_and_refuses_blanks() {
        assert!(RequestId::new("7f0c7c2e-5f3e-4a56-9d56-2f1f2a0c3b7d").is_ok());
        assert!(RequestId::new("").is_err());
        assert!(RequestId::new("a b").is_err());
        assert!(RequestId::new("x".repeat(65)).is_err());
    }
}
