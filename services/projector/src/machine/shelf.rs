//! The checkpoints of one view, on the disk.
//!
//! They lie beside the view's directory, in one named after it: `deals@1.checkpoints/00000000000000100000`. The name is the
//! offset up to which the rows hold. A checkpoint is made under another name, fsynced and then renamed, and renamed again before
//! it is removed: what has the right name is whole. What has not is removed at the next start.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pactum_domain::time::Timestamp;
use pactum_journal::Position;
use pactum_log::Partition;
use pactum_store::Shared;
use pactum_views::clock::CLOCKS;
use pactum_views::{KeyRange, Order, RowError, View};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::CheckpointError;
use super::meters::ShelfMeters;
use super::options::AsOfOptions;
use super::schedule;
use crate::store::ViewStore;

/// What the directory's name has behind that of the view's.
pub(super) const SUFFIX: &str = ".checkpoints";
/// The file in a checkpoint that says what it is.
const LABEL: &str = "checkpoint";
const LABEL_VERSION: u8 = 1;
/// The name of one that is being made.
const DRAFT: &str = "draft";
/// The beginning of the name of one that is being removed.
const REMOVED: &str = "removed-";

/// So much may the checkpoints of a view take, however small it is.
const SMALL: u64 = 16 * 1024 * 1024;

/// What a checkpoint is, as its label says. Which sequence each program had is in its rows, as in any view's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// The place in the log up to which the rows hold.
    pub(crate) position: Position,
    /// When the log took the last record of them, of any program.
    pub(crate) recorded_at: Option<Timestamp>,
    /// How many programs it knows.
    pub(crate) programs: u64,
}

/// A view as it was, closed. Its files go when the last who holds it lets go, once it was taken off the shelf.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) label: Label,
    pub(crate) path: PathBuf,
    removed: AtomicBool,
}

/// The checkpoints of one view, oldest first.
pub(crate) struct Shelf {
    view: &'static dyn View,
    /// The view's own directory.
    live: PathBuf,
    directory: PathBuf,
    kept: Mutex<Vec<Arc<Checkpoint>>>,
    meters: ShelfMeters,
}

impl Shelf {
    /// Opens the shelf of the view in the directory `live`, which holds everything up to `position`. Checkpoints that are not of
    /// that view's past, as after its files or the log were exchanged, are removed.
    pub(super) fn open(view: &'static dyn View, partition: Partition, live: &Path, position: &Position) -> Self {
        let mut name = live.file_name().unwrap_or_default().to_owned();
        name.push(SUFFIX);
        let directory = live.with_file_name(name);
        let kept = find(&directory, position).unwrap_or_else(|error| {
            // Without them the past is folded from further back.
            tracing::warn!(path = %directory.display(), %error, "the checkpoints cannot be read");
            Vec::new()
        });
        let (live, meters) = (live.to_owned(), ShelfMeters::new(view.name(), partition));
        Self { view, live, directory, kept: Mutex::new(kept), meters }
    }

    /// The newest checkpoint up to an offset.
    pub(crate) fn nearest(&self, offset: u64) -> Option<Arc<Checkpoint>> {
        let kept = self.kept();
        let after = kept.partition_point(|checkpoint| checkpoint.label.position.offset <= offset);
        after.checked_sub(1).map(|index| Arc::clone(&kept[index]))
    }

    /// Every offset there is a checkpoint of.
    pub(crate) fn offsets(&self) -> Vec<u64> {
        self.kept().iter().map(|checkpoint| checkpoint.label.position.offset).collect()
    }

    /// Puts the view aside as it is now; it may be written meanwhile.
    pub(super) fn take(&self, store: &ViewStore, shared: &Shared, options: &AsOfOptions) {
        let started = Instant::now();
        match self.try_take(store, shared) {
            Ok(()) => self.meters.taken.increment(1),
            // The view goes on without; a disk that is full has room again some day.
            Err(error) => {
                let why = crate::fold::chain(&error);
                tracing::warn!(view = self.view.name(), why, "a checkpoint could not be taken");
                self.meters.failed.increment(1);
            }
        }
        self.meters.seconds.record(started.elapsed().as_secs_f64());
        self.thin(options);
    }

    fn try_take(&self, store: &ViewStore, shared: &Shared) -> Result<(), CheckpointError> {
        fs::create_dir_all(&self.directory)?;
        let draft = self.directory.join(DRAFT);
        remove(&draft)?;
        let label = self.draft(&draft, store, shared);
        let label = label.inspect_err(|_| drop(remove(&draft)))?;
        let offset = label.position.offset;
        if self.offsets().last().is_some_and(|newest| *newest >= offset) {
            return Ok(remove(&draft)?);
        }
        let path = place(&self.directory, offset);
        fs::rename(&draft, &path)?;
        sync(&self.directory)?;
        self.kept().push(Arc::new(Checkpoint { label, path, removed: AtomicBool::new(false) }));
        Ok(())
    }

    /// Makes a checkpoint that only lacks its name.
    fn draft(&self, draft: &Path, store: &ViewStore, shared: &Shared) -> Result<Label, CheckpointError> {
        store.checkpoint(draft)?;
        // What was written while it was made is in it or not; so it is asked itself up to where it holds.
        let label = Label::of(&ViewStore::look(draft, store.view(), shared)?)?;
        label.write(draft)?;
        for entry in fs::read_dir(draft)? {
            let path = entry?.path();
            // Files of rows were fsynced when they were written.
            if path.extension().is_none_or(|kind| kind != "sst") {
                sync(&path)?;
            }
        }
        sync(draft)?;
        Ok(label)
    }

