//! Remembering how much was acknowledged, so that its loss is noticed.
//!
//! The end of a write-ahead log cannot tell whether it is the end: a crash in the middle of a write leaves the same picture
//! as acknowledged writes cut off, or as a damaged length that seems to point beyond the file. RocksDB must open the first,
//! and so it opens all three. A small file beside the database tells them apart. It holds the sequence number (RocksDB's
//! count of changes) up to which writes were acknowledged, and a database that ends before it is refused.
//!
//! Why this is sound. The number is written after the write-ahead log was fsynced and before the write returns, without an
//! fsync of its own:
//!
//! - it never exceeds what the disk holds, so an intact database is never refused;
//! - after the process dies, however it dies, the number is in the operating system's cache and complete: every write that
//!   returned is covered;
//! - after a power loss the number may be older, and covers what had been acknowledged when it reached the disk. It is
//!   twelve bytes at the start of a file, within one sector, so it is old or new and never a mixture; its checksum is against
//!   other damage.
//!
//! A hole in the middle, unlike a short end, is found by RocksDB itself: files that are no longer written to are listed with
//! their sizes in its manifest, and its records have checksums.

use crate::StoreError;
use crate::error::Place;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const FILE: &str = "synced";
const BYTES: usize = 12;

/// The number and its file.
#[derive(Debug)]
pub(crate) struct Synced {
    file: File,
    written: Mutex<u64>,
}

/// What the file says about a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Absent,
    Damaged,
    At(u64),
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

impl Synced {
    /// Opens the file, or makes it, and sets the number.
    pub(crate) fn start(place: Place<'_>, number: u64) -> Result<Self, StoreError> {
        let file = open(place.path).map_err(|error| place.io("open the file synced", &error))?;
        let set = file.write_all_at(&encode(number), 0).and_then(|()| file.sync_all());
        set.map_err(|error| place.io("write the file synced", &error))?;
        Ok(Self { file, written: Mutex::new(number) })
    }

    /// Moves the number forward. Concurrent writers may come in any order; the largest stays.
    pub(crate) fn advance(&self, place: Place<'_>, number: u64) -> Result<(), StoreError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if number > *written {
            // Overwrites a block that is allocated, so it needs no space.
            let set = self.file.write_all_at(&encode(number), 0);
            set.map_err(|error| place.io("write the file synced", &error))?;
            *written = number;
        }
        Ok(())
    }
}

fn open(directory: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(directory.join(FILE))
}

fn encode(number: u64) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(&number.to_le_bytes());
    tail.copy_from_slice(&crc32c::crc32c(head).to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<u64> {
    let number = u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    (bytes == encode(number)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_damaged_bit_is_noticed() {
        let bytes = encode(123_456_789);
        assert_eq!(decode(&bytes), Some(123_456_789));
        for bit in 0..BYTES * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&damaged), None, "bit {bit}");
        }
        assert_eq!(decode(&bytes[..11]), None);
        assert_eq!(decode(&[]), None);
    }
}
