//! A view as it was at a moment: the nearest earlier copy, folded forward.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use pactum_events::program_of;
use pactum_ids::ProgramId;
use pactum_journal::{FollowError, Follower, Position};
use pactum_log::{Log, Partition};
use pactum_store::Shared;
use pactum_views::{Changes, Rows, View, clock};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::error::MachineError;
use super::moment::{Moment, not_kept};
use super::shelf::Checkpoint;
use crate::decisions::Decisions;
use crate::engine::{Decoded, fold_one};
use crate::store::ViewStore;

/// How many entries are read and decoded at once.
const BATCH: u64 = 2_000;

/// How many of those may wait to be folded.
const AHEAD: usize = 2;

/// Changed rows that wait to be written, at most.
const ROWS_AT_ONCE: usize = 60_000;

/// How much memory rows may take that are kept from batch to batch.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// So many bytes of rows may stay in memory: bringing them to the disk takes longer than folding them did.
const SMALL: u64 = 1024 * 1024;

/// A view as it was at a moment of a program, and for that program alone. Its files go with it.
pub(crate) struct Scratch {
    store: Option<Arc<ViewStore>>,
    path: PathBuf,
}

/// What a scratch is made from.
pub(super) enum Base {
    /// Nothing: the log is folded from its beginning.
    Beginning,
    /// A view that was put aside.
    Checkpoint(Arc<Checkpoint>),
    /// Another moment of the same program.
    Scratch(Arc<Scratch>),
}

/// What is to be made.
pub(super) struct Plan {
    pub(super) view: &'static dyn View,
    pub(super) partition: Partition,
    pub(super) program: ProgramId,
    pub(super) moment: Moment,
    pub(super) base: Base,
    pub(super) decisions: Arc<Decisions>,
}

/// What it is made with.
pub(super) struct Tools<'a> {
    pub(super) log: &'a Arc<dyn Log>,
    pub(super) shared: &'a Shared,
    pub(super) runtime: &'a Handle,
    pub(super) stop: &'a CancellationToken,
}

/// Entries up to a position, as far as they concern the program.
struct Read {
    records: Vec<Decoded>,
    position: Position,
}

impl Scratch {
    /// Makes it in the new directory `path`, and says how many records were folded for it. Blocks on disk and log.
    pub(super) fn make(plan: &Plan, path: PathBuf, tools: &Tools<'_>) -> Result<(Self, u64), MachineError> {
        // From here on its files go when it is dropped, also after an error.
        let mut scratch = Self { store: None, path };
        match &plan.base {
            Base::Beginning => {}
            Base::Checkpoint(checkpoint) => pactum_store::link(&checkpoint.path, &scratch.path)?,
            Base::Scratch(other) => other.store().checkpoint(&scratch.path)?,
        }
        let store = Arc::new(ViewStore::open_throwaway(&scratch.path, plan.view, tools.shared)?);
        scratch.store = Some(Arc::clone(&store));
        let folded = fold_on(plan, &store, tools).map_err(|error| match store.damage() {
            Some(why) => MachineError::Damaged { why: why.to_owned() },
            None => error,
        })?;
        let found = clock::of(&*store, &plan.program)?.map_or(0, |clock| clock.sequence);
        // Where a record was passed over, the sequences that it had may be missing.
        if found != plan.moment.sequence && !plan.decisions.any_before(plan.moment.offset) {
            return Err(MachineError::Elsewhere { expected: plan.moment.sequence, found });
        }
        // What it keeps in memory while it is idle is then little, besides what the shared cache has room for.
        if store.unflushed_bytes() > SMALL {
            store.flush()?;
        }
        Ok((scratch, folded))
    }

    /// Its rows.
    pub(crate) fn store(&self) -> &ViewStore {
        self.store.as_deref().unwrap_or_else(|| unreachable!("a scratch is handed out with its rows, which go with it"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (store, path) = (self.store.take(), std::mem::take(&mut self.path));
        let close = move || {
            drop(store);
            remove(&path);
        };
        // The last to let go of it may be a query, which must not wait for the disk.
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(close)),
            Err(_) => close(),
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "a restored view could not be removed; the next start does it");
    }
}

