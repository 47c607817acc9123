//! A memory log that can be made to misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use pactum_log::memory::{MemoryLog, MemoryOptions};
use pactum_log::{Appender, Log, LogError, Offset, Partition, Reader};
use parking::Parking;
use tokio::sync::Notify;

/// What an append does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What it should.
    Through,
    /// It is refused: no space.
    Full,
    /// It is refused for the moment.
    Busy,
    /// It is taken and never seen again, and nobody is told.
    Swallow,
    /// It is taken, and then reported lost.
    Fail,
    /// It is taken and waits for [`Gated::release`].
    Hold,
}

const MODES: [Mode; 6] = [Mode::Through, Mode::Full, Mode::Busy, Mode::Swallow, Mode::Fail, Mode::Hold];

#[derive(Clone)]
pub(crate) struct Gated {
    pub(crate) memory: MemoryLog,
    mode: Arc<AtomicUsize>,
    parked: Arc<Parking>,
    failed: Arc<Notify>,
}

mod parking {
    use bytes::Bytes;
    use std::sync::Mutex;

    #[derive(Default)]
    pub(super) struct Parking(Mutex<Vec<Bytes>>);

    impl Parking {
        pub(super) fn park(&self, entry: Bytes) {
            self.0.lock().expect("no test panics while it holds this").push(entry);
        }

        pub(super) fn take(&self) -> Vec<Bytes> {
            std::mem::take(&mut *self.0.lock().expect("no test panics while it holds this"))
        }
    }
}

impl Gated {
    pub(crate) fn new() -> Self {
        Self {
            memory: MemoryLog::new(&MemoryOptions::default()),
            mode: Arc::default(),
            parked: Arc::default(),
            failed: Arc::default(),
        }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.store(mode as usize, Ordering::SeqCst);
    }

    /// Lets what was held through, and everything from now on.
    pub(crate) fn release(&self) {
        self.set(Mode::Through);
        let appender = self.memory.appender(0).expect("there is a partition");
        for entry in self.parked.take() {
            appender.append(entry).expect("a memory log takes everything");
        }
    }
}

#[async_trait]
impl Log for Gated {
    fn partitions(&self) -> u32 {
        self.memory.partitions()
    }

    fn appender(&self, partition: Partition) -> Result<Box<dyn Appender>, LogError> {
        let inner = self.memory.appender(partition)?;
        Ok(Box::new(GatedAppender { inner, gate: self.clone() }))
    }

    async fn reader(&self, partition: Partition, from: Offset) -> Result<Box<dyn Reader>, LogError> {
        self.memory.reader(partition, from).await
    }

    async fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        self.memory.end(partition).await
    }
}

struct GatedAppender {
    inner: Box<dyn Appender>,
    gate: Gated,
}

#[async_trait]
impl Appender for GatedAppender {
    fn append(&self, entry: Bytes) -> Result<(), LogError> {
        match MODES[self.gate.mode.load(Ordering::SeqCst)] {
            Mode::Through => self.inner.append(entry),
            Mode::Full => Err(LogError::Full("test".into())),
            Mode::Busy => Err(LogError::Busy),
            Mode::Swallow => Ok(()),
            Mode::Fail => {
                self.gate.failed.notify_one();
                Ok(())
            }
            Mode::Hold => {
                self.gate.parked.park(entry);
                Ok(())
            }
        }
    }

    async fn failed(&self) -> LogError {
        self.gate.failed.notified().await;
        LogError::Unavailable("test".into())
    }
}
