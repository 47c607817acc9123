//! The checkpoints of every view.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use pactum_log::Partition;
use pactum_store::Shared;
use pactum_views::View;

use super::options::AsOfOptions;
use super::shelf::{self, Shelf};
use crate::store::{ViewStore, ViewStoreError};

/// The shelf of each directory that rows are folded into. One that is rebuilt is another directory and has its own.
pub(crate) struct Shelves {
    pub(super) shared: Shared,
    pub(super) options: AsOfOptions,
    open: Mutex<HashMap<PathBuf, Arc<Shelf>>>,
}

impl Shelves {
    pub(crate) fn new(shared: Shared, options: AsOfOptions) -> Self {
        Self { shared, options, open: Mutex::default() }
    }

    /// The shelf of an open view; opened when it is first asked for.
    pub(crate) fn of(
        &self,
        view: &'static dyn View,
        partition: Partition,
        store: &ViewStore,
    ) -> Result<Arc<Shelf>, ViewStoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shelf) = open.get(store.path()) {
            return Ok(Arc::clone(shelf));
        }
        let position = store.position()?;
        let shelf = Arc::new(Shelf::open(view, partition, store.path(), &position));
        open.insert(store.path().to_owned(), Arc::clone(&shelf));
        Ok(shelf)
    }

    /// Removes the checkpoints of directories that are gone. To be called while nothing is folded.
    pub(crate) fn remove_orphans(data: &Path) -> io::Result<()> {
        for partition in directories(data)? {
            for path in directories(&partition)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let Some(of) = name.strip_suffix(shelf::SUFFIX) else { continue };
                if !path.with_file_name(of).exists() {
                    tracing::info!(path = %path.display(), "removed: the view they are checkpoints of is gone");
                    fs::remove_dir_all(&path)?;
                }
            }
        }
        Ok(())
    }
}

fn directories(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}
