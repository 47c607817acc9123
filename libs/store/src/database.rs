//! An open database.

use crate::available_bytes;
use crate::error::Place;
use crate::lock::OwnerLock;
use crate::synced::{Acknowledged, Mark, Synced};
use crate::{
    Batch, Direction, Durability, KeyRange, Keyspace, KeyspaceSpec, Options, Scan, Shared, Snapshot, Statistics,
    StoreError,
};
use rocksdb::checkpoint::Checkpoint;
use rocksdb::{ColumnFamily, ColumnFamilyDescriptor, DB, FlushOptions, WriteBatch, WriteOptions};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// RocksDB's own keyspace, which always exists; it stays empty.
const DEFAULT: &str = "default";

/// How long a write waits for flushes and compactions that are under way.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a write waits for them when one has failed before.
const PATIENCE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// An open database. Clones are the same database; it closes when the last clone, batch, snapshot and scan is dropped.
#[derive(Clone)]
pub struct Database {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    // Fields are dropped in this order: the lock goes last.
    pub(crate) db: DB,
    pub(crate) keyspaces: Vec<Keyspace>,
    pub(crate) shared: Shared,
    path: PathBuf,
    write_buffer_bytes: u64,
    /// Of a database of record; none for one that can be rebuilt.
    synced: Option<Synced>,
    flush_on_close: bool,
    _lock: OwnerLock,
}

impl Database {
    /// Opens the database in the directory `path` with exactly these keyspaces; those it does not have yet are made.
    pub fn open(path: impl AsRef<Path>, keyspaces: &[KeyspaceSpec], options: &Options) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let place = Place { path, rebuildable: options.rebuildable };
        let found = find(place)?;
        if !found && (!options.create || options.read_only) {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        fs::create_dir_all(path).map_err(|error| place.io("make the directory", &error))?;
        let lock = OwnerLock::take(place)?;
        // Looked at again under the lock: another process may have made it in between.
        let found = find(place)?;
        let rocks = options.database(!found);
        if found {
            if !options.rebuildable {
                unless_accepted(check_closed(place)?, place, options)?;
            }
            let present = DB::list_cf(&rocks, path).map_err(|error| place.rocks(&error))?;
            let is_known = |name: &String| name == DEFAULT || keyspaces.iter().any(|spec| spec.name() == name);
            let names: Vec<String> = present.into_iter().filter(|name| !is_known(name)).collect();
            if !names.is_empty() {
                return Err(StoreError::ForeignKeyspaces { path: path.to_owned(), names });
            }
        } else if !options.rebuildable {
            Synced::prepare(place)?;
        }
        let default = KeyspaceSpec::new(DEFAULT);
        let families = std::iter::once(&default)
            .chain(keyspaces)
            .map(|spec| ColumnFamilyDescriptor::new(spec.name(), options.keyspace(spec)));
        let db = if options.read_only {
            DB::open_cf_descriptors_read_only(&rocks, path, families, false)
        } else {
            DB::open_cf_descriptors(&rocks, path, families)
        };
        let db = db.map_err(|error| place.rocks(&error))?;
        let synced = if options.rebuildable {
            None
        } else {
            if found {
                unless_accepted(check_open(place, &db)?, place, options)?;
            }
            Some(Synced::start(place, db.latest_sequence_number())?)
        };
        let inner = Inner {
            db,
            keyspaces: keyspaces.iter().map(|spec| Keyspace { spec: spec.clone() }).collect(),
            shared: options.shared.clone(),
            path: path.to_owned(),
            write_buffer_bytes: options.write_buffer_bytes as u64,
            synced,
            flush_on_close: options.rebuildable && !options.read_only && !options.throwaway,
            _lock: lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// The keyspace of that name.
    pub fn keyspace(&self, name: &str) -> Result<Keyspace, StoreError> {
        let found = self.inner.keyspaces.iter().find(|keyspace| keyspace.name() == name);
        found.cloned().ok_or_else(|| self.inner.unknown(name))
    }

    /// Every keyspace it was opened with.
    #[must_use]
    pub fn keyspaces(&self) -> &[Keyspace] {
        &self.inner.keyspaces
    }

    /// A key's value.
    pub fn get(&self, keyspace: &Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.inner.db.get_cf(self.inner.family(keyspace)?, key);
        found.map_err(|error| self.inner.place().rocks(&error))
    }

    /// Shows a key's value to `read`, where it lies; whether there is one.
    pub fn read(&self, keyspace: &Keyspace, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<bool, StoreError> {
        let found = self.inner.db.get_pinned_cf(self.inner.family(keyspace)?, key);
        let found = found.map_err(|error| self.inner.place().rocks(&error))?;
        Ok(found.map(|value| read(&value)).is_some())
    }

    /// The rows in a range.
    pub fn scan(&self, keyspace: &Keyspace, range: &KeyRange, direction: Direction) -> Result<Scan<'_>, StoreError> {
        self.inner.scan(keyspace, range, direction, None)
    }

    /// The database as it is now, to read several things of the same moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new(self)
    }

    /// An empty batch.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(self.inner.clone())
    }

