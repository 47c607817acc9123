//! A process that dies.

use crate::support::{all, fill, open};
use pactum_store::{Durability, StoreError};
use std::path::Path;
use std::process::Command;

const DIRECTORY: &str = "PACTUM_TEST_CRASH_DIRECTORY";
const REBUILDABLE: &str = "PACTUM_TEST_CRASH_REBUILDABLE";

/// Writes 1,000 rows, brings them into files if it is the rebuildable kind, writes 500 more, and dies without closing.
#[test]
#[ignore = "the child process of the tests below"]
fn child() {
    let rebuildable = std::env::var(REBUILDABLE).expect("set by the parent") == "true";
    let directory = std::env::var(DIRECTORY).expect("set by the parent");
    let database = open(Path::new(&directory), rebuildable).unwrap();
    let durability = if rebuildable { Durability::Deferred } else { Durability::Synced };
    fill(&database, 0, 1000, durability);
    if rebuildable {
        database.flush().unwrap();
    }
    fill(&database, 1000, 1500, durability);
    let other = open(Path::new(&directory), rebuildable).unwrap_err();
    assert!(matches!(other, StoreError::Locked { .. }));
    std::process::abort();
}

fn crash(directory: &Path, rebuildable: bool) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--ignored", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .env(REBUILDABLE, rebuildable.to_string())
        .output()
        .unwrap();
    // Aborted, and not for a failed assertion, which would end it with an exit code.
    assert_eq!(child.status.code(), None, "{}", String::from_utf8_lossy(&child.stdout));
}

#[test]
fn takes_nothing_from_a_database_of_record() {
    let directory = tempfile::tempdir().unwrap();
    crash(directory.path(), false);
    let database = open(directory.path(), false).unwrap();
    for keyspace in database.keyspaces() {
        assert_eq!(all(&database, keyspace).unwrap().len(), 1500);
    }
}

#[test]
fn takes_whole_batches_from_a_rebuildable_one_and_the_same_of_every_keyspace() {
    let directory = tempfile::tempdir().unwrap();
    crash(directory.path(), true);
    let database = open(directory.path(), true).unwrap();
    let counts: Vec<usize> =
        database.keyspaces().iter().map(|keyspace| all(&database, keyspace).unwrap().len()).collect();
    assert_eq!(counts[0], counts[1], "the same point in both");
    assert!((1000..=1500).contains(&counts[0]) && counts[0].is_multiple_of(10), "{counts:?}");
}
