//! Records read and decoded together, once for all views.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pactum_events::{Record, decode};
use pactum_journal::{Batch, Position, Valid};
use pactum_views::Place;
use tokio::sync::OwnedSemaphorePermit;

/// Chunks that wait for a decoder, at most.
const QUEUE: usize = 64;

/// A record, decoded as far as it can be.
pub(crate) struct Decoded {
    pub(crate) place: Place,
    /// Why not, where it cannot be.
    pub(crate) record: Result<Record, Arc<str>>,
}

/// Records that took effect, from an offset to a position.
pub(crate) struct Chunk {
    /// The first offset it covers.
    pub(crate) from: u64,
    /// After all of it.
    pub(crate) position: Position,
    raw: Mutex<Vec<Valid>>,
    decoded: OnceLock<Vec<Decoded>>,
    /// Its share of the memory that all chunks of the process may take.
    _room: OwnedSemaphorePermit,
}

impl Chunk {
    pub(crate) fn new(from: u64, batch: Batch, room: OwnedSemaphorePermit) -> Self {
        let Batch { records, position } = batch;
        Self { from, position, raw: Mutex::new(records), decoded: OnceLock::new(), _room: room }
    }

    /// Its records, once they are decoded.
    pub(crate) fn records(&self) -> Option<&[Decoded]> {
        self.decoded.get().map(Vec::as_slice)
    }

    pub(crate) fn decode(&self) {
        self.decoded.get_or_init(|| {
            let raw = std::mem::take(&mut *self.raw.lock().unwrap_or_else(PoisonError::into_inner));
            raw.iter().map(Decoded::of).collect()
        });
    }
}

impl Decoded {
    pub(crate) fn of(valid: &Valid) -> Self {
        let place = Place { offset: valid.offset, term: valid.term, n: valid.n };
        Self { place, record: decode(&valid.body).map_err(|error| error.to_string().into()) }
    }
}

/// Whom to tell that a chunk is decoded.
pub(crate) trait Told: Send + Sync {
    fn decoded(&self);
}

type Job = (Arc<Chunk>, Arc<dyn Told>);

/// Threads that decode chunks side by side. They end when it is dropped.
pub(crate) struct Decoders(SyncSender<Job>);

impl Decoders {
    /// Starts as many as there are processors to spare.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(QUEUE);
        let queue = Arc::new(Mutex::new(queue));
        let count = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(2).min(8);
        for number in 0..count {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new().name(format!("decode-{number}")).spawn(move || work(&queue))?;
        }
        Ok(Self(jobs))
    }

    /// Has a chunk decoded; here and now where every decoder has enough to do.
    pub(crate) fn decode(&self, chunk: Arc<Chunk>, told: Arc<dyn Told>) {
        use std::sync::mpsc::TrySendError;
        match self.0.try_send((chunk, told)) {
            Ok(()) => {}
            Err(TrySendError::Full((chunk, told)) | TrySendError::Disconnected((chunk, told))) => {
                chunk.decode();
                told.decoded();
            }
        }
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((chunk, told)) = job else { return };
        chunk.decode();
        told.decoded();
    }
}
