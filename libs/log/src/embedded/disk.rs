//! The log's database, which can be closed and opened again under the feet of its readers.

use super::error::from_store;
use super::format;
use crate::{Entry, LogError, Offset, Partition};
use bytes::Bytes;
use pactum_store::{
    Batch, Database, Direction, Durability, KeyRange, Keyspace, KeyspaceSpec, Options, Statistics, StoreError,
    available_bytes,
};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// What a reader takes from the disk at once: bounds its memory and the time the database cannot be reopened.
const CHUNK_BYTES: usize = 1024 * 1024;
const CHUNK_ENTRIES: usize = 8 * 1024;

pub(super) struct Disk {
    path: PathBuf,
    partitions: u32,
    options: Options,
    /// Readers hold the lock only while they read a chunk.
    state: RwLock<State>,
}

enum State {
    Open(Open),
    /// An attempt to open it again failed, and there will be another.
    Unavailable,
    Closed,
}

struct Open {
    database: Database,
    keyspaces: Vec<Keyspace>,
}

/// A batch under construction.
pub(super) struct Entries<'a> {
    keyspaces: &'a [Keyspace],
    batch: Batch,
    value: &'a mut Vec<u8>,
}

impl Entries<'_> {
    pub(super) fn put(&mut self, partition: Partition, offset: Offset, entry: &[u8]) {
        format::encode(partition, offset, entry, self.value);
        // The partition was checked when its appender was opened.
        if let Some(keyspace) = self.keyspaces.get(partition as usize) {
            self.batch.put(keyspace, &format::key(offset), self.value);
        }
    }
}

impl Disk {
    pub(super) fn open(path: &Path, partitions: u32, mut options: Options) -> Result<Self, StoreError> {
        let open = Open::new(path, partitions, &options)?;
        // If it has to be opened again later, it is there, and nothing that was acknowledged may be missing.
        options.create = false;
        options.accept_loss = false;
        Ok(Self { path: path.to_owned(), partitions, options, state: RwLock::new(State::Open(open)) })
    }

    /// Closes the database and opens it again, to get RocksDB out of a state in which it takes no more writes.
    pub(super) fn reopen(&self) -> Result<(), StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // Closed first: it holds the lock file.
        *state = State::Unavailable;
        *state = State::Open(Open::new(&self.path, self.partitions, &self.options)?);
        Ok(())
    }

    /// Brings everything into files and closes the database.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Closed) {
            // With a disk that was full, what is not in files stays in the write-ahead log.
            State::Open(open) if open.database.statistics().background_errors > 0 => Ok(()),
            State::Open(open) => open.database.flush(),
            State::Unavailable | State::Closed => Ok(()),
        }
    }

    /// Writes what `fill` puts into a batch, and returns when it is on the disk.
    pub(super) fn write(&self, value: &mut Vec<u8>, fill: impl FnOnce(&mut Entries<'_>)) -> Result<(), LogError> {
        self.with(|open| {
            let mut entries = Entries { keyspaces: &open.keyspaces, batch: open.database.batch(), value };
            fill(&mut entries);
            open.database.write(&entries.batch, Durability::Synced).map_err(from_store)
        })
    }

    /// The offset after the partition's last entry.
    pub(super) fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        self.with(|open| {
            let keyspace = open.keyspace(partition)?;
            let edge = |direction| {
                let mut rows = open.database.scan(keyspace, &KeyRange::all(), direction).map_err(from_store)?;
                rows.next().transpose().map_err(from_store)
            };
            let Some((key, value)) = edge(Direction::Reverse)? else { return Ok(0) };
            let last = <[u8; 8]>::try_from(key.as_slice()).map(Offset::from_be_bytes).unwrap_or(0);
            format::decode(partition, last, &key, &value)?;
            if let Some((key, value)) = edge(Direction::Forward)? {
                format::decode(partition, 0, &key, &value)?;
            }
            Ok(last + 1)
        })
    }

    /// Reads entries from `from` on, up to `end`, at least one and as many as make a chunk. Blocks.
    pub(super) fn read(&self, partition: Partition, from: Offset, end: Offset) -> Result<Vec<Entry>, LogError> {
        let mut entries = Vec::new();
        let mut bytes = 0;
        let mut damage = None;
        self.with(|open| {
            let range = KeyRange::new(format::key(from)..format::key(end));
            let rows = open.database.scan(open.keyspace(partition)?, &range, Direction::Forward);
            let visited = rows.map_err(from_store)?.visit(|key, value| {
                let offset = from + entries.len() as u64;
                match format::decode(partition, offset, key, value) {
                    Ok(entry) => {
                        bytes += entry.len();
                        entries.push(Entry { offset, bytes: Bytes::copy_from_slice(entry) });
                    }
                    Err(error) => damage = Some(error),
                }
                let enough = bytes >= CHUNK_BYTES || entries.len() >= CHUNK_ENTRIES;
                if enough || damage.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            // What was read before the damage is good, and is given; the next read starts at the damage and tells it.
            if entries.is_empty() {
                visited.map_err(from_store)?;
                let lacks =
                    || LogError::Corrupt(format!("partition {partition} lacks the entries from {from} to {end}"));
                return Err(damage.take().unwrap_or_else(lacks));
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// Bytes this process may still write where the log is.
    pub(super) fn available_bytes(&self) -> Result<u64, LogError> {
        available_bytes(&self.path).map_err(|error| LogError::Unavailable(format!("{}: {error}", self.path.display())))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether background work failed since the database was opened.
    pub(super) fn has_failed(&self) -> bool {
        self.statistics().is_none_or(|statistics| statistics.background_errors > 0)
    }

    pub(super) fn statistics(&self) -> Option<Statistics> {
        self.with(|open| Ok(open.database.statistics())).ok()
    }

    fn with<T>(&self, work: impl FnOnce(&Open) -> Result<T, LogError>) -> Result<T, LogError> {
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(open) => work(open),
            State::Unavailable => Err(LogError::Unavailable("its database is being opened again".into())),
            State::Closed => Err(LogError::Closed),
        }
    }
}

impl Open {
    fn new(path: &Path, partitions: u32, options: &Options) -> Result<Self, StoreError> {
        let specs: Vec<_> = (0..partitions).map(|n| KeyspaceSpec::append_only(format::keyspace_name(n))).collect();
        let database = Database::open(path, &specs, options)?;
        let keyspaces = database.keyspaces().to_vec();
        Ok(Self { database, keyspaces })
    }

    fn keyspace(&self, partition: Partition) -> Result<&Keyspace, LogError> {
        let partitions = u32::try_from(self.keyspaces.len()).unwrap_or(u32::MAX);
        self.keyspaces.get(partition as usize).ok_or(LogError::NoSuchPartition { partition, partitions })
    }
}
