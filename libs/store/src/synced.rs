//! Remembering how much was acknowledged, so that its loss is noticed.
//!
//! The end of a write-ahead log cannot tell whether it is the end: a crash in the middle of a write leaves the same picture
//! as acknowledged writes cut off, or as a damaged length that seems to point beyond the file. RocksDB must open the first,
//! and so it opens all three. The end of its manifest, where flushed rows are found from, is read in the same way. A small
//! file beside the database tells them apart. It holds the sequence number (RocksDB's count of changes) up to which writes
//! were acknowledged, and the length and checksum of the manifest then. A database that ends before that number, or whose
//! manifest does not begin with those bytes, is refused.
//!
//! Why this is sound. The file is written after the write-ahead log was fsynced and before the write returns, without an
//! fsync of its own; the manifest is fsynced before what it has grown by is noted:
//!
//! - it never tells of more than the disk holds, so an intact database is never refused;
//! - after the process dies, however it dies, the file is in the operating system's cache and complete: every write that
//!   returned is covered;
//! - after a power loss the file may be older, and covers what had been acknowledged when it reached the disk. It is some
//!   thirty bytes at the start of a file, within one sector, so it is old or new and never a mixture; its checksum is
//!   against other damage.
//!
//! What the manifest has grown by since the last write is not covered until the next write or the closing: damage to just
//! that, before either, can hide flushed rows, and is found only by whoever misses them.
//!
//! The rest RocksDB finds itself: the manifest lists each file of rows, and each write-ahead log that is no longer written
//! to, with its size; and all records have checksums.

use crate::StoreError;
use crate::error::Place;
use crate::manifest::Manifest;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const FILE: &str = "synced";
const BYTES: usize = 32;

/// What was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    /// Changes, in RocksDB's count.
    pub(crate) changes: u64,
    pub(crate) manifest: Manifest,
}

/// What the file in a directory says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Absent,
    Damaged,
    At(Acknowledged),
}

impl Mark {
    pub(crate) fn read(place: Place<'_>) -> Result<Self, StoreError> {
        let bytes = match std::fs::read(place.path.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Absent),
            Err(error) => return Err(place.io("read the file synced", &error)),
        };
        Ok(decode(&bytes).map_or(Self::Damaged, Self::At))
    }
}

/// The file of an open database.
#[derive(Debug)]
pub(crate) struct Synced {
    file: File,
    written: Mutex<Acknowledged>,
}

impl Synced {
    /// Notes a database without changes before it is made, so that no crash leaves one without the file.
    pub(crate) fn prepare(place: Place<'_>) -> Result<(), StoreError> {
        let prepared = open(place.path).and_then(|file| {
            file.write_all_at(&encode(Acknowledged::default()), 0)?;
            file.sync_all()?;
            File::open(place.path)?.sync_all()
        });
        prepared.map_err(|error| place.io("write the file synced", &error))
    }

    /// Opens the file, or makes it, and notes the database as it is.
    pub(crate) fn start(place: Place<'_>, changes: u64) -> Result<Self, StoreError> {
        let mut acknowledged = Acknowledged { changes, ..Acknowledged::default() };
        acknowledged.manifest.advance(place)?;
        let file = open(place.path).map_err(|error| place.io("open the file synced", &error))?;
        let set = file.write_all_at(&encode(acknowledged), 0).and_then(|()| file.sync_all());
        set.map_err(|error| place.io("write the file synced", &error))?;
        Ok(Self { file, written: Mutex::new(acknowledged) })
    }

    /// Notes that changes up to this one are on the disk. Concurrent writers may come in any order; the last one stays.
    pub(crate) fn advance(&self, place: Place<'_>, changes: u64) -> Result<(), StoreError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut acknowledged = *written;
        acknowledged.changes = acknowledged.changes.max(changes);
        acknowledged.manifest.advance(place)?;
        if acknowledged != *written {
            // Overwrites a block that is allocated, so it needs no space.
            let set = self.file.write_all_at(&encode(acknowledged), 0);
            set.map_err(|error| place.io("write the file synced", &error))?;
            *written = acknowledged;
        }
        Ok(())
    }
}

fn open(directory: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(directory.join(FILE))
}

fn encode(acknowledged: Acknowledged) -> [u8; BYTES] {
    let Acknowledged { changes, manifest } = acknowledged;
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(&changes.to_le_bytes());
    bytes[8..16].copy_from_slice(&manifest.number.to_le_bytes());
    bytes[16..24].copy_from_slice(&manifest.bytes.to_le_bytes());
    bytes[24..28].copy_from_slice(&manifest.check.to_le_bytes());
    let check = crc32c::crc32c(&bytes[..28]);
    bytes[28..].copy_from_slice(&check.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<Acknowledged> {
    let number = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let manifest = Manifest {
        number: number(8)?,
        bytes: number(16)?,
        check: u32::from_le_bytes(*bytes.get(24..)?.first_chunk()?),
    };
    let acknowledged = Acknowledged { changes: number(0)?, manifest };
    (bytes == encode(acknowledged)).then_some(acknowledged)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{Database, KeyspaceSpec, Options};

    #[test]
    fn a_database_whose_making_broke_off_is_opened_and_one_without_its_file_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let place = Place { path: directory.path(), rebuildable: false };
        let open = || Database::open(directory.path(), &[KeyspaceSpec::new("rows")], &Options::default());
        // RocksDB cannot name its manifest, so that the making breaks off in the middle of it.
        let obstacle = directory.path().join("000001.dbtmp");
        std::fs::create_dir(&obstacle).unwrap();
        open().unwrap_err();
        assert_eq!(Mark::read(place), Ok(Mark::At(Acknowledged::default())));
        std::fs::remove_dir(&obstacle).unwrap();
        // As it leaves a database when it breaks off a moment later.
        drop(rocksdb::DB::open(&Options::default().database(true), directory.path()).unwrap());
        assert_eq!(Mark::read(place), Ok(Mark::At(Acknowledged::default())));
        drop(open().unwrap());
        std::fs::remove_file(directory.path().join(FILE)).unwrap();
        let error = open().unwrap_err();
        assert!(error.to_string().contains("the file synced is missing"), "{error}");
    }

    #[test]
    fn any_damaged_bit_is_noticed() {
        let manifest = Manifest { number: 5, bytes: 1439, check: 0x1234_5678 };
        let acknowledged = Acknowledged { changes: 123_456_789, manifest };
        let bytes = encode(acknowledged);
        assert_eq!(decode(&bytes), Some(acknowledged));
        for bit in 0..BYTES * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&damaged), None, "bit {bit}");
        }
        for len in 0..BYTES {
            assert_eq!(decode(&bytes[..len]), None);
        }
    }
}
