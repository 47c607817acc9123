//! Pages of a list: opaque tokens that say where the next one begins.

use sha2::{Digest, Sha256};

use crate::rows::{KeyRange, Order};

const VERSION: u8 = 1;
const HEAD: usize = 1 + 8 + 8;

/// A page token that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It was not given out by this service, or was cut.
    #[error("the page token is not one that was given out")]
    Malformed,
    /// It belongs to another query: another parent, filter or order, or another caller's view.
    #[error("the page token belongs to another query; repeat the query it came from, with the same filter and order")]
    OtherQuery,
}

/// What a query is, for its tokens: a hash of everything that must stay the same from page to page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryId(u64);

impl QueryId {
    /// The id of a query that is made of these parts.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        Self(digest.iter().take(8).fold(0, |head, byte| head << 8 | u64::from(*byte)))
    }
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken {
    /// The sequence that the page before held; this page holds at least as much.
    pub sequence: u64,
    /// The key of the last row of the page before, without what the query fixes.
    pub after: Vec<u8>,
}

impl PageToken {
    /// The token as text, for the query it belongs to.
    #[must_use]
    pub fn encode(&self, query: QueryId) -> String {
        let mut bytes = Vec::with_capacity(HEAD + self.after.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&query.0.to_be_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.after);
        let digit = |nibble: u8| char::from_digit(nibble.into(), 16).expect("a nibble is below 16");
        bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    }

    /// Leaves of a list's range what comes after the page before. All keys of the list begin with `prefix`.
    pub(crate) fn narrow(&self, range: &mut KeyRange, prefix: &[u8], order: Order) {
        let mut after = [prefix, self.after.as_slice()].concat();
        match order {
            Order::Ascending => {
                after.push(0);
                range.from = after;
            }
            Order::Descending => range.to = Some(after),
        }
    }

    /// Reads a token of a query; `None` for an empty text, the first page.
    ///
    /// # Errors
    /// [`InvalidToken`].
    pub fn decode(text: &str, query: QueryId) -> Result<Option<Self>, InvalidToken> {
        if text.is_empty() {
            return Ok(None);
        }
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len() % 2 == 0).ok_or(InvalidToken::Malformed)?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let (&version, rest) = bytes.split_first().ok_or(InvalidToken::Malformed)?;
        let (of, rest) = rest.split_first_chunk::<8>().ok_or(InvalidToken::Malformed)?;
        let (sequence, after) = rest.split_first_chunk::<8>().ok_or(InvalidToken::Malformed)?;
        if version != VERSION {
            return Err(InvalidToken::Malformed);
        }
        if u64::from_be_bytes(*of) != query.0 {
            return Err(InvalidToken::OtherQuery);
        }
        Ok(Some(Self { sequence: u64::from_be_bytes(*sequence), after: after.to_vec() }))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_token_belongs_to_its_query() {
        let (one, other) = (QueryId::of(&["a", "bc"]), QueryId::of(&["ab", "c"]));
        let token = PageToken { sequence: 7, after: b"key".to_vec() };
        let text = token.encode(one);
        assert_eq!(PageToken::decode(&text, one), Ok(Some(token)));
        assert_eq!(PageToken::decode(&text, other), Err(InvalidToken::OtherQuery));
        assert_eq!(PageToken::decode("", one), Ok(None));
        for bad in ["x", "0", "01", &text[..20], "héé", &text.replacen("01", "02", 1)] {
            assert_eq!(PageToken::decode(bad, one), Err(InvalidToken::Malformed), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn round_trips(sequence: u64, after: Vec<u8>, text in ".{0,40}") {
            let token = PageToken { sequence, after };
            let query = QueryId::of(&["q"]);
            prop_assert_eq!(PageToken::decode(&token.encode(query), query).unwrap(), Some(token));
            let _ = PageToken::decode(&text, query);
        }
    }
}