/// Folds up to the moment, reading and decoding ahead. Returns how many records were folded.
fn fold_on(plan: &Plan, store: &ViewStore, tools: &Tools<'_>) -> Result<u64, MachineError> {
    let position = store.position()?;
    if position.offset >= plan.moment.offset {
        return Ok(0);
    }
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::scope(|scope| {
        // The sender goes along, so that the channel ends with the reader.
        let reading = scope.spawn(move || read(plan, position, tools, &sender));
        let folded = fold(plan, store, tools, &receiver);
        // A reader that waits for room finds out that nobody folds any more.
        drop(receiver);
        match reading.join() {
            // What stopped the reader is why the fold did not get there.
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) => folded,
            Err(_) => Err(MachineError::Panicked),
        }
    })
}

fn read(plan: &Plan, from: Position, tools: &Tools<'_>, reads: &SyncSender<Read>) -> Result<(), MachineError> {
    let target = plan.moment.offset;
    let failed = |error: FollowError| match tools.runtime.block_on(not_kept(tools.log, plan.partition, &error)) {
        Some(why) => MachineError::NotKept { why },
        None => error.into(),
    };
    let follower = tools.runtime.block_on(Follower::open(Arc::clone(tools.log), plan.partition, from));
    let mut follower = follower.map_err(failed)?;
    while follower.position().offset < target {
        let room = usize::try_from((target - follower.position().offset).min(BATCH)).unwrap_or(usize::MAX);
        let batch = tools.runtime.block_on(async {
            tokio::select! {
                biased;
                () = tools.stop.cancelled() => None,
                batch = follower.next(room) => Some(batch),
            }
        });
        let batch = batch.ok_or(MachineError::Stopping)?.map_err(failed)?;
        // Offsets have gaps, so that a batch can reach beyond the moment: it lies right behind a record.
        let last = batch.records.iter().rev().find(|valid| valid.offset < target);
        let position = match last {
            Some(last) if batch.position.offset > target => {
                Position { offset: target, term: Some(last.term), next: last.n + 1, ..batch.position }
            }
            _ => batch.position,
        };
        let own = batch.records.iter().filter(|valid| valid.offset < target).filter(|valid| {
            // One that cannot be told is the fold's to complain about.
            program_of(&valid.body).map_or(true, |program| program == plan.program.as_str())
        });
        let read = Read { records: own.map(Decoded::of).collect(), position };
        if reads.send(read).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn fold(plan: &Plan, store: &ViewStore, tools: &Tools<'_>, reads: &Receiver<Read>) -> Result<u64, MachineError> {
    let mut changes = Changes::new(store as &dyn Rows);
    changes.keep_at_most(KEPT_BYTES);
    let mut folded = 0;
    let mut written = None;
    for Read { records, position } in reads {
        if tools.stop.is_cancelled() {
            return Err(MachineError::Stopping);
        }
        for decoded in &records {
            fold_one(plan.view, &mut changes, decoded, &plan.decisions)
                .map_err(|unfoldable| MachineError::Fold(unfoldable.why))?;
        }
        folded += records.len() as u64;
        written = Some(position);
        if changes.changed() >= ROWS_AT_ONCE
            && let Some(position) = written.take()
        {
            write(store, &mut changes, &position)?;
        }
    }
    if let Some(position) = written {
        write(store, &mut changes, &position)?;
    }
    Ok(folded)
}

fn write(store: &ViewStore, changes: &mut Changes<'_>, position: &Position) -> Result<(), MachineError> {
    let mut batch = store.batch();
    changes.write(|keyspace, key, row| batch.set(keyspace, key, row));
    batch.set_position(position);
    Ok(store.commit(&batch)?)
}
