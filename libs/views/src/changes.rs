//! What folding a batch of records changes: rows read once, changed in memory, written once.

use std::any::Any;
use std::cell::Cell;

use indexmap::IndexMap as Map;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::rows::{RowError, Rows};
use crate::table::{Row, Table, encode_into};

/// About what a row takes in memory besides its key and twice its bytes.
const ROW_OVERHEAD: usize = 160;

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
/// Rows are kept decoded, so that a row which a batch touches a thousand times is decoded and encoded once. Those that were
/// read stay for the next batch as long as there is room for them.
pub struct Changes<'a> {
    rows: &'a dyn Rows,
    keyspaces: Vec<Keyspace>,
    /// How many bytes of rows may stay once they are written.
    keep: usize,
    kept: usize,
    changed: usize,
}

type IndexMap = Map<Vec<u8>, Slot, FxBuildHasher>;

/// A keyspace's rows.
struct Keyspace {
    name: &'static str,
    /// What was read since the rows were last aged, and everything that was changed after it was read.
    recent: IndexMap,
    /// What was read before that, and not since. Goes next.
    older: IndexMap,
    /// Where in `recent` the changed rows are.
    changed: Vec<usize>,
    /// Rows that were written and never read. They do not stay.
    unread: FxHashMap<Vec<u8>, Slot>,
}

struct Slot {
    /// `None`: there is no such row (any more).
    row: Option<Box<dyn Any + Send>>,
    /// How to write the row, while it is changed and not written.
    encode: Option<fn(&dyn Any, &mut Vec<u8>)>,
    /// True where the store is known to have no such row: if it is deleted again, there is nothing to write.
    fresh: bool,
    /// About what it takes in memory.
    bytes: Cell<usize>,
}

impl<'a> Changes<'a> {
    /// No changes yet to `rows`.
    #[must_use]
    pub fn new(rows: &'a dyn Rows) -> Self {
        Self { rows, keyspaces: Vec::new(), keep: 0, kept: 0, changed: 0 }
    }

