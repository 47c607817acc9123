//! A view's rows in RocksDB, with the place in the log up to which they hold.

use std::cell::RefCell;
use std::path::Path;
use std::sync::OnceLock;

use pactum_journal::Position;
use pactum_store::{
    Batch, Database, Direction, Durability, Keyspace, KeyspaceSpec, Options, Shared, Snapshot, StoreError,
};
use pactum_views::changes::Write;
use pactum_views::view::COMMON_KEYSPACES;
use pactum_views::{KeyRange, Order, RowError, Rows, View, Visit};

use crate::watches::{Noted, Watches};

/// Where the position lies, beside the view's own keyspaces.
const META: &str = "meta";
const POSITION: &[u8] = b"position";
const POSITION_VERSION: u8 = 1;

/// What a view's writes wait in before they go to a file: not large, because there are several views.
const WRITE_BUFFER: usize = 24 * 1024 * 1024;

/// A view's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ViewStoreError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{path} keeps a position that this build cannot read; move it away, and it is built anew from the log")]
    Position { path: String },
}

impl ViewStoreError {
    /// What is wrong with the files, where they are damaged: the rows can be made anew.
    pub(crate) fn damage(&self) -> Option<String> {
        match self {
            Self::Store(StoreError::Corrupt { detail, .. }) => Some(detail.clone()),
            Self::Position { .. } => Some("its place in the log cannot be read".to_owned()),
            Self::Store(_) => None,
        }
    }
}

/// An open view.
pub(crate) struct ViewStore {
    /// Whose rows they are: which version folds them and reads them.
    view: &'static dyn View,
    database: Database,
    keyspaces: Vec<(&'static str, Keyspace)>,
    meta: Keyspace,
    /// Who holds rows of it in memory.
    watches: Watches,
    /// What was found to be damaged first; nothing, as far as it was read.
    damage: OnceLock<String>,
}

impl ViewStore {
    pub(crate) fn open(path: &Path, view: &'static dyn View, shared: &Shared) -> Result<Self, ViewStoreError> {
        Self::open_as(path, view, Options { shared: shared.clone(), ..Options::default() })
    }

    /// Opens a copy of a view, or an empty one, that goes when it is closed.
    pub(crate) fn open_throwaway(
        path: &Path,
        view: &'static dyn View,
        shared: &Shared,
    ) -> Result<Self, ViewStoreError> {
        Self::open_as(path, view, Options { shared: shared.clone(), throwaway: true, ..Options::default() })
    }

    /// Opens a view that is there, to read it only.
    pub(crate) fn look(path: &Path, view: &'static dyn View, shared: &Shared) -> Result<Self, ViewStoreError> {
        Self::open_as(path, view, Options { shared: shared.clone(), read_only: true, ..Options::default() })
    }

    fn open_as(path: &Path, view: &'static dyn View, options: Options) -> Result<Self, ViewStoreError> {
        let names: Vec<&'static str> = view.keyspaces().iter().chain(COMMON_KEYSPACES).copied().collect();
        let spec = |name: &'static str| match view.only_written().contains(&name) {
            true => KeyspaceSpec::index(name),
            false => KeyspaceSpec::new(name),
        };
        let specs: Vec<_> = names.iter().copied().chain([META]).map(spec).collect();
        let options = Options { rebuildable: true, write_buffer_bytes: WRITE_BUFFER, ..options };
        let database = Database::open(path, &specs, &options)?;
        let keyspaces = names.into_iter().map(|name| Ok((name, database.keyspace(name)?)));
        let keyspaces = keyspaces.collect::<Result<_, StoreError>>()?;
        let meta = database.keyspace(META)?;
        let watches = Watches::default();
        Ok(Self { view, database, keyspaces, meta, watches, damage: OnceLock::new() })
    }

