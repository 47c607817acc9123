//! What can go wrong with a database, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a database could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process (or another part of this one) has the database open.
    #[error("{} is in use by {}", path.display(), owner.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}")))]
    Locked {
        /// The database.
        path: PathBuf,
        /// The process that has it open, if it can be told.
        owner: Option<u32>,
    },
    /// There is no database, and none was to be made.
    #[error("{} holds no database", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The disk is full, or a quota is used up.
    #[error("no space left for {}: {detail}", path.display())]
    Full {
        /// The database.
        path: PathBuf,
        /// What could not be written.
        detail: String,
    },
    /// Files are damaged or missing.
    #[error("{} is damaged: {detail}; {}", path.display(), if *rebuildable { "stop, delete it and start again: it is rebuilt" } else { "stop and restore it from a backup" })]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What was found.
        detail: String,
        /// Whether its content can be made again from elsewhere.
        rebuildable: bool,
    },
    /// The database has keyspaces that the caller does not know: it was written by another version.
    #[error("{} has keyspaces of another version: {}", path.display(), names.join(", "))]
    ForeignKeyspaces {
        /// The database.
        path: PathBuf,
        /// The keyspaces' names.
        names: Vec<String>,
    },
    /// The keyspace was not named when the database was opened.
    #[error("{} was opened without a keyspace named {name}", path.display())]
    UnknownKeyspace {
        /// The database.
        path: PathBuf,
        /// The keyspace's name.
        name: String,
    },
    /// A write without write-ahead log to a database of record.
    #[error("{} is not rebuildable and takes synced writes only", path.display())]
    NotRebuildable {
        /// The database.
        path: PathBuf,
    },
    /// Reading or writing failed for another reason.
    #[error("{}: {detail}", path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// What failed.
        detail: String,
    },
}

/// What an error is about: the database's place and kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a Path,
    pub(crate) rebuildable: bool,
}

impl Place<'_> {
    /// Reads RocksDB's error. The crate gives only text, whose first words are a fixed code and which carries the operating
    /// system's message.
    pub(crate) fn rocks(&self, error: &rocksdb::Error) -> StoreError {
        let detail = error.as_ref().to_owned();
        let path = self.path.to_owned();
        let says = |words: &str| detail.contains(words);
        if says("No space left on device") || says("Disk quota exceeded") {
            return StoreError::Full { path, detail };
        }
        // A file that the manifest names and that is not there is damage, whichever code it comes with. So are a manifest
        // or a pointer to it that cannot be parsed.
        let damaged = matches!(error.kind(), rocksdb::ErrorKind::Corruption)
            || says("No such file or directory")
            || says("checksum mismatch")
            || says("CURRENT file does not end with newline");
        if damaged {
            return StoreError::Corrupt { path, detail, rebuildable: self.rebuildable };
        }
        StoreError::Io { path, detail }
    }

    /// Reads an error of the operating system.
    pub(crate) fn io(&self, doing: &str, error: &io::Error) -> StoreError {
        let detail = format!("{doing}: {error}");
        let path = self.path.to_owned();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { path, detail },
            _ => StoreError::Io { path, detail },
        }
    }

    pub(crate) fn corrupt(&self, detail: impl Into<String>) -> StoreError {
        StoreError::Corrupt { path: self.path.to_owned(), detail: detail.into(), rebuildable: self.rebuildable }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_to_do() {
        let path = PathBuf::from("/data/log");
        let texts = [
            (StoreError::Locked { path: path.clone(), owner: Some(12) }, "/data/log is in use by process 12"),
            (StoreError::Locked { path: path.clone(), owner: None }, "/data/log is in use by another process"),
            (
                StoreError::Corrupt { path: path.clone(), detail: "bad block".into(), rebuildable: true },
                "/data/log is damaged: bad block; stop, delete it and start again: it is rebuilt",
            ),
            (
                StoreError::Corrupt { path, detail: "bad block".into(), rebuildable: false },
                "/data/log is damaged: bad block; stop and restore it from a backup",
            ),
        ];
        for (error, text) in texts {
            assert_eq!(error.to_string(), text);
        }
    }
}
