//! Which keys, and which way.

use std::ops::{Bound, RangeBounds};

/// The order of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key on.
    Forward,
    /// From the largest key back.
    Reverse,
}

/// Keys from a first one (inclusive) to an end (exclusive), in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRange {
    pub(crate) start: Option<Vec<u8>>,
    pub(crate) end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// The keys within bounds.
    #[must_use]
    pub fn new<K: AsRef<[u8]>>(bounds: impl RangeBounds<K>) -> Self {
        // The next key after `k` is `k` followed by a zero: so both kinds of bound are told by an inclusive start and an
        // exclusive end.
        let after = |key: &K| [key.as_ref(), &[0]].concat();
        let at = |key: &K| key.as_ref().to_vec();
        Self {
            start: match bounds.start_bound() {
                Bound::Included(key) => Some(at(key)),
                Bound::Excluded(key) => Some(after(key)),
                Bound::Unbounded => None,
            },
            end: match bounds.end_bound() {
                Bound::Included(key) => Some(after(key)),
                Bound::Excluded(key) => Some(at(key)),
                Bound::Unbounded => None,
            },
        }
    }

    /// The keys that begin with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        // The first key that no longer begins with the prefix is the prefix with its last byte below 255 raised, and none
        // if there is no such byte.
        let end = prefix.iter().rposition(|byte| *byte < u8::MAX).map(|last| {
            let mut end = prefix[..=last].to_vec();
            end[last] += 1;
            end
        });
        Self { start: (!prefix.is_empty()).then(|| prefix.to_vec()), end }
    }

    /// Whether no key can lie in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match (&self.start, &self.end) {
            (Some(start), Some(end)) => start >= end,
            (None, Some(end)) => end.is_empty(),
            _ => false,
        }
    }

    /// Whether a key lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_ref().is_none_or(|start| start.as_slice() <= key)
            && self.end.as_ref().is_none_or(|end| key < end.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        // Few distinct bytes, so that equal keys, prefixes and the byte 255 all occur.
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(254), Just(255)], 0..5)
    }

    proptest! {
        #[test]
        fn a_prefix_holds_exactly_the_keys_that_begin_with_it(prefix in key(), key in key()) {
            prop_assert_eq!(KeyRange::prefix(&prefix).contains(&key), key.starts_with(&prefix));
        }

        #[test]
        fn bounds_mean_what_they_mean_elsewhere(a in key(), b in key(), key in key()) {
            for bounds in [
                (Bound::Included(a.clone()), Bound::Included(b.clone())),
                (Bound::Excluded(a.clone()), Bound::Excluded(b.clone())),
                (Bound::Unbounded, Bound::Included(b.clone())),
                (Bound::Excluded(a.clone()), Bound::Unbounded),
            ] {
                let range = KeyRange::new(bounds.clone());
                prop_assert_eq!(range.contains(&key), bounds.contains(&key));
                prop_assert!(!(range.is_empty() && range.contains(&key)));
            }
        }
    }
}
