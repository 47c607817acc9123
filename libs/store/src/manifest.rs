//! The manifest: RocksDB's list of the files that make up a database.

use crate::StoreError;
use crate::error::Place;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const CURRENT: &str = "CURRENT";

/// How much of which manifest there was. Manifests only grow, and a newer one has a higher number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) number: u64,
    pub(crate) bytes: u64,
    pub(crate) check: u32,
}

impl Manifest {
    /// Takes note of what was added since, and makes sure that it is on the disk. Returns whether there was something.
    pub(crate) fn advance(&mut self, place: Place<'_>) -> Result<bool, StoreError> {
        let advanced = self.try_advance(place.path);
        advanced.map_err(|error| place.io("read the manifest", &error))
    }

    fn try_advance(&mut self, directory: &Path) -> io::Result<bool> {
        match fs::metadata(directory.join(name(self.number))) {
            Ok(of) if of.len() == self.bytes => return Ok(false),
            Ok(_) => {}
            // Replaced by a new one; or this is the first look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                *self = Self { number: current(directory)?, ..Self::default() };
            }
            Err(error) => return Err(error),
        }
        let mut file = File::open(directory.join(name(self.number)))?;
        file.seek(SeekFrom::Start(self.bytes))?;
        let mut added = Vec::new();
        file.read_to_end(&mut added)?;
        // RocksDB appends and then syncs. What was read may be in between, and is not to be relied on before it is synced.
        file.sync_data()?;
        self.bytes += added.len() as u64;
        self.check = crc32c::crc32c_append(self.check, &added);
        Ok(true)
    }

    /// Whether what was noted is still there, in the directory of a database that is not open.
    pub(crate) fn is_intact(&self, place: Place<'_>) -> Result<bool, StoreError> {
        let number = match current(place.path) {
            Ok(number) => number,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(false),
            Err(error) => return Err(place.io("read the file CURRENT", &error)),
        };
        if number != self.number {
            // A newer one that was not noted any more: RocksDB checks it as far as it goes.
            return Ok(number > self.number);
        }
        let mut present = Vec::new();
        match File::open(place.path.join(name(number))) {
            Ok(file) => file.take(self.bytes).read_to_end(&mut present),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => Err(error),
        }
        .map_err(|error| place.io("read the manifest", &error))?;
        Ok(present.len() as u64 == self.bytes && crc32c::crc32c(&present) == self.check)
    }
}

fn name(number: u64) -> String {
    format!("MANIFEST-{number:06}")
}

/// The number of the manifest in force.
fn current(directory: &Path) -> io::Result<u64> {
    let text = fs::read(directory.join(CURRENT))?;
    let number = str::from_utf8(&text).ok().and_then(|text| text.strip_prefix("MANIFEST-")?.trim_end().parse().ok());
    number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the file CURRENT names no manifest"))
}
