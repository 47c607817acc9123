//! A view's files as of one moment, while it is folded on.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use pactum_log::Partition;
use pactum_store::{Shared, StoreError};
use sha2::{Digest as _, Sha256};

use super::EXPORTS;
use super::error::ExportError;
use super::manifest::{ExportedFile, ExportedView, hex};
use crate::decisions::Decisions;
use crate::store::ViewStore;

/// How much of a file is handed out at once.
const PIECE: usize = 256 * 1024;

/// What a directory has besides the files of the database.
const NOT_ROWS: &[&str] = &["LOCK", "LOG", "LOG.old", "owner.lock"];

/// A view that was put aside to be exported. Its files go when it does.
pub(crate) struct Taken {
    /// What it is. The digests of its files are known once they were read.
    pub(crate) view: ExportedView,
    directory: PathBuf,
}

impl Taken {
    /// Puts the rows aside as they are now, within the directory of the views. Blocks on the disk.
    pub(crate) fn of(
        data: &Path,
        partition: Partition,
        store: &ViewStore,
        decisions: impl FnOnce() -> std::sync::Arc<Decisions>,
        shared: &Shared,
    ) -> Result<Self, ExportError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let exports = data.join(EXPORTS);
        std::fs::create_dir_all(&exports).map_err(ExportError::files(&exports))?;
        let directory = exports.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
        let rows = |error: StoreError| ExportError::Rows(Box::new(error));
        let (view, version) = (store.view().name(), store.view().version());
        let empty = || ExportError::Empty { view: view.to_owned(), partition };
        let before = store.position().map_err(|error| ExportError::Rows(Box::new(error)))?;
        if before.genesis.is_none() {
            return Err(empty());
        }
        store.checkpoint(&directory).map_err(rows)?;
        // From here on the files go with it.
        let Some(unread) = ExportedView::of(partition, view, version, &before) else { return Err(empty()) };
        let mut taken = Self { view: unread, directory };
        // What was written while it was made is in it or not; so it is asked itself up to where it holds.
        let looked = ViewStore::look(&taken.directory, store.view(), shared);
        let position = looked.and_then(|looked| looked.position());
        let position = position.map_err(|error| ExportError::Rows(Box::new(error)))?;
        taken.view = ExportedView::of(partition, view, version, &position).ok_or_else(empty)?;
        taken.view.passed_over = decisions().before(position.offset).cloned().collect();
        let files = ExportError::files(&taken.directory);
        taken.view.files = list(&taken.directory).map_err(files)?;
        Ok(taken)
    }

    /// Hands out the bytes of the files, one file after another in the order in which they are listed, and returns their
    /// digests. `each` says whether to go on. Blocks on the disk.
    pub(crate) fn read(&self, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<Option<Vec<[u8; 32]>>, ExportError> {
        let mut digests = Vec::new();
        let mut piece = vec![0; PIECE];
        for file in &self.view.files {
            let path = self.directory.join(&file.name);
            let mut hash = Sha256::new();
            let mut open = File::open(&path).map_err(ExportError::files(&path))?;
            loop {
                let read = open.read(&mut piece).map_err(ExportError::files(&path))?;
                if read == 0 {
                    break;
                }
                hash.update(&piece[..read]);
                if !each(&piece[..read]) {
                    return Ok(None);
                }
            }
            digests.push(hash.finalize().into());
        }
        Ok(Some(digests))
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.directory) {
            let path = self.directory.display().to_string();
            tracing::warn!(path, %error, "what was put aside for an export is left; the next start removes it");
        }
    }
}

fn list(directory: &Path) -> std::io::Result<Vec<ExportedFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !NOT_ROWS.contains(&name.as_str()) && !name.starts_with("LOG.") && entry.file_type()?.is_file() {
            files.push(ExportedFile { name, bytes: entry.metadata()?.len(), sha256: String::new() });
        }
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(files)
}

/// The digests as a manifest has them.
pub(super) fn texts(digests: &[[u8; 32]]) -> Vec<String> {
    digests.iter().map(|digest| hex(digest)).collect()
}
