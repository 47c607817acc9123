//! One process at a time.
//!
//! The operating system's lock on a file, which goes when its holder goes, however that ends. The file also names the holder,
//! for people. RocksDB has a lock of its own, but not one that tells who holds it.

use crate::StoreError;
use crate::error::Place;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};

const FILE: &str = "owner.lock";

/// Held while the database is open.
#[derive(Debug)]
pub(crate) struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    pub(crate) fn take(place: Place<'_>) -> Result<Self, StoreError> {
        let path = place.path.join(FILE);
        // Not truncated on opening: until the lock is ours the content is another's.
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(|error| place.io("open the lock file", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { path: place.path.to_owned(), owner: owner(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(place.io("lock", &error)),
        }
        // On a full disk the pid cannot be written; that must not keep anyone from opening the database.
        if let Err(error) = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())) {
            tracing::debug!(path = %path.display(), %error, "the lock file does not name this process");
        }
        Ok(Self { _file: file })
    }
}

fn owner(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
