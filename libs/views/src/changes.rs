//! What folding a batch of records changes: rows read once, changed in memory, written once.

use std::any::Any;

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::entries::Entries;
use crate::kept::Kept;
use crate::rows::{RowError, Rows};
use crate::table::{Row, Table, encode_into};

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
/// Rows are decoded when a batch touches them first and encoded when it is written, so that one which is touched a thousand
/// times is decoded and encoded once. As bytes, rows stay for the next batches as long as there is room for them.
///
/// Keyspaces that a fold reads are changed by [`get`](Self::get), [`edit`](Self::edit), [`put`](Self::put) and their like. Those
/// that it only writes, indexes and histories, are changed by [`insert`](Self::insert) and [`remove`](Self::remove), which look
/// nothing up. A keyspace is of one kind or the other.
pub struct Changes<'a> {
    rows: &'a dyn Rows,
    keyspaces: Vec<Keyspace>,
    kept: Kept,
    changed: usize,
}

/// A keyspace's rows, as far as the batch touched them.
struct Keyspace {
    name: &'static str,
    rows: IndexMap<Vec<u8>, Slot, FxBuildHasher>,
    /// Where in `rows` the changed ones are.
    changed: Vec<usize>,
    entries: Entries,
}

struct Slot {
    /// `None`: there is no such row (any more).
    row: Option<Box<dyn Any + Send>>,
    /// How to write the row, where it was changed.
    encode: Option<fn(&dyn Any, &mut Vec<u8>)>,
    /// True where the store is known to have no such row: if it is deleted again, there is nothing to write.
    fresh: bool,
}

impl<'a> Changes<'a> {
    /// No changes yet to `rows`.
    #[must_use]
    pub fn new(rows: &'a dyn Rows) -> Self {
        Self { rows, keyspaces: Vec::new(), kept: Kept::default(), changed: 0 }
    }

