//! What folding a batch of records changes: rows read once, changed in memory, written once.

use std::any::Any;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use crate::rows::{RowError, Rows};
use crate::table::{Row, Table, encode};

/// One row to write, or to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The keyspace.
    pub keyspace: &'static str,
    /// The key.
    pub key: Vec<u8>,
    /// The row's bytes; none: the row is deleted.
    pub row: Option<Vec<u8>>,
}

/// An overlay of changed rows over those of before the batch.
///
/// Rows are kept decoded, so that a row which a batch touches a thousand times is decoded and encoded once.
pub struct Changes<'a> {
    rows: &'a dyn Rows,
    keyspaces: Vec<(&'static str, FxHashMap<Vec<u8>, Slot>)>,
}

struct Slot {
    /// `None`: there is no such row (any more).
    row: Option<Box<dyn Any + Send>>,
    /// How to write the row, once it has been changed.
    encode: Option<fn(&dyn Any) -> Vec<u8>>,
    /// True where the store is known to have no such row: if it is deleted again, there is nothing to write.
    fresh: bool,
}

impl<'a> Changes<'a> {
    /// No changes yet to `rows`.
    #[must_use]
    pub fn new(rows: &'a dyn Rows) -> Self {
        Self { rows, keyspaces: Vec::new() }
    }

    /// Reads a row as it is after the changes so far.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn get<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<Option<&R>, RowError> {
        let slot = self.slot(table, key)?;
        Ok(slot.row.as_deref().map(|row| downcast::<R>(row, table.keyspace)))
    }

    /// The row, to be changed.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn edit<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<Option<&mut R>, RowError> {
        let slot = self.slot(table, key)?;
        if slot.row.is_some() {
            slot.encode = Some(encode_any::<R>);
        }
        Ok(slot.row.as_deref_mut().map(|row| downcast_mut::<R>(row, table.keyspace)))
    }

    /// The row, to be changed; `new` where there is none.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn edit_or<R: Row>(
        &mut self,
        table: &Table<R>,
        key: &[u8],
        new: impl FnOnce() -> R,
    ) -> Result<&mut R, RowError> {
        let slot = self.slot(table, key)?;
        slot.encode = Some(encode_any::<R>);
        let row = slot.row.get_or_insert_with(|| Box::new(new()));
        Ok(downcast_mut::<R>(row.as_mut(), table.keyspace))
    }

    /// Writes a row, whatever was there; reads nothing.
    pub fn put<R: Row>(&mut self, table: &Table<R>, key: Vec<u8>, row: R) {
        self.set(table, key, Some(row), false);
    }

    /// Writes a row where there is none; reads nothing. Index rows that are written and deleted again before the batch is
    /// written then cost the store nothing.
    pub fn put_new<R: Row>(&mut self, table: &Table<R>, key: Vec<u8>, row: R) {
        self.set(table, key, Some(row), true);
    }

    /// Deletes a row, if it is there; reads nothing.
    pub fn delete<R: Row>(&mut self, table: &Table<R>, key: Vec<u8>) {
        self.set(table, key, None, false);
    }

    fn set<R: Row>(&mut self, table: &Table<R>, key: Vec<u8>, row: Option<R>, fresh: bool) {
        let row = row.map(|row| Box::new(row) as Box<dyn Any + Send>);
        match self.keyspace(table.keyspace).entry(key) {
            Entry::Occupied(mut slot) => {
                let slot = slot.get_mut();
                slot.row = row;
                slot.encode = Some(encode_any::<R>);
            }
            Entry::Vacant(slot) => {
                slot.insert(Slot { row, encode: Some(encode_any::<R>), fresh });
            }
        }
    }

    /// What has to be written, in order of the keys: a store takes that faster.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        let mut writes = Vec::new();
        for (keyspace, slots) in self.keyspaces {
            let from = writes.len();
            writes.extend(slots.into_iter().filter_map(|(key, slot)| {
                let encode = slot.encode.filter(|_| slot.row.is_some() || !slot.fresh)?;
                Some(Write { keyspace, key, row: slot.row.map(|row| encode(row.as_ref())) })
            }));
            writes[from..].sort_unstable_by(|one, other| one.key.cmp(&other.key));
        }
        writes
    }

    fn keyspace(&mut self, name: &'static str) -> &mut FxHashMap<Vec<u8>, Slot> {
        let index = self.keyspaces.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            self.keyspaces.push((name, FxHashMap::default()));
            self.keyspaces.len() - 1
        });
        &mut self.keyspaces[index].1
    }

    fn slot<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<&mut Slot, RowError> {
        if !self.keyspace(table.keyspace).contains_key(key) {
            let row = table.get(self.rows, key)?.map(|row| Box::new(row) as Box<dyn Any + Send>);
            let fresh = row.is_none();
            self.keyspace(table.keyspace).insert(key.to_vec(), Slot { row, encode: None, fresh });
        }
        Ok(self.keyspace(table.keyspace).get_mut(key).expect("it was there, or was put there just now"))
    }
}

