//! Whether a view is what a fold from zero makes of the log.

use std::path::Path;
use std::sync::Arc;

use pactum_journal::{FollowError, Follower, Position};
use pactum_log::{Log, Partition};
use pactum_store::Shared;
use pactum_views::{Changes, RowError};

use crate::digest::Digest;
use crate::engine::{Decoded, Unfoldable, fold_one};
use crate::live::LiveView;
use crate::store::{ViewStore, ViewStoreError};

/// A batch of the fold from zero.
const BATCH: usize = 2_000;

/// What verifying found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Up to which offset both were folded.
    pub offset: u64,
    /// How many rows the view has.
    pub rows: u64,
    /// The view's rows.
    pub live: Digest,
    /// The rows of the fold from zero.
    pub fresh: Digest,
}

impl Verified {
    /// Whether the view is what a fold from zero makes.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.live == self.fresh
    }
}

/// A view that cannot be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no such view.
    #[error("there is no view {view} of partition {partition}")]
    NoSuchView {
        /// The name asked for.
        view: String,
        /// The partition asked for.
        partition: Partition,
    },
    /// The log cannot be read.
    #[error("the log cannot be followed")]
    Log(#[from] FollowError),
    /// A record cannot be decoded or folded.
    #[error("{0}")]
    Record(String),
    /// The view's rows cannot be read.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// The directory for the fold from zero cannot be used.
    #[error("the scratch directory cannot be used")]
    Scratch(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Verifying ended in a panic: a bug.
    #[error("verifying ended in a panic; please report this with the log")]
    Panicked,
}

impl From<Unfoldable> for VerifyError {
    fn from(unfoldable: Unfoldable) -> Self {
        Self::Record(unfoldable.why)
    }
}

impl From<ViewStoreError> for VerifyError {
    fn from(error: ViewStoreError) -> Self {
        Self::Scratch(Box::new(error))
    }
}

/// Folds from zero into a scratch directory, and compares. Blocks on disk and log.
pub(crate) fn verify(
    runtime: &tokio::runtime::Handle,
    log: &Arc<dyn Log>,
    live: &LiveView,
    scratch: &Path,
    shared: &Shared,
) -> Result<Verified, VerifyError> {
    let live_store = live.store();
    let snapshot = live_store.snapshot();
    let position = snapshot.position()?;
    let (live_digest, rows) = Digest::of(&snapshot, snapshot.keyspaces())?;
    drop(snapshot);
    let removed = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(VerifyError::Scratch(Box::new(error))),
        Ok(()) | Err(_) => Ok(()),
    };
    removed(std::fs::remove_dir_all(scratch))?;
    let store = ViewStore::open(scratch, live_store.view(), shared)?;
    let fresh = runtime.block_on(fold_to(log, live, &store, position.offset)).and_then(|()| {
        let (digest, _) = Digest::of(&store, store.keyspaces())?;
        Ok(digest)
    });
    drop(store);
    removed(std::fs::remove_dir_all(scratch))?;
    Ok(Verified { offset: position.offset, rows, live: live_digest, fresh: fresh? })
}

async fn fold_to(log: &Arc<dyn Log>, live: &LiveView, store: &ViewStore, end: u64) -> Result<(), VerifyError> {
    let decisions = live.decisions();
    let mut follower = Follower::open(Arc::clone(log), live.partition, Position::default()).await?;
    while follower.position().offset < end {
        let batch = follower.next(BATCH).await?;
        let mut changes = Changes::new(store);
        for valid in batch.records.iter().filter(|valid| valid.offset < end) {
            fold_one(store.view(), &mut changes, &Decoded::of(valid), &decisions)?;
        }
        let writes = changes.into_writes();
        store.write(&writes, &batch.position).map_err(ViewStoreError::from)?;
    }
    Ok(())
}
