//! Walking over a keyspace in order.

use crate::error::Place;
use crate::{Direction, KeyRange, Keyspace, StoreError};
use rocksdb::{ColumnFamily, DB, DBRawIteratorWithThreadMode, ReadOptions, Snapshot};
use std::fmt;
use std::ops::ControlFlow;

/// A key and its value, where they lie.
pub type Row<'a> = (&'a [u8], &'a [u8]);

/// Rows in order, each a key and its value. It reads as of the moment it was made, whatever is written meanwhile.
pub struct Scan<'a> {
    rows: DBRawIteratorWithThreadMode<'a, DB>,
    direction: Direction,
    place: Place<'a>,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    Walking,
    Done,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(
        db: &'a DB,
        family: &'a ColumnFamily,
        keyspace: &Keyspace,
        range: &KeyRange,
        direction: Direction,
        place: Place<'a>,
        snapshot: Option<&Snapshot<'_>>,
    ) -> Self {
        let mut options = ReadOptions::default();
        options.set_verify_checksums(true);
        options.fill_cache(keyspace.spec.kind != crate::keyspace::Kind::AppendOnly);
        // Bounds are told to RocksDB and not only checked here: it then skips files outside, and stops at deleted rows
        // beyond the end instead of walking over all of them.
        if let Some(start) = &range.start {
            options.set_iterate_lower_bound(start.clone());
        }
        if let Some(end) = &range.end {
            options.set_iterate_upper_bound(end.clone());
        }
        if let Some(snapshot) = snapshot {
            options.set_snapshot(snapshot);
        }
        let rows = db.raw_iterator_cf_opt(family, options);
        // RocksDB does not define bounds that exclude everything.
        let state = if range.is_empty() { State::Done } else { State::New };
        Self { rows, direction, place, state }
    }

    /// Moves on and shows the row where it lies; `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, StoreError> {
        match (&self.state, self.direction) {
            (State::Done, _) => return Ok(None),
            (State::New, Direction::Forward) => self.rows.seek_to_first(),
            (State::New, Direction::Reverse) => self.rows.seek_to_last(),
            (State::Walking, Direction::Forward) => self.rows.next(),
            (State::Walking, Direction::Reverse) => self.rows.prev(),
        }
        self.state = State::Walking;
        if !self.rows.valid() {
            // The end and a damaged block look the same until the status is asked for.
            self.state = State::Done;
            self.rows.status().map_err(|error| self.place.rocks(&error))?;
            return Ok(None);
        }
        Ok(self.rows.item())
    }

    /// Shows each row to `visitor` until it breaks off.
    pub fn visit(mut self, mut visitor: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>) -> Result<(), StoreError> {
        while let Some((key, value)) = self.next_row()? {
            if visitor(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Scan<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Scan");
        debug.field("direction", &self.direction).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<(Vec<u8>, Vec<u8>), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec()))).transpose()
    }
}