fn encode_any<R: Row>(row: &dyn Any) -> Vec<u8> {
    encode(downcast::<R>(row, "a table"))
}

fn downcast<'r, R: Row>(row: &'r (dyn Any + 'static), keyspace: &str) -> &'r R {
    let row = row.downcast_ref();
    row.unwrap_or_else(|| unreachable!("{keyspace} is named by two tables with different rows"))
}

fn downcast_mut<'r, R: Row>(row: &'r mut (dyn Any + Send), keyspace: &str) -> &'r mut R {
    let row = row.downcast_mut();
    row.unwrap_or_else(|| unreachable!("{keyspace} is named by two tables with different rows"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::rows::MemoryRows;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Count(u64);
    impl Row for Count {
        const VERSION: u8 = 1;
    }
    const COUNTS: Table<Count> = Table::new("counts");

    fn written(rows: &mut MemoryRows, change: impl FnOnce(&mut Changes<'_>)) -> usize {
        let mut changes = Changes::new(rows);
        change(&mut changes);
        let writes = changes.into_writes();
        let count = writes.len();
        rows.write(writes);
        count
    }

    #[test]
    fn a_row_touched_often_is_written_once_and_one_only_read_not_at_all() {
        let mut rows = MemoryRows::default();
        let count = written(&mut rows, |changes| {
            for _ in 0..1_000 {
                changes.edit_or(&COUNTS, b"a", || Count(0)).unwrap().0 += 1;
            }
            assert_eq!(changes.get(&COUNTS, b"b").unwrap(), None);
        });
        assert_eq!(count, 1);
        assert_eq!(
            written(&mut rows, |changes| assert_eq!(changes.get(&COUNTS, b"a").unwrap(), Some(&Count(1_000)))),
            0
        );
    }

    #[test]
    fn what_was_never_written_is_not_deleted() {
        let mut rows = MemoryRows::default();
        let count = written(&mut rows, |changes| {
            changes.put_new(&COUNTS, b"a".to_vec(), Count(1));
            changes.delete(&COUNTS, b"a".to_vec());
            changes.put_new(&COUNTS, b"b".to_vec(), Count(2));
        });
        assert_eq!(count, 1);
        let count = written(&mut rows, |changes| {
            changes.delete(&COUNTS, b"b".to_vec());
            changes.put_new(&COUNTS, b"b".to_vec(), Count(3));
            changes.delete(&COUNTS, b"b".to_vec());
        });
        assert_eq!((count, COUNTS.get(&rows, b"b").unwrap()), (1, None), "it was there before");
    }

    #[test]
    fn the_last_change_counts() {
        let mut rows = MemoryRows::default();
        written(&mut rows, |changes| {
            changes.put(&COUNTS, b"a".to_vec(), Count(1));
            changes.put(&COUNTS, b"b".to_vec(), Count(2));
            changes.delete(&COUNTS, b"a".to_vec());
            assert_eq!(changes.get(&COUNTS, b"a").unwrap(), None);
            assert_eq!(changes.edit(&COUNTS, b"a").unwrap(), None);
        });
        assert_eq!(COUNTS.get(&rows, b"a").unwrap(), None);
        assert_eq!(COUNTS.get(&rows, b"b").unwrap(), Some(Count(2)));
        written(&mut rows, |changes| {
            changes.edit(&COUNTS, b"b").unwrap().unwrap().0 = 5;
            changes.edit_or(&COUNTS, b"a", || Count(9)).unwrap();
        });
        assert_eq!(COUNTS.get(&rows, b"a").unwrap(), Some(Count(9)));
        assert_eq!(COUNTS.get(&rows, b"b").unwrap(), Some(Count(5)));
    }
}