    /// Reads a row as it is after the changes so far.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn get<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<Option<&R>, RowError> {
        let (space, index) = self.find(table, key)?;
        let row = self.keyspaces[space].recent[index].row.as_deref();
        Ok(row.map(|row| downcast::<R>(row, table.keyspace)))
    }

    /// The row, to be changed.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn edit<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<Option<&mut R>, RowError> {
        let (space, index) = self.find(table, key)?;
        if self.keyspaces[space].recent[index].row.is_none() {
            return Ok(None);
        }
        let slot = self.change::<R>(space, index);
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
        let (space, index) = self.find(table, key)?;
        let slot = self.change::<R>(space, index);
        let row = slot.row.get_or_insert_with(|| Box::new(new()));
        Ok(downcast_mut::<R>(row.as_mut(), table.keyspace))
    }

    /// Takes a row out, to be put back changed: that is cheaper than to copy it. Until then it counts as deleted.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn take<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<Option<R>, RowError> {
        let (space, index) = self.find(table, key)?;
        if self.keyspaces[space].recent[index].row.is_none() {
            return Ok(None);
        }
        let row = self.change::<R>(space, index).row.take();
        Ok(row.map(|row| match row.downcast() {
            Ok(row) => *row,
            Err(_) => unreachable!("{} is named by two tables with different rows", table.keyspace),
        }))
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
        let space = self.space(table.keyspace);
        if let Some(index) = self.keyspaces[space].known(&key) {
            let slot = self.change::<R>(space, index);
            match (&mut slot.row, row) {
                // In place: what a row holds was allocated once.
                (Some(old), Some(row)) => *downcast_mut::<R>(old.as_mut(), table.keyspace) = row,
                (old, row) => *old = row.map(boxed),
            }
            return;
        }
        let row = row.map(boxed);
        let changed = &mut self.changed;
        let slot = self.keyspaces[space].unread.entry(key).or_insert_with(|| {
            *changed += 1;
            Slot { row: None, encode: Some(encode_any::<R>), fresh, bytes: Cell::new(0) }
        });
        slot.row = row;
    }

    /// Rows that were read may stay from batch to batch, up to about so many bytes; none, unless this is called. Nobody else
    /// may change them meanwhile.
    pub fn keep_at_most(&mut self, bytes: usize) {
        self.keep = bytes;
    }

    /// How many rows are changed and not written.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.changed
    }

    /// Shows everything that has to be written, in order of the keys within a keyspace, for a store takes that faster: key,
    /// and the row's bytes or none where it is deleted. Afterwards nothing is changed.
    pub fn write(&mut self, mut write: impl FnMut(&'static str, &[u8], Option<&[u8]>)) {
        let mut bytes = Vec::with_capacity(1024);
        for space in &mut self.keyspaces {
            let mut slots: Vec<(&[u8], &Slot)> = Vec::with_capacity(space.changed.len() + space.unread.len());
            let recent = space.changed.iter().filter_map(|index| space.recent.get_index(*index));
            slots.extend(recent.chain(&space.unread).map(|(key, slot)| (key.as_slice(), slot)));
            slots.sort_unstable_by_key(|(key, _)| *key);
            for (key, slot) in slots {
                match (&slot.row, slot.encode) {
                    (Some(row), Some(encode)) => {
                        bytes.clear();
                        encode(row.as_ref(), &mut bytes);
                        let size = key.len() + 2 * bytes.len() + ROW_OVERHEAD;
                        self.kept = (self.kept + size).saturating_sub(slot.bytes.replace(size));
                        write(space.name, key, Some(&bytes));
                    }
                    (None, _) if !slot.fresh => write(space.name, key, None),
                    (None, _) | (Some(_), None) => {}
                }
            }
            for index in space.changed.drain(..) {
                if let Some((_, slot)) = space.recent.get_index_mut(index) {
                    slot.encode = None;
                    slot.fresh = slot.row.is_none();
                }
            }
            space.unread.clear();
        }
        self.changed = 0;
        self.age();
    }

    /// What has to be written, in order of the keys within a keyspace.
    #[must_use]
    pub fn into_writes(mut self) -> Vec<Write> {
        let mut writes = Vec::with_capacity(self.changed);
        self.write(|keyspace, key, row| {
            writes.push(Write { keyspace, key: key.to_vec(), row: row.map(<[u8]>::to_vec) });
        });
        writes
    }

    /// Forgets all rows, changed ones too.
    pub fn forget(&mut self) {
        self.keyspaces.clear();
        (self.kept, self.changed) = (0, 0);
    }

    /// Lets go of what was not read lately, once half of the room is used.
    fn age(&mut self) {
        if self.kept <= self.keep / 2 {
            return;
        }
        if self.keep == 0 {
            return self.forget();
        }
        for space in &mut self.keyspaces {
            space.older = std::mem::take(&mut space.recent);
        }
        self.kept = 0;
    }

    fn space(&mut self, name: &'static str) -> usize {
        self.keyspaces.iter().position(|known| std::ptr::eq(known.name, name) || known.name == name).unwrap_or_else(
            || {
                self.keyspaces.push(Keyspace {
                    name,
                    recent: IndexMap::default(),
                    older: IndexMap::default(),
                    changed: Vec::new(),
                    unread: FxHashMap::default(),
                });
                self.keyspaces.len() - 1
            },
        )
    }

    /// Where a row is, once it was read or written before.
    fn find<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<(usize, usize), RowError> {
        let space = self.space(table.keyspace);
        if let Some(index) = self.keyspaces[space].recent.get_index_of(key) {
            return Ok((space, index));
        }
        if let Some(index) = self.keyspaces[space].known(key) {
            self.kept += self.keyspaces[space].recent[index].bytes.get();
            return Ok((space, index));
        }
        let keyspace = &mut self.keyspaces[space];
        if let Some(slot) = keyspace.unread.remove(key) {
            let index = keyspace.recent.insert_full(key.to_vec(), slot).0;
            keyspace.changed.push(index);
            return Ok((space, index));
        }
        let mut bytes = key.len() + ROW_OVERHEAD;
        let row = table.get_sized(self.rows, key)?.map(|(row, size)| {
            bytes += 2 * size;
            boxed(row)
        });
        let fresh = row.is_none();
        let slot = Slot { row, encode: None, fresh, bytes: Cell::new(bytes) };
        self.kept += bytes;
        Ok((space, keyspace.recent.insert_full(key.to_vec(), slot).0))
    }

    /// The slot of a row that is about to change.
    fn change<R: Row>(&mut self, space: usize, index: usize) -> &mut Slot {
        let keyspace = &mut self.keyspaces[space];
        let slot = &mut keyspace.recent[index];
        if slot.encode.is_none() {
            slot.encode = Some(encode_any::<R>);
            keyspace.changed.push(index);
            self.changed += 1;
        }
        slot
    }
}

impl Keyspace {
    /// Where a row that was read before is; it counts as read lately from now on.
    fn known(&mut self, key: &[u8]) -> Option<usize> {
        if let Some(index) = self.recent.get_index_of(key) {
            return Some(index);
        }
        let (_, key, slot) = self.older.swap_remove_full(key)?;
        Some(self.recent.insert_full(key, slot).0)
    }
}

fn boxed<R: Row>(row: R) -> Box<dyn Any + Send> {
    Box::new(row)
}

fn encode_any<R: Row>(row: &dyn Any, bytes: &mut Vec<u8>) {
    encode_into(downcast::<R>(row, "a table"), bytes);
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
#[path = "changes_tests.rs"]
mod tests;
