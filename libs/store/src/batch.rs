//! Changes that take effect together.

use crate::database::Inner;
use crate::keyspace::Kind;
use crate::{Keyspace, StoreError};
use rocksdb::WriteBatch;
use std::fmt;
use std::sync::Arc;

/// What a crash may take of a write that returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing: it is on the disk.
    Synced,
    /// The newest writes since the last flush, whole batches of them. For [rebuildable](crate::Options::rebuildable)
    /// databases only.
    Deferred,
}

/// Changes to any keyspaces of one database, written together or not at all.
pub struct Batch {
    pub(crate) inner: Arc<Inner>,
    pub(crate) changes: WriteBatch,
    pub(crate) misuse: Option<StoreError>,
}

impl Batch {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner, changes: WriteBatch::new(), misuse: None }
    }

    /// Sets a key's value. A keyspace of another database is reported when the batch is written.
    pub fn put(&mut self, keyspace: &Keyspace, key: &[u8], value: &[u8]) {
        match self.inner.family(keyspace) {
            Ok(family) => self.changes.put_cf(family, key, value),
            Err(error) => self.misuse = Some(error),
        }
    }

    /// Removes a key, if it is there; of an [index](crate::KeyspaceSpec::index), one that is there. A keyspace of another database is
    /// reported when the batch is written.
    pub fn delete(&mut self, keyspace: &Keyspace, key: &[u8]) {
        match self.inner.family(keyspace) {
            Ok(family) if keyspace.spec.kind == Kind::Index => self.changes.single_delete_cf(family, key),
            Ok(family) => self.changes.delete_cf(family, key),
            Err(error) => self.misuse = Some(error),
        }
    }

    /// How many changes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Its size in memory and in the write-ahead log.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.changes.size_in_bytes()
    }
}

impl Clone for Batch {
    fn clone(&self) -> Self {
        let changes = WriteBatch::from_data(self.changes.data());
        Self { inner: self.inner.clone(), changes, misuse: self.misuse.clone() }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Batch").field("len", &self.len()).field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}
