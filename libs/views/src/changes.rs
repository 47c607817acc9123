//! What folding a batch of records changes: rows read once, changed in memory, written once.

use std::any::Any;

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
        let slot = Slot { row: Some(Box::new(row)), encode: Some(encode_any::<R>) };
        self.keyspace(table.keyspace).insert(key, slot);
    }

    /// Deletes a row, if it is there; reads nothing.
    pub fn delete<R: Row>(&mut self, table: &Table<R>, key: Vec<u8>) {
        self.keyspace(table.keyspace).insert(key, Slot { row: None, encode: Some(encode_any::<R>) });
    }

    /// What has to be written.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        let changed = self.keyspaces.into_iter().flat_map(|(keyspace, slots)| {
            slots.into_iter().filter_map(move |(key, slot)| {
                let encode = slot.encode?;
                Some(Write { keyspace, key, row: slot.row.map(|row| encode(row.as_ref())) })
            })
        });
        changed.collect()
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
            self.keyspace(table.keyspace).insert(key.to_vec(), Slot { row, encode: None });
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
        assert_eq!(written(&mut rows, |changes| assert_eq!(changes.get(&COUNTS, b"a").unwrap(), Some(&Count(1_000)))), 0);
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