    /// Reads a row as it is after the changes so far.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn get<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<Option<&R>, RowError> {
        let (space, index) = self.find(table, key)?;
        let row = self.keyspaces[space].rows[index].row.as_deref();
        Ok(row.map(|row| downcast::<R>(row, table.keyspace)))
    }

    /// The row, to be changed.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn edit<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<Option<&mut R>, RowError> {
        let (space, index) = self.find(table, key)?;
        if self.keyspaces[space].rows[index].row.is_none() {
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
        self.edit_or_else(table, key, || Ok(new()))
    }

    /// The row, to be changed; what `new` makes where there is none.
    ///
    /// # Errors
    /// What `new` returns, and [`RowError`] where the store fails or the row cannot be read.
    pub fn edit_or_else<R: Row, E: From<RowError>>(
        &mut self,
        table: &Table<R>,
        key: &[u8],
        new: impl FnOnce() -> Result<R, E>,
    ) -> Result<&mut R, E> {
        let (space, index) = self.find(table, key)?;
        if self.keyspaces[space].rows[index].row.is_none() {
            let new = boxed(new()?);
            self.change::<R>(space, index).row = Some(new);
        }
        let slot = self.change::<R>(space, index);
        let row = slot.row.as_deref_mut().unwrap_or_else(|| unreachable!("it was there, or was put there"));
        Ok(downcast_mut::<R>(row, table.keyspace))
    }

    /// Takes a row out, to be put back changed: that is cheaper than to copy it. Until then it counts as deleted.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn take<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<Option<R>, RowError> {
        let (space, index) = self.find(table, key)?;
        if self.keyspaces[space].rows[index].row.is_none() {
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
        self.set(table, key, Some(row));
    }

    /// Deletes a row, if it is there; reads nothing.
    pub fn delete<R: Row>(&mut self, table: &Table<R>, key: Vec<u8>) {
        self.set(table, key, None);
    }

    fn set<R: Row>(&mut self, table: &Table<R>, key: Vec<u8>, row: Option<R>) {
        let space = self.space(table.keyspace);
        let rows = &mut self.keyspaces[space].rows;
        let index = match rows.get_index_of(&key) {
            Some(index) => index,
            None => rows.insert_full(key, Slot { row: None, encode: None, fresh: false }).0,
        };
        let slot = self.change::<R>(space, index);
        match (&mut slot.row, row) {
            // In place: what a row holds was allocated once.
            (Some(old), Some(row)) => *downcast_mut::<R>(old.as_mut(), table.keyspace) = row,
            (old, row) => *old = row.map(boxed),
        }
    }

    /// Writes a row where there is none, in a keyspace that the fold never reads. Its key is `prefix` and `end`, one after the
    /// other: rows with one prefix are many, and none is another's beginning. A row that is taken out and written again in
    /// one batch has to be the same, so it follows from its key.
    pub fn insert<R: Row>(&mut self, table: &Table<R>, prefix: &[u8], end: &[u8], row: &R) {
        let space = self.space(table.keyspace);
        self.keyspaces[space].entries.insert(prefix, end, |bytes| encode_into(row, bytes));
    }

    /// Takes out a row that is there, of a keyspace that the fold never reads.
    pub fn remove<R: Row>(&mut self, table: &Table<R>, prefix: &[u8], end: &[u8]) {
        let space = self.space(table.keyspace);
        self.keyspaces[space].entries.remove(prefix, end);
    }

    /// Rows that were read may stay from batch to batch, up to about so many bytes; none, unless this is called. Nobody else
    /// may change them meanwhile.
    pub fn keep_at_most(&mut self, bytes: usize) {
        self.kept.keep_at_most(bytes);
    }

    /// How many rows are changed and not written.
    #[must_use]
    pub fn changed(&self) -> usize {
        self.changed + self.keyspaces.iter().map(|space| space.entries.len()).sum::<usize>()
    }

    /// Shows everything that has to be written, in order of the keys within a keyspace, for a store takes that faster: key,
    /// and the row's bytes or none where it is deleted. Afterwards nothing is changed.
    pub fn write(&mut self, mut write: impl FnMut(&'static str, &[u8], Option<&[u8]>)) {
        let mut bytes = Vec::with_capacity(1024);
        for (number, space) in self.keyspaces.iter_mut().enumerate() {
            let mut slots: Vec<(&[u8], &Slot)> = Vec::with_capacity(space.changed.len());
            let changed = space.changed.drain(..).filter_map(|index| space.rows.get_index(index));
            slots.extend(changed.map(|(key, slot)| (key.as_slice(), slot)));
            slots.sort_unstable_by_key(|(key, _)| *key);
            for (key, slot) in slots {
                match (&slot.row, slot.encode) {
                    (Some(row), Some(encode)) => {
                        bytes.clear();
                        encode(row.as_ref(), &mut bytes);
                        if self.kept.peek(number, key) != Some(&bytes) {
                            write(space.name, key, Some(&bytes));
                            self.kept.put(number, key, &bytes);
                        }
                    }
                    (None, _) => {
                        if !slot.fresh {
                            write(space.name, key, None);
                        }
                        self.kept.remove(number, key);
                    }
                    (Some(_), None) => {}
                }
            }
            space.rows.clear();
            space.entries.write(|key, row| write(space.name, key, row));
        }
        self.changed = 0;
        self.kept.age();
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
        self.kept.forget();
        self.changed = 0;
    }

    fn space(&mut self, name: &'static str) -> usize {
        self.keyspaces.iter().position(|known| std::ptr::eq(known.name, name) || known.name == name).unwrap_or_else(
            || {
                self.keyspaces.push(Keyspace {
                    name,
                    rows: IndexMap::default(),
                    changed: Vec::new(),
                    entries: Entries::default(),
                });
                self.keyspaces.len() - 1
            },
        )
    }

    /// Where a row is, once it was read or written before.
    fn find<R: Row>(&mut self, table: &Table<R>, key: &[u8]) -> Result<(usize, usize), RowError> {
        let space = self.space(table.keyspace);
        let keyspace = &mut self.keyspaces[space];
        if let Some(index) = keyspace.rows.get_index_of(key) {
            return Ok((space, index));
        }
        let row = match self.kept.get(space, key) {
            Some(bytes) => Some(boxed(table.decode(bytes)?)),
            None => {
                let mut found = None;
                let kept = &mut self.kept;
                self.rows.get(table.keyspace, key, &mut |bytes| {
                    kept.put(space, key, bytes);
                    found = Some(table.decode(bytes).map(boxed));
                })?;
                found.transpose()?
            }
        };
        let slot = Slot { fresh: row.is_none(), row, encode: None };
        Ok((space, keyspace.rows.insert_full(key.to_vec(), slot).0))
    }

    /// The slot of a row that is about to change.
    fn change<R: Row>(&mut self, space: usize, index: usize) -> &mut Slot {
        let keyspace = &mut self.keyspaces[space];
        let slot = &mut keyspace.rows[index];
        if slot.encode.is_none() {
            slot.encode = Some(encode_any::<R>);
            keyspace.changed.push(index);
            self.changed += 1;
        }
        slot
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