    /// The view, of the version whose rows these are.
    pub(crate) fn view(&self) -> &'static dyn View {
        self.view
    }

    /// What of its files was found to be damaged by whoever read or wrote them.
    pub(crate) fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }

    /// As if it had been found to be damaged.
    pub(crate) fn mark_damaged(&self, why: String) {
        self.damage.set(why).ok();
    }

    /// Takes note of damage, which somebody sees to who can make the rows anew.
    fn noted(&self, error: StoreError) -> StoreError {
        if let StoreError::Corrupt { detail, .. } = &error
            && self.damage.set(detail.clone()).is_ok()
        {
            tracing::error!(path = %self.path().display(), detail, "rows of a view are damaged");
        }
        error
    }

    fn failed(&self, keyspace: &'static str, error: StoreError) -> RowError {
        RowError::Store { keyspace, source: Box::new(self.noted(error)) }
    }

    /// Its directory.
    pub(crate) fn path(&self) -> &Path {
        self.database.path()
    }

    /// Makes a copy of it, as it is now, in the new directory `path`.
    pub(crate) fn checkpoint(&self, path: &Path) -> Result<(), StoreError> {
        self.database.checkpoint(path).map_err(|error| self.noted(error))
    }

    /// Bytes of rows that are only in memory.
    pub(crate) fn unflushed_bytes(&self) -> u64 {
        self.database.statistics().memory_bytes()
    }

    /// The place in the log up to which the rows hold.
    pub(crate) fn position(&self) -> Result<Position, ViewStoreError> {
        self.read_position(self.database.get(&self.meta, POSITION)?)
    }

    /// The offset up to which the rows hold; none where it cannot be read.
    pub(crate) fn offset(&self) -> Option<u64> {
        self.position().ok().map(|position| position.offset)
    }

    /// Who holds rows of it in memory.
    pub(crate) fn watches(&self) -> &Watches {
        &self.watches
    }

    fn read_position(&self, bytes: Option<Vec<u8>>) -> Result<Position, ViewStoreError> {
        let Some(bytes) = bytes else { return Ok(Position::default()) };
        let read = bytes.strip_prefix(&[POSITION_VERSION]).and_then(|bytes| postcard::from_bytes(bytes).ok());
        read.ok_or_else(|| ViewStoreError::Position { path: self.database.path().display().to_string() })
    }

    /// Writes rows and position together.
    pub(crate) fn write(&self, writes: &[Write], position: &Position) -> Result<(), StoreError> {
        let mut batch = self.batch();
        for write in writes {
            batch.set(write.keyspace, &write.key, write.row.as_deref());
        }
        batch.set_position(position);
        self.commit(&batch)
    }

    /// An empty batch.
    pub(crate) fn batch(&self) -> StoreBatch<'_> {
        StoreBatch { store: self, batch: self.database.batch(), watched: self.watches.noted().into(), offset: 0 }
    }

    /// Writes a batch, whole, with its position.
    pub(crate) fn commit(&self, batch: &StoreBatch<'_>) -> Result<(), StoreError> {
        self.watches.announce(batch.offset, batch.watched.take(), || self.offset());
        self.database.write(&batch.batch, Durability::Deferred).map_err(|error| self.noted(error))
    }

    /// Begins to bring everything written so far to the disk, in the background.
    pub(crate) fn begin_flush(&self) -> Result<(), StoreError> {
        self.database.begin_flush().map_err(|error| self.noted(error))
    }

    /// Brings everything written so far to the disk.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.database.flush().map_err(|error| self.noted(error))
    }

    /// The rows as they are now, to read several of the same moment.
    pub(crate) fn snapshot(&self) -> SnapshotRows<'_> {
        SnapshotRows { store: self, at: self.database.snapshot() }
    }

    /// Rows, about, and bytes in files.
    pub(crate) fn size(&self) -> (u64, u64) {
        let statistics = self.database.statistics();
        let rows = statistics.keyspaces.iter().map(|keyspace| keyspace.rows).sum();
        (rows, statistics.file_bytes())
    }

    /// Tells the metrics what RocksDB uses for it.
    pub(crate) fn measure(&self, name: &str) {
        self.database.statistics().publish(name);
    }

    /// The view's keyspaces, in a fixed order.
    pub(crate) fn keyspaces(&self) -> impl Iterator<Item = &'static str> {
        self.keyspaces.iter().map(|(name, _)| *name)
    }

    fn keyspace(&self, name: &'static str) -> &Keyspace {
        let found = self.keyspaces.iter().find(|(known, _)| *known == name).map(|(_, keyspace)| keyspace);
        found.unwrap_or_else(|| unreachable!("a view reads and writes the keyspaces it names, and {name} is none"))
    }
}

