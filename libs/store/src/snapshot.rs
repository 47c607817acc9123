//! Reading several things as of one moment.

use crate::database::Database;
use crate::{Direction, KeyRange, Keyspace, Scan, StoreError};
use rocksdb::ReadOptions;
use std::fmt;

/// The database as it was at one moment. Short-lived: while it is there, replaced rows cannot be cleaned up.
pub struct Snapshot<'a> {
    database: &'a Database,
    at: rocksdb::Snapshot<'a>,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(database: &'a Database) -> Self {
        Self { database, at: database.inner.db.snapshot() }
    }

    /// A key's value.
    pub fn get(&self, keyspace: &Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let inner = &self.database.inner;
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.at);
        let found = inner.db.get_cf_opt(inner.family(keyspace)?, key, &options);
        found.map_err(|error| inner.place().rocks(&error))
    }

    /// The rows in a range.
    pub fn scan(&'a self, keyspace: &Keyspace, range: &KeyRange, direction: Direction) -> Result<Scan<'a>, StoreError> {
        self.database.inner.scan(keyspace, range, direction, Some(&self.at))
    }
}

impl fmt::Debug for Snapshot<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Snapshot").field("database", &self.database.path()).finish_non_exhaustive()
    }
}
