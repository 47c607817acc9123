//! One process at a time in a directory of views.
//!
//! Each view has a lock of its own, which goes with its database. This one is for whoever puts views into the directory, or takes
//! them from it, while no projector works there.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

const FILE: &str = "projector.lock";

/// Another process works on the directory.
#[derive(Debug, thiserror::Error)]
pub enum InUse {
    /// It does.
    #[error("{} is in use by {}; stop it first", directory.display(), owner.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Locked {
        /// The directory of the views.
        directory: PathBuf,
        /// The process, if it can be told.
        owner: Option<u32>,
    },
    /// Whether one does cannot be told.
    #[error("{} cannot be locked", directory.display())]
    Files {
        /// The directory of the views.
        directory: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Held while a process works on a directory of views. The operating system takes it back, however the process ends.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Makes the directory if it is not there.
    pub(crate) fn take(directory: &Path) -> Result<Self, InUse> {
        let failed = |source| InUse::Files { directory: directory.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let path = directory.join(FILE);
        // Not truncated on opening: until the lock is ours the content is another's.
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let owner = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(InUse::Locked { directory: directory.to_owned(), owner });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // On a full disk the process cannot be named; that must not keep anyone out.
        if let Err(error) = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())) {
            tracing::debug!(%error, "the lock file does not name this process");
        }
        Ok(Self { _file: file })
    }
}
