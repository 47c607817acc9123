//! Opening, closing, copying and watching.

use crate::support::{all, fill, open, options, specs};
use pactum_store::{Database, Durability, KeyspaceSpec, Options, Shared, SharedOptions, StoreError};
use std::fs;

#[test]
fn belongs_to_one_at_a_time_and_names_the_owner() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let database = open(&path, true).unwrap();
    let locked = StoreError::Locked { path: path.clone(), owner: Some(std::process::id()) };
    assert_eq!(open(&path, true).err(), Some(locked.clone()));
    let copy = database.clone();
    drop(database);
    assert_eq!(open(&path, true).err(), Some(locked), "a clone keeps it open");
    fs::write(path.join("owner.lock"), "not a number").unwrap();
    assert_eq!(open(&path, true).err(), Some(StoreError::Locked { path: path.clone(), owner: None }));
    drop(copy);
    drop(open(&path, true).unwrap());
}

#[test]
fn is_made_only_if_asked_and_keeps_to_its_keyspaces() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let looking = Options { create: false, ..options(false) };
    let missing = StoreError::Missing { path: path.clone() };
    assert_eq!(Database::open(&path, &specs(), &looking).err(), Some(missing));
    assert!(!path.exists(), "looking leaves nothing behind");
    fill(&open(&path, false).unwrap(), 0, 10, Durability::Synced);
    let foreign = StoreError::ForeignKeyspaces { path: path.clone(), names: vec!["entries".into()] };
    assert_eq!(Database::open(&path, &specs()[..1], &looking).err(), Some(foreign));
    let more = [&specs()[..], &[KeyspaceSpec::new("new")]].concat();
    let database = Database::open(&path, &more, &looking).unwrap();
    assert_eq!(all(&database, &database.keyspace("rows").unwrap()).unwrap().len(), 10);
    assert_eq!(all(&database, &database.keyspace("new").unwrap()).unwrap().len(), 0);
}

#[test]
fn a_checkpoint_is_the_database_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    for (rebuildable, durability) in [(false, Durability::Synced), (true, Durability::Deferred)] {
        let original = directory.path().join(format!("original-{rebuildable}"));
        let copy = directory.path().join(format!("copy-{rebuildable}"));
        let database = open(&original, rebuildable).unwrap();
        fill(&database, 0, 500, durability);
        database.checkpoint(&copy).unwrap();
        assert!(matches!(database.checkpoint(&copy), Err(StoreError::Io { .. })), "never over something");
        fill(&database, 500, 1000, durability);
        drop(database);
        fs::remove_dir_all(&original).unwrap();
        let database = open(&copy, rebuildable).unwrap();
        for keyspace in database.keyspaces() {
            assert_eq!(all(&database, keyspace).unwrap().len(), 500);
        }
        fill(&database, 500, 600, durability);
        drop(database);
        let database = open(&copy, rebuildable).unwrap();
        assert_eq!(all(&database, &database.keyspace("rows").unwrap()).unwrap().len(), 600);
    }
}

#[test]
fn statistics_tell_what_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(directory.path(), true).unwrap();
    fill(&database, 0, 1000, Durability::Deferred);
    let before = database.statistics();
    assert!(before.keyspaces.iter().map(|of| of.memory_bytes).sum::<u64>() > 100_000, "{before:?}");
    database.flush().unwrap();
    let after = database.statistics();
    let names: Vec<&str> = after.keyspaces.iter().map(|of| of.name.as_str()).collect();
    assert_eq!(names, ["rows", "entries"]);
    for of in &after.keyspaces {
        assert!(of.file_bytes > 200_000 && of.rows == 1000, "{of:?}");
    }
    assert_eq!(after.file_bytes(), after.keyspaces.iter().map(|of| of.file_bytes).sum::<u64>());
    assert_eq!((after.background_errors, after.writes_stopped), (0, false));
}

#[test]
fn memory_is_bounded() {
    const MIB: usize = 1024 * 1024;
    let shared = Shared::new(SharedOptions { block_cache_bytes: 2 * MIB });
    let directory = tempfile::tempdir().unwrap();
    let options = Options { rebuildable: true, shared, write_buffer_bytes: 2 * MIB, ..Options::default() };
    let databases: Vec<Database> =
        (0..2).map(|n| Database::open(directory.path().join(n.to_string()), &specs(), &options).unwrap()).collect();
    let (mut most_buffered, mut most_cached) = (0, 0);
    for thousand in 0..20 {
        for database in &databases {
            fill(database, thousand * 1000, (thousand + 1) * 1000, Durability::Deferred);
            most_buffered = most_buffered.max(database.statistics().memory_bytes());
        }
    }
    for database in &databases {
        assert_eq!(all(database, &database.keyspace("rows").unwrap()).unwrap().len(), 20_000);
        most_cached = most_cached.max(database.statistics().block_cache_bytes);
    }
    // Eight megabytes were written to each. The bound is soft while a flush is under way.
    assert!(most_buffered < 6 * MIB as u64, "{most_buffered}");
    assert!(most_cached < 4 * MIB as u64, "{most_cached}");
}

#[test]
fn its_own_text_log_stays_small() {
    let directory = tempfile::tempdir().unwrap();
    for n in 0..10 {
        fill(&open(directory.path(), false).unwrap(), n * 10, (n + 1) * 10, Durability::Synced);
    }
    let is_text = |path: &std::path::PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("LOG");
    let texts: Vec<_> = crate::support::files(directory.path()).into_iter().filter(is_text).collect();
    assert!(texts.len() <= 3, "{texts:?}");
}

#[test]
fn a_linked_copy_goes_its_own_way() {
    let directory = tempfile::tempdir().unwrap();
    let (original, copy) = (directory.path().join("original"), directory.path().join("copy"));
    let database = open(&original, true).unwrap();
    fill(&database, 0, 500, Durability::Synced);
    drop(database);
    pactum_store::link(&original, &copy).unwrap();
    assert!(pactum_store::link(&original, &copy).is_err(), "never over something");
    let database = open(&copy, true).unwrap();
    fill(&database, 500, 600, Durability::Deferred);
    drop(database);
    let count = |path| {
        let database = open(path, true).unwrap();
        all(&database, &database.keyspace("rows").unwrap()).unwrap().len()
    };
    assert_eq!((count(&original), count(&copy)), (500, 600));
}

#[test]
fn one_that_is_thrown_away_writes_nothing_on_closing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let database = Database::open(&path, &specs(), &Options { throwaway: true, ..options(true) }).unwrap();
    fill(&database, 0, 10, Durability::Synced);
    fill(&database, 10, 20, Durability::Deferred);
    drop(database);
    let database = open(&path, true).unwrap();
    assert_eq!(all(&database, &database.keyspace("rows").unwrap()).unwrap().len(), 10);
}

#[test]
fn one_that_is_only_read_is_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let reading = Options { read_only: true, ..options(true) };
    let missing = StoreError::Missing { path: path.clone() };
    assert_eq!(Database::open(&path, &specs(), &reading).err(), Some(missing));
    fill(&open(&path, true).unwrap(), 0, 10, Durability::Synced);
    let files = || {
        let entries = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.filter(|name| !name.starts_with("LOG")).collect();
        names.sort();
        names
    };
    let before = files();
    let database = Database::open(&path, &specs(), &reading).unwrap();
    let rows = database.keyspace("rows").unwrap();
    assert_eq!(all(&database, &rows).unwrap().len(), 10);
    let mut batch = database.batch();
    batch.put(&rows, b"key", b"value");
    assert!(database.write(&batch, Durability::Deferred).is_err());
    drop(database);
    assert_eq!(files(), before);
}