    /// Writes a batch, whole. [`Durability::Synced`] on a rebuildable database costs a flush.
    pub fn write(&self, batch: &Batch, durability: Durability) -> Result<(), StoreError> {
        if let Some(error) = &batch.misuse {
            return Err(error.clone());
        }
        let inner = &self.inner;
        let mut options = WriteOptions::default();
        match &inner.synced {
            Some(synced) => {
                if durability == Durability::Deferred {
                    return Err(StoreError::NotRebuildable { path: inner.path.clone() });
                }
                options.set_sync(true);
                inner.put(&batch.changes, &mut options)?;
                // Counted only once it is synced, so the number covers no other writer's change that is not.
                synced.advance(inner.place(), inner.db.latest_sequence_number())
            }
            None => {
                options.disable_wal(true);
                inner.put(&batch.changes, &mut options)?;
                if durability == Durability::Synced { inner.flush(true) } else { Ok(()) }
            }
        }
    }

    /// Brings everything written so far into files. After it, no crash takes any of it.
    pub fn flush(&self) -> Result<(), StoreError> {
        self.inner.flush(true)
    }

    /// Begins to bring everything written so far into files, in the background.
    pub fn begin_flush(&self) -> Result<(), StoreError> {
        self.inner.flush(false)
    }

    /// Makes a copy of the database, as it is now, in the new directory `path`. On the same filesystem its files are hard
    /// links: that takes milliseconds, and no space until the original moves on.
    pub fn checkpoint(&self, path: impl AsRef<Path>) -> Result<(), StoreError> {
        let place = self.inner.place();
        let path = path.as_ref();
        let number = self.inner.db.latest_sequence_number();
        let checkpoint = Checkpoint::new(&self.inner.db).map_err(|error| place.rocks(&error))?;
        checkpoint.create_checkpoint(path).map_err(|error| place.rocks(&error))?;
        if self.inner.synced.is_some() {
            Synced::start(Place { path, ..place }, number)?;
        }
        Ok(())
    }

