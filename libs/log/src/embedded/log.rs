//! The embedded log itself.

use super::disk::Disk;
use super::measures::Measures;
use super::queue::{Queue, Queued};
use super::reader::EmbeddedReader;
use super::writer::Writer;
use super::{
    EmbeddedOptions, Health, Identity, LogStatistics, MOST_PARTITIONS, OpenError, PartitionStatistics, Progress,
    Verification, verify,
};
use crate::failure::Failure;
use crate::sync::lock;
use crate::tail::Tail;
use crate::{Appender, Entry, Log, LogError, Offset, Partition, Reader};
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

const ENTRIES: &str = "entries";

/// What the log's handles, appenders, readers and writer share.
pub(super) struct Shared {
    pub(super) identity: Identity,
    pub(super) options: EmbeddedOptions,
    pub(super) queue: Queue,
    pub(super) tails: Vec<Tail>,
    pub(super) disk: Disk,
    pub(super) measures: Measures,
    damage: Mutex<Option<LogError>>,
}

/// A durable log in this process. Clones are the same log. It closes when the last clone is dropped, or by
/// [`close`](Self::close); appenders and readers do not keep it open.
#[derive(Clone)]
pub struct EmbeddedLog {
    shared: Arc<Shared>,
    writer: Arc<WriterThread>,
}

struct WriterThread {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl EmbeddedLog {
    /// Opens the log in `directory`, or makes it. Blocks, for as long as it takes to read the write-ahead log.
    pub fn open(directory: impl AsRef<Path>, options: EmbeddedOptions) -> Result<Self, OpenError> {
        let directory = directory.as_ref();
        let asked = options.partitions;
        if !(1..=MOST_PARTITIONS).contains(&asked) {
            return Err(OpenError::InvalidPartitions { asked, limit: MOST_PARTITIONS });
        }
        let identity = identify(directory, &options)?;
        if identity.partitions != asked {
            let recorded = identity.partitions;
            return Err(OpenError::Partitions { path: directory.to_owned(), recorded, asked });
        }
        let disk = Disk::open(&directory.join(ENTRIES), asked, options.store())?;
        let ends: Result<Vec<Offset>, LogError> = (0..asked).map(|partition| disk.end(partition)).collect();
        let shared = Arc::new(Shared {
            identity,
            queue: Queue::new(options.queue()),
            tails: ends?.into_iter().map(|end| Tail::new(end, options.tail())).collect(),
            disk,
            measures: Measures::new(),
            damage: Mutex::new(None),
            options,
        });
        let writer = Writer::new(shared.clone());
        let thread = std::thread::Builder::new().name("log-writer".into()).spawn(|| writer.run());
        let failed = |error: std::io::Error| OpenError::Io {
            path: directory.to_owned(),
            detail: format!("start the log's writer: {error}"),
        };
        let thread = Mutex::new(Some(thread.map_err(failed)?));
        Ok(Self { writer: Arc::new(WriterThread { shared: shared.clone(), thread }), shared })
    }

    /// What the log is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.shared.identity
    }

    /// Closes the log: writes what is queued, refuses the rest, and lets go of the directory. Readers get what is in memory
    /// and then [`LogError::Closed`]. Blocks until done; closing again does nothing.
    pub fn close(&self) {
        self.writer.close();
    }

    /// What does not work now.
    #[must_use]
    pub fn health(&self) -> Health {
        Health { appends: self.shared.queue.refusing(), damage: lock(&self.shared.damage).clone() }
    }

    /// The log's figures. Asks the filesystem; takes some microseconds.
    #[must_use]
    pub fn statistics(&self) -> LogStatistics {
        let shared = &self.shared;
        let store = shared.disk.statistics();
        let partition = |(index, tail): (usize, &Tail)| {
            let of = store.as_ref().and_then(|store| store.keyspaces.get(index));
            PartitionStatistics {
                end: tail.end(),
                file_bytes: of.map_or(0, |of| of.file_bytes),
                memory_bytes: of.map_or(0, |of| of.memory_bytes),
            }
        };
        LogStatistics {
            identity: shared.identity,
            path: shared.disk.path().to_owned(),
            partitions: shared.tails.iter().enumerate().map(partition).collect(),
            queued: shared.queue.len(),
            available_bytes: shared.disk.available_bytes().ok(),
            reserve_bytes: shared.options.reserve_bytes,
            store,
        }
    }

    /// Reads every entry there is now and checks it. Blocks, for as long as reading the whole log takes; `progress` is told
    /// after every chunk. Appends and reads go on meanwhile.
    pub fn verify(&self, progress: impl FnMut(Progress)) -> Result<Verification, LogError> {
        verify::verify(&self.shared, progress)
    }
}

/// Finds out what the log is, or makes it.
fn identify(directory: &Path, options: &EmbeddedOptions) -> Result<Identity, OpenError> {
    if let Some(identity) = Identity::read(directory)? {
        return Ok(identity);
    }
    if directory.join(ENTRIES).exists() {
        let path = directory.to_owned();
        return Err(OpenError::Identity { path, detail: "the file identity is missing, but entries are there".into() });
    }
    if !options.create {
        return Err(OpenError::Missing { path: directory.to_owned() });
    }
    fs::create_dir_all(directory)
        .map_err(|error| OpenError::Io { path: directory.to_owned(), detail: error.to_string() })?;
    Identity::create(directory, options.partitions)
}

impl Shared {
    pub(super) fn tail(&self, partition: Partition) -> Result<&Tail, LogError> {
        let partitions = self.identity.partitions;
        self.tails.get(partition as usize).ok_or(LogError::NoSuchPartition { partition, partitions })
    }

    /// Reads a chunk from the disk, and remembers damage for [`EmbeddedLog::health`].
    pub(super) fn read_disk(&self, partition: Partition, from: Offset, end: Offset) -> Result<Vec<Entry>, LogError> {
        self.measures.disk_reads.increment(1);
        let read = self.disk.read(partition, from, end);
        if let Err(error @ LogError::Corrupt(_)) = &read {
            tracing::error!(%error, "the log is damaged");
            lock(&self.damage).get_or_insert(error.clone());
        }
        read
    }
}

impl WriterThread {
    fn close(&self) {
        self.shared.queue.close();
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the log's writer had stopped by a fault of its own");
        }
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for EmbeddedLog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("EmbeddedLog");
        debug.field("identity", &self.shared.identity).field("path", &self.shared.disk.path()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Log for EmbeddedLog {
    fn partitions(&self) -> u32 {
        self.shared.identity.partitions
    }

    fn appender(&self, partition: Partition) -> Result<Box<dyn Appender>, LogError> {
        self.shared.tail(partition)?;
        Ok(Box::new(EmbeddedAppender { log: self.shared.clone(), partition, failure: Arc::default() }))
    }

    async fn reader(&self, partition: Partition, from: Offset) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(EmbeddedReader::new(self.shared.clone(), partition, from)?))
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        Ok(self.shared.tail(partition)?.end())
    }
}

struct EmbeddedAppender {
    log: Arc<Shared>,
    partition: Partition,
    failure: Arc<Failure>,
}

#[async_trait]
impl Appender for EmbeddedAppender {
    fn append(&self, entry: Bytes) -> Result<(), LogError> {
        let limit = self.log.options.max_entry_bytes;
        if entry.len() > limit {
            return Err(LogError::TooLarge { bytes: entry.len(), limit });
        }
        self.log.queue.push(Queued { partition: self.partition, bytes: entry, failure: self.failure.clone() })
    }

    async fn failed(&self) -> LogError {
        self.failure.wait().await
    }
}
