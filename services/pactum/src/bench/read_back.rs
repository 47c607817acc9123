//! A log behind the echo: what is asked is appended, and answered once it was read back. No domain, no order among
//! callers, no state: the most that any server which answers from this log could do on this machine.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use pactum_log::{Appender, Log, Reader};
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Status;

/// How many entries are read at once, as a journal does.
const BATCH: usize = 4096;

/// Partition 0 of a log, and who waits for what they appended to it.
pub(super) struct ReadBack {
    appender: Box<dyn Appender>,
    waiting: Arc<Waiting>,
    bytes: usize,
    next: AtomicU64,
    _reading: DropGuard,
}

type Waiting = Mutex<HashMap<u64, oneshot::Sender<()>>>;

impl ReadBack {
    /// Entries have so many bytes, eight of them their number.
    pub(super) async fn start(log: &Arc<dyn Log>, bytes: usize) -> anyhow::Result<Self> {
        let end = log.end(0).await?;
        let reader = log.reader(0, end).await?;
        let (waiting, stop) = (Arc::<Waiting>::default(), CancellationToken::new());
        tokio::spawn({
            let (waiting, stop) = (Arc::clone(&waiting), stop.clone());
            async move { stop.run_until_cancelled(read(reader, &waiting)).await }
        });
        let appender = log.appender(0)?;
        Ok(Self { appender, waiting, bytes: bytes.max(8), next: AtomicU64::new(0), _reading: stop.drop_guard() })
    }

    /// Appends an entry and waits until it is read.
    pub(super) async fn one(&self) -> Result<(), Status> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut entry = number.to_le_bytes().to_vec();
        entry.resize(self.bytes, 7);
        let (read, was_read) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(number, read);
        self.appender.append(Bytes::from(entry)).map_err(|error| Status::unavailable(error.to_string()))?;
        was_read.await.map_err(|_| Status::unavailable("the log cannot be read"))
    }
}

async fn read(mut reader: Box<dyn Reader>, waiting: &Waiting) {
    while let Ok(entries) = reader.next(BATCH).await {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            let number = entry.bytes.first_chunk().copied().map(u64::from_le_bytes);
            if let Some(read) = number.and_then(|number| waiting.remove(&number)) {
                // A caller that gave up is not waited for.
                let _ = read.send(());
            }
        }
    }
    // Whoever waits learns that nothing more is read.
    waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
}
