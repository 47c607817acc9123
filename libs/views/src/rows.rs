//! Where rows are read from: keyspaces of sorted keys.

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;

/// Rows cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// The store failed.
    #[error("cannot read {keyspace}")]
    Store {
        /// The keyspace.
        keyspace: &'static str,
        /// What the store said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A row was written by a newer build. Views are rebuilt, not migrated, so this means a directory was mixed up.
    #[error("a row of {keyspace} has version {found}; this build reads {known}")]
    Version {
        /// The keyspace.
        keyspace: &'static str,
        /// The version found.
        found: u8,
        /// The version this build reads.
        known: u8,
    },
    /// A row's bytes are damaged.
    #[error("a row of {keyspace} is malformed")]
    Malformed {
        /// The keyspace.
        keyspace: &'static str,
    },
}

/// Keys from `from` (inclusive) up to `to` (exclusive; none: to the end of the keyspace).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub from: Vec<u8>,
    /// The first key no longer in the range.
    pub to: Option<Vec<u8>>,
}

impl KeyRange {
    /// Every key that starts with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { from: prefix.to_vec(), to: successor(prefix) }
    }

    /// Whether the key lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= self.from.as_slice() && self.to.as_deref().is_none_or(|to| key < to)
    }
}

/// The smallest key greater than every key that starts with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let keep = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut next = prefix[..=keep].to_vec();
    next[keep] += 1;
    Some(next)
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Greatest key first.
    Descending,
}

/// Is shown a key and its row, and says whether to go on.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// Sorted rows, as they were at one moment.
pub trait Rows {
    /// Shows the row of a key to `read`; whether there is one.
    ///
    /// # Errors
    /// [`RowError`] where the store fails.
    fn get(&self, keyspace: &'static str, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<bool, RowError>;

    /// Shows keys and rows of a range in order, until `visit` breaks.
    ///
    /// # Errors
    /// [`RowError`] where the store fails.
    fn scan(
        &self,
        keyspace: &'static str,
        range: &KeyRange,
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), RowError>;
}

/// Rows in memory: for tests, and for folding from zero without a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryRows {
    keyspaces: BTreeMap<&'static str, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryRows {
    /// Takes what a batch changed.
    pub fn write(&mut self, writes: Vec<crate::changes::Write>) {
        for write in writes {
            let keyspace = self.keyspaces.entry(write.keyspace).or_default();
            match write.row {
                Some(row) => drop(keyspace.insert(write.key, row)),
                None => drop(keyspace.remove(&write.key)),
            }
        }
    }

    /// Every row of a keyspace.
    pub fn all(&self, keyspace: &'static str) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.keyspaces.get(keyspace).into_iter().flatten().map(|(key, row)| (key.as_slice(), row.as_slice()))
    }
}

impl Rows for MemoryRows {
    fn get(&self, keyspace: &'static str, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<bool, RowError> {
        let row = self.keyspaces.get(keyspace).and_then(|rows| rows.get(key));
        Ok(row.map(|row| read(row)).is_some())
    }

    fn scan(
        &self,
        keyspace: &'static str,
        range: &KeyRange,
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), RowError> {
        let Some(rows) = self.keyspaces.get(keyspace) else { return Ok(()) };
        let mut found: Vec<_> = rows.range(range.from.clone()..).take_while(|(key, _)| range.contains(key)).collect();
        if order == Order::Descending {
            found.reverse();
        }
        for (key, row) in found {
            if visit(key, row).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_begins() {
        assert_eq!(KeyRange::prefix(b"ab"), KeyRange { from: b"ab".to_vec(), to: Some(b"ac".to_vec()) });
        assert_eq!(KeyRange::prefix(&[7, 255]).to, Some(vec![8]));
        assert_eq!(KeyRange::prefix(&[255, 255]).to, None);
        assert!(KeyRange::prefix(&[255]).contains(&[255, 1]));
        assert!(!KeyRange::prefix(b"ab").contains(b"ac"));
    }
}
