//! What the tests share.

use pactum_store::{Database, Direction, Durability, KeyRange, Keyspace, KeyspaceSpec, Options, StoreError};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

pub(crate) fn specs() -> [KeyspaceSpec; 2] {
    [KeyspaceSpec::new("rows"), KeyspaceSpec::append_only("entries")]
}

pub(crate) fn options(rebuildable: bool) -> Options {
    Options { rebuildable, write_buffer_bytes: 256 * 1024, ..Options::default() }
}

pub(crate) fn open(path: &Path, rebuildable: bool) -> Result<Database, StoreError> {
    Database::open(path, &specs(), &options(rebuildable))
}

pub(crate) fn all(database: &Database, keyspace: &Keyspace) -> Result<Rows, StoreError> {
    database.scan(keyspace, &KeyRange::all(), Direction::Forward)?.collect()
}

/// Writes rows `from..to` to both keyspaces, ten to a batch, with values that do not compress.
pub(crate) fn fill(database: &Database, from: u64, to: u64, durability: Durability) {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let numbers: Vec<u64> = (from..to).collect();
    for ten in numbers.chunks(10) {
        let mut batch = database.batch();
        for number in ten {
            let mut value = Vec::new();
            for _ in 0..25 {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                value.extend_from_slice(&state.to_le_bytes());
            }
            for keyspace in database.keyspaces() {
                batch.put(keyspace, &number.to_be_bytes(), &value);
            }
        }
        database.write(&batch, durability).unwrap();
    }
}

pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}
