//! The one thread that writes.

use super::log::Shared;
use super::queue::{Queued, Taken};
use crate::{LogError, Offset};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a log that refuses appends looks whether it can take them again.
const RETRY: Duration = Duration::from_millis(100);

/// What must be free beyond the reserve before appends are taken again: so that the log does not change its mind with every
/// entry, and a database that has to be opened again has room for its new files.
const ROOM_TO_RESUME: u64 = 1024 * 1024;

/// Whether the log takes appends.
#[derive(Debug)]
enum Mode {
    Writing,
    /// The disk is close to full. The database is well; appends go on as soon as there is room.
    NoRoom,
    /// A write failed, and the database takes no more until it is opened again.
    Broken,
    /// What is stored is damaged: appends would only bury it. Ends with the process.
    Damaged,
}

pub(super) struct Writer {
    log: Arc<Shared>,
    mode: Mode,
    /// Per partition, the offset of the next entry.
    next: Vec<Offset>,
    // Reused from batch to batch.
    batch: Vec<Queued>,
    published: Vec<Vec<Bytes>>,
    value: Vec<u8>,
}

impl Writer {
    pub(super) fn new(log: Arc<Shared>) -> Self {
        let next: Vec<Offset> = log.tails.iter().map(|tail| tail.end()).collect();
        let published = vec![Vec::new(); next.len()];
        Self { log, mode: Mode::Writing, next, batch: Vec::new(), published, value: Vec::new() }
    }

    pub(super) fn run(mut self) {
        loop {
            let patience = (!matches!(self.mode, Mode::Writing)).then_some(RETRY);
            match self.log.queue.take(&mut self.batch, patience) {
                Taken::Entries(oldest) => self.commit(oldest),
                Taken::Nothing => self.recover(),
                Taken::Closed => break,
            }
        }
        if let Err(error) = self.log.disk.close() {
            tracing::warn!(%error, "the log was not flushed on closing; the next start reads its write-ahead log instead");
        }
    }

    fn commit(&mut self, oldest: Instant) {
        // Queued before appends were refused.
        if let Some(error) = self.log.queue.refusing() {
            return self.fail_batch(&error);
        }
        let bytes: usize = self.batch.iter().map(|entry| entry.bytes.len()).sum();
        if let Err(error) = self.check_room(bytes as u64) {
            self.refuse(Mode::NoRoom, error.clone());
            return self.fail_batch(&error);
        }
        let started = Instant::now();
        if let Err(error) = self.write() {
            let mode = if matches!(error, LogError::Corrupt(_)) { Mode::Damaged } else { Mode::Broken };
            self.refuse(mode, error.clone());
            return self.fail_batch(&error);
        }
        let fsync = started.elapsed();
        let count = self.batch.len();
        self.publish();

        let measures = &self.log.measures;
        measures.fsync_seconds.record(fsync.as_secs_f64());
        measures.append_seconds.record(oldest.elapsed().as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a batch has far fewer than 2^52 entries")]
        measures.batch_entries.record(count as f64);
        measures.entries.increment(count as u64);
        measures.bytes.increment(bytes as u64);
        #[expect(clippy::cast_precision_loss, reason = "a queue has far fewer than 2^52 entries")]
        measures.queue_entries.set(self.log.queue.len() as f64);
    }

    fn write(&mut self) -> Result<(), LogError> {
        let Self { log, batch, next, value, .. } = self;
        let mut offsets = next.clone();
        log.disk.write(value, |entries| {
            for queued in batch.iter() {
                let offset = &mut offsets[queued.partition as usize];
                entries.put(queued.partition, *offset, &queued.bytes);
                *offset += 1;
            }
        })?;
        *next = offsets;
        Ok(())
    }

    /// Everything in the batch is on the disk: shows it to readers.
    fn publish(&mut self) {
        for queued in self.batch.drain(..) {
            self.published[queued.partition as usize].push(queued.bytes);
        }
        for (entries, tail) in self.published.iter_mut().zip(&self.log.tails) {
            if !entries.is_empty() {
                tail.publish(entries.drain(..));
            }
        }
    }

    /// Refused before RocksDB runs out of space, in the middle of what it does in the background, and stops.
    fn check_room(&self, bytes: u64) -> Result<(), LogError> {
        let reserve = self.log.options.reserve_bytes;
        let available = self.log.disk.available_bytes()?;
        #[expect(clippy::cast_precision_loss, reason = "gauges are floats; a byte more or less does not matter")]
        self.log.measures.available_bytes.set(available as f64);
        if available >= reserve.saturating_add(bytes) {
            return Ok(());
        }
        let path = self.log.disk.path().display();
        Err(LogError::Full(format!("{available} bytes are free at {path}, and {reserve} are kept in reserve")))
    }

    fn recover(&mut self) {
        match self.mode {
            Mode::Writing | Mode::Damaged => {}
            Mode::NoRoom | Mode::Broken => {
                if let Err(error) = self.check_room(ROOM_TO_RESUME) {
                    return self.log.queue.refuse(Some(error));
                }
                // What RocksDB did in the background may have met the end of the disk, unlike any write yet.
                let is_well = matches!(self.mode, Mode::NoRoom) && !self.log.disk.has_failed();
                match if is_well { Ok(()) } else { self.reopen() } {
                    Ok(()) => self.resume(),
                    Err(error @ LogError::Corrupt(_)) => self.refuse(Mode::Damaged, error),
                    Err(error) => {
                        self.mode = Mode::Broken;
                        self.log.queue.refuse(Some(error));
                    }
                }
            }
        }
    }

    /// Opens the database again and goes on from what it holds. The batch whose write failed may be there or not: its
    /// appenders were told that it failed, and reading tells them the rest.
    fn reopen(&mut self) -> Result<(), LogError> {
        self.log.disk.reopen().map_err(super::error::from_store)?;
        for ((next, tail), partition) in self.next.iter_mut().zip(&self.log.tails).zip(0..) {
            let end = self.log.disk.end(partition)?;
            if end < tail.end() {
                let detail = format!("partition {partition} ends at {end} and entries up to {} were read", tail.end());
                return Err(LogError::Corrupt(detail));
            }
            tail.skip_to(end);
            *next = end;
        }
        Ok(())
    }

    fn refuse(&mut self, mode: Mode, error: LogError) {
        tracing::error!(%error, "the log refuses appends");
        self.mode = mode;
        self.log.measures.refusing.set(1.0);
        self.log.queue.refuse(Some(error));
    }

    fn resume(&mut self) {
        tracing::info!("the log takes appends again");
        self.mode = Mode::Writing;
        self.log.measures.refusing.set(0.0);
        self.log.queue.refuse(None);
    }

    fn fail_batch(&mut self, error: &LogError) {
        self.log.measures.failed_entries.increment(self.batch.len() as u64);
        for queued in self.batch.drain(..) {
            queued.failure.report(error.clone());
        }
    }
}

impl Drop for Writer {
    /// However the thread ends: nobody waits for it in vain.
    fn drop(&mut self) {
        self.log.queue.close();
        let error = if std::thread::panicking() {
            LogError::Unavailable("its writer stopped by a fault of its own".into())
        } else {
            LogError::Closed
        };
        self.fail_batch(&error);
        if self.log.queue.take(&mut self.batch, Some(Duration::ZERO)) != Taken::Closed {
            self.fail_batch(&error);
        }
        for tail in &self.log.tails {
            tail.stop(error.clone());
        }
    }
}