    /// Removes checkpoints while there are too many, or they take too much room.
    fn thin(&self, options: &AsOfOptions) {
        loop {
            let bytes = self.measure();
            let mut kept = self.kept();
            self.meters.kept.set(kept.len() as f64);
            let fits = match &bytes {
                Ok(bytes) => {
                    self.meters.bytes.set(bytes.checkpoints as f64);
                    bytes.checkpoints <= (bytes.live.saturating_mul(options.disk_percent) / 100).max(SMALL)
                }
                Err(error) => {
                    tracing::warn!(view = self.view.name(), %error, "the room that checkpoints take cannot be told");
                    true
                }
            };
            if fits && kept.len() <= options.keep.max(1) {
                return;
            }
            let offsets: Vec<u64> = kept.iter().map(|checkpoint| checkpoint.label.position.offset).collect();
            let Some(victim) = schedule::missed_least(&offsets) else { return };
            let victim = kept.remove(victim);
            drop(kept);
            victim.removed.store(true, Ordering::Release);
        }
    }

    /// Takes one off that turned out to be damaged.
    pub(super) fn discard(&self, damaged: &Arc<Checkpoint>, why: &str) {
        tracing::error!(path = %damaged.path.display(), why, "a checkpoint is damaged and goes");
        self.kept().retain(|kept| !Arc::ptr_eq(kept, damaged));
        damaged.removed.store(true, Ordering::Release);
    }

    /// What the view and its checkpoints take on the disk.
    pub(crate) fn measure(&self) -> io::Result<Bytes> {
        let live = unseen(&self.live, &mut HashSet::new())?;
        let kept: Vec<_> = self.kept().clone();
        let (mut seen, mut checkpoints) = (HashSet::new(), 0);
        for checkpoint in &kept {
            checkpoints += unseen(&checkpoint.path, &mut seen)?;
        }
        Ok(Bytes { live, checkpoints })
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<Checkpoint>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a view takes on the disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes {
    /// The view itself.
    pub(crate) live: u64,
    /// Its checkpoints, each file once. What they share with the view counts too: it stays with them alone once the view has
    /// moved on, and by then nobody may be looking.
    pub(crate) checkpoints: u64,
}

impl Label {
    fn of(store: &ViewStore) -> Result<Self, CheckpointError> {
        let (mut recorded_at, mut programs) = (None, 0);
        let all = KeyRange { from: Vec::new(), to: None };
        CLOCKS.scan(store, &all, Order::Ascending, |_, clock| {
            recorded_at = recorded_at.max(Some(clock.recorded_at));
            programs += 1;
            Ok::<_, RowError>(std::ops::ControlFlow::Continue(()))
        })?;
        Ok(Self { position: store.position()?, recorded_at, programs })
    }

    fn write(&self, checkpoint: &Path) -> io::Result<()> {
        let body = postcard::to_extend(self, vec![LABEL_VERSION]).map_err(io::Error::other)?;
        fs::write(checkpoint.join(LABEL), [check(&body).as_slice(), &body].concat())
    }

    /// What a directory is a checkpoint of; `None` where it is none, or not a whole one.
    fn read(checkpoint: &Path) -> Option<Self> {
        let bytes = fs::read(checkpoint.join(LABEL)).ok()?;
        let (found, body) = bytes.split_first_chunk::<8>()?;
        let fields = body.strip_prefix(&[LABEL_VERSION])?;
        postcard::from_bytes(fields).ok().filter(|_| *found == check(body))
    }

    fn is_before(&self, position: &Position) -> bool {
        self.position.offset <= position.offset && self.position.genesis == position.genesis
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        if *self.removed.get_mut()
            && let Err(error) = remove(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "a checkpoint could not be removed");
        }
    }
}

/// The checkpoints in a directory that are of the past of a view at `position`, in order. What else there is goes.
fn find(directory: &Path, position: &Position) -> io::Result<Vec<Arc<Checkpoint>>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut kept = Vec::new();
    for entry in entries {
        let path = entry?.path();
        match Label::read(&path) {
            Some(label) if label.is_before(position) && path == place(directory, label.position.offset) => {
                kept.push(Arc::new(Checkpoint { label, path, removed: AtomicBool::new(false) }));
            }
            _ => {
                tracing::info!(path = %path.display(), "removed: not a checkpoint of this view");
                remove(&path)?;
            }
        }
    }
    kept.sort_by_key(|checkpoint| checkpoint.label.position.offset);
    Ok(kept)
}

fn check(body: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    check.copy_from_slice(&Sha256::digest(body)[..8]);
    check
}

fn place(directory: &Path, offset: u64) -> PathBuf {
    directory.join(format!("{offset:020}"))
}

fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a directory, if it is there; a crash in the middle leaves nothing with its name.
fn remove(path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let removed =
        if name.starts_with(REMOVED) { path.to_owned() } else { path.with_file_name(format!("{REMOVED}{name}")) };
    let ignore_missing = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    if removed != path {
        if !path.exists() {
            return Ok(());
        }
        ignore_missing(fs::remove_dir_all(&removed))?;
        fs::rename(path, &removed)?;
    }
    if removed.is_dir() { ignore_missing(fs::remove_dir_all(&removed)) } else { fs::remove_file(&removed) }
}

/// The bytes of the files of a directory that were not seen before, under whichever name.
fn unseen(directory: &Path, seen: &mut HashSet<u64>) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        match entry?.metadata() {
            Ok(file) if seen.insert(file.ino()) => bytes += file.len(),
            Ok(_) => {}
            // Compacted away between the listing and here.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}