/// Rows and position that are written together.
pub(crate) struct StoreBatch<'a> {
    store: &'a ViewStore,
    batch: Batch,
    watched: RefCell<Noted>,
    /// That of its position.
    offset: u64,
}

impl StoreBatch<'_> {
    /// Writes a row, or deletes it.
    pub(crate) fn set(&mut self, keyspace: &'static str, key: &[u8], row: Option<&[u8]>) {
        self.watched.get_mut().note(keyspace, key, row);
        let keyspace = self.store.keyspace(keyspace);
        match row {
            Some(row) => self.batch.put(keyspace, key, row),
            None => self.batch.delete(keyspace, key),
        }
    }

    /// Says up to where the rows hold.
    pub(crate) fn set_position(&mut self, position: &Position) {
        let bytes = postcard::to_extend(position, vec![POSITION_VERSION])
            .expect("a Vec takes any number of bytes, and a position is plain numbers and text");
        self.batch.put(&self.store.meta, POSITION, &bytes);
        self.offset = position.offset;
    }
}

impl Rows for ViewStore {
    fn get(&self, keyspace: &'static str, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<bool, RowError> {
        self.database.read(self.keyspace(keyspace), key, read).map_err(|error| self.failed(keyspace, error))
    }

    fn scan(
        &self,
        keyspace: &'static str,
        range: &KeyRange,
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), RowError> {
        let scan = self.database.scan(self.keyspace(keyspace), &bounds(range), direction(order));
        scan.and_then(|scan| scan.visit(visit)).map_err(|error| self.failed(keyspace, error))
    }
}

/// A view's rows at one moment.
pub(crate) struct SnapshotRows<'a> {
    store: &'a ViewStore,
    at: Snapshot<'a>,
}

impl SnapshotRows<'_> {
    /// The place in the log up to which these rows hold.
    pub(crate) fn position(&self) -> Result<Position, ViewStoreError> {
        self.store.read_position(self.at.get(&self.store.meta, POSITION)?)
    }

    pub(crate) fn keyspaces(&self) -> impl Iterator<Item = &'static str> {
        self.store.keyspaces()
    }
}

impl Rows for SnapshotRows<'_> {
    fn get(&self, keyspace: &'static str, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<bool, RowError> {
        let found = self.at.get(self.store.keyspace(keyspace), key);
        let found = found.map_err(|error| self.store.failed(keyspace, error))?;
        Ok(found.map(|row| read(&row)).is_some())
    }

    fn scan(
        &self,
        keyspace: &'static str,
        range: &KeyRange,
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), RowError> {
        let scan = self.at.scan(self.store.keyspace(keyspace), &bounds(range), direction(order));
        scan.and_then(|scan| scan.visit(visit)).map_err(|error| self.store.failed(keyspace, error))
    }
}

fn bounds(range: &KeyRange) -> pactum_store::KeyRange {
    match &range.to {
        Some(to) => pactum_store::KeyRange::new::<&[u8]>(range.from.as_slice()..to.as_slice()),
        None => pactum_store::KeyRange::new::<&[u8]>(range.from.as_slice()..),
    }
}

fn direction(order: Order) -> Direction {
    match order {
        Order::Ascending => Direction::Forward,
        Order::Descending => Direction::Reverse,
    }
}
