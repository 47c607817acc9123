//! Every implementation passes the suite.

use crate::support::options;
use async_trait::async_trait;
use pactum_log::conformance::{Factory, run};
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::memory::{Faults, FaultyLog, MemoryLog, MemoryOptions};
use pactum_log::{Log, LogError};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

struct Memory;

#[async_trait]
impl Factory for Memory {
    async fn create(&self, partitions: u32) -> Arc<dyn Log> {
        Arc::new(MemoryLog::new(&MemoryOptions { partitions, max_entry_bytes: 100_000 }))
    }

    fn max_entry_bytes(&self) -> Option<usize> {
        Some(100_000)
    }
}

struct Faulty {
    faults: Faults,
    seed: AtomicU64,
}

#[async_trait]
impl Factory for Faulty {
    async fn create(&self, partitions: u32) -> Arc<dyn Log> {
        Arc::new(FaultyLog::start(partitions, self.faults, self.seed.fetch_add(1, Ordering::Relaxed)))
    }

    fn max_entry_bytes(&self) -> Option<usize> {
        None
    }

    fn is_faultless(&self) -> bool {
        self.faults == Faults::NONE
    }
}

/// Opens logs in directories of their own, with options that put reading from the disk, or from memory, to the test.
struct Embedded {
    base: EmbeddedOptions,
    directories: Mutex<Vec<(TempDir, EmbeddedOptions, EmbeddedLog)>>,
}

impl Embedded {
    fn new(base: EmbeddedOptions) -> Self {
        Self { base, directories: Mutex::default() }
    }

    fn open(&self, options: EmbeddedOptions) -> Arc<dyn Log> {
        let directory = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(directory.path(), options.clone()).unwrap();
        let mut directories = self.directories.lock().unwrap();
        // One log at a time is in use; those before it are done.
        directories.clear();
        directories.push((directory, options, log.clone()));
        Arc::new(log)
    }
}

#[async_trait]
impl Factory for Embedded {
    async fn create(&self, partitions: u32) -> Arc<dyn Log> {
        self.open(EmbeddedOptions { partitions, ..self.base.clone() })
    }

    async fn create_narrow(&self) -> Option<Arc<dyn Log>> {
        Some(self.open(EmbeddedOptions { queue_entries: 16, ..self.base.clone() }))
    }

    async fn reopen(&self, log: Arc<dyn Log>) -> Option<Arc<dyn Log>> {
        drop(log);
        let (directory, options, log) = self.directories.lock().unwrap().pop()?;
        log.close();
        assert!(matches!(log.appender(0).unwrap().append("late".into()), Err(LogError::Closed)));
        let reopened = EmbeddedLog::open(directory.path(), options.clone()).unwrap();
        self.directories.lock().unwrap().push((directory, options, reopened.clone()));
        Some(Arc::new(reopened))
    }

    fn max_entry_bytes(&self) -> Option<usize> {
        Some(self.base.max_entry_bytes)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    run(&Memory).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faulty_without_faults() {
    run(&Faulty { faults: Faults::NONE, seed: AtomicU64::new(1) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faulty_with_some_and_with_many_faults() {
    for (faults, seed) in [(Faults::SOME, 100), (Faults::MANY, 200)] {
        run(&Faulty { faults, seed: AtomicU64::new(seed) }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded() {
    run(&Embedded::new(options(1))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded_with_hardly_a_tail_so_that_readers_read_from_the_disk() {
    run(&Embedded::new(EmbeddedOptions { tail_entries: 2, ..options(1) })).await;
}

#[tokio::test]
async fn embedded_on_one_thread() {
    run(&Embedded::new(options(1))).await;
}