    /// What it uses and what it is doing.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics::collect(&self.inner)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn place(&self) -> Place<'_> {
        Place { path: &self.path, rebuildable: self.synced.is_none() }
    }

    pub(crate) fn family(&self, keyspace: &Keyspace) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(keyspace.name()).ok_or_else(|| self.unknown(keyspace.name()))
    }

    pub(crate) fn scan<'a>(
        &'a self,
        keyspace: &Keyspace,
        range: &KeyRange,
        direction: Direction,
        snapshot: Option<&rocksdb::Snapshot<'_>>,
    ) -> Result<Scan<'a>, StoreError> {
        let family = self.family(keyspace)?;
        Ok(Scan::new(&self.db, family, keyspace, range, direction, self.place(), snapshot))
    }

    /// Writes, and waits while RocksDB is behind with what it does in the background; but not, as RocksDB would by itself, for
    /// ever, when that failed and cannot go on.
    fn put(&self, changes: &WriteBatch, options: &mut WriteOptions) -> Result<(), StoreError> {
        options.set_no_slowdown(true);
        let started = Instant::now();
        loop {
            // Written batches are consumed, also those that are refused.
            let attempt = WriteBatch::from_data(changes.data());
            match self.db.write_opt(attempt, options) {
                Err(error) if error.kind() == rocksdb::ErrorKind::Incomplete => {}
                done => return done.map_err(|error| self.place().rocks(&error)),
            }
            let patience = if self.has_failed() { PATIENCE_AFTER_FAILURE } else { PATIENCE };
            if started.elapsed() > patience {
                return Err(self.stalled());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Why writes are stopped, as far as it can be told: RocksDB does not say what failed.
    fn stalled(&self) -> StoreError {
        let path = self.path.clone();
        match available_bytes(&path) {
            Ok(available) if available < self.write_buffer_bytes => {
                StoreError::Full { path, detail: format!("writes are stopped, and {available} bytes are free") }
            }
            _ => {
                StoreError::Io { path, detail: "writes are stopped, because earlier ones could not be flushed".into() }
            }
        }
    }

    /// Whether background work failed since the database was opened.
    pub(crate) fn has_failed(&self) -> bool {
        self.db.property_int_value("rocksdb.background-errors").is_ok_and(|count| count > Some(0))
    }

    fn unknown(&self, name: &str) -> StoreError {
        StoreError::UnknownKeyspace { path: self.path.clone(), name: name.to_owned() }
    }

    fn flush(&self, wait: bool) -> Result<(), StoreError> {
        let families: Result<Vec<_>, _> = self.keyspaces.iter().map(|keyspace| self.family(keyspace)).collect();
        let mut options = FlushOptions::default();
        options.set_wait(wait);
        self.db.flush_cfs_opt(&families?, &options).map_err(|error| self.place().rocks(&error))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // What is only in memory would be lost; with a write-ahead log nothing is.
        if self.flush_on_close
            && !self.has_failed()
            && let Err(error) = self.flush(true)
        {
            tracing::warn!(%error, "the newest writes were not flushed on closing; they will be rebuilt");
        }
        // RocksDB's threads must be done with the database before its memory goes.
        self.db.cancel_all_background_work(true);
        if let Some(synced) = &self.synced
            && let Err(error) = synced.advance(self.place(), self.db.latest_sequence_number())
        {
            tracing::warn!(%error, "what the background did last is not noted");
        }
    }
}

/// Whether there is a database in the directory. Files of one without its `CURRENT`, from which everything else is found, are
/// damage: RocksDB would start a new, empty database over them.
fn find(place: Place<'_>) -> Result<bool, StoreError> {
    let entries = match fs::read_dir(place.path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(place.io("read the directory", &error)),
    };
    let mut remains = None;
    for entry in entries {
        let file = entry.map_err(|error| place.io("read the directory", &error))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name == "CURRENT" {
            return Ok(true);
        }
        // Not the manifest: a crash while a database is being made leaves one, and nothing else.
        if name.ends_with(".sst") || name.ends_with(".log") {
            remains = Some(name.into_owned());
        }
    }
    match (remains, Mark::read(place)?) {
        (Some(name), _) => Err(place.corrupt(format!("the file CURRENT is missing, but {name} is there"))),
        (None, Mark::At(Acknowledged { changes: 1.., .. })) => {
            Err(place.corrupt("its files are missing, but it was written to"))
        }
        (None, _) => Ok(false),
    }
}

/// Refuses a database of record that lacks something that was acknowledged, as far as that can be told from outside.
fn check_closed(place: Place<'_>) -> Result<Option<String>, StoreError> {
    Ok(match Mark::read(place)? {
        Mark::At(acknowledged) if acknowledged.manifest.is_intact(place)? => None,
        Mark::At(_) => Some("its manifest is damaged or cut off".to_owned()),
        Mark::Absent => Some("the file synced is missing".to_owned()),
        Mark::Damaged => Some("the file synced is damaged".to_owned()),
    })
}

/// The same once it is open.
fn check_open(place: Place<'_>, db: &DB) -> Result<Option<String>, StoreError> {
    let present = db.latest_sequence_number();
    Ok(match Mark::read(place)? {
        Mark::At(Acknowledged { changes, .. }) if changes > present => {
            Some(format!("{} changes are missing that were acknowledged last", changes - present))
        }
        _ => None,
    })
}

/// What is missing is an error, unless an operator said that it is not.
fn unless_accepted(problem: Option<String>, place: Place<'_>, options: &Options) -> Result<(), StoreError> {
    match problem {
        None => Ok(()),
        Some(problem) if options.accept_loss => {
            tracing::warn!(path = %place.path.display(), problem, "opened as it is, as asked");
            Ok(())
        }
        Some(problem) => Err(place.corrupt(problem)),
    }
}
