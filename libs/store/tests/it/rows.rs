//! Rows in and out.

use crate::support::{all, fill, open};
use pactum_store::{Direction, Durability, KeyRange, StoreError};
use std::ops::ControlFlow;

#[test]
fn a_batch_takes_effect_whole_and_survives_reopening() {
    let directory = tempfile::tempdir().unwrap();
    for (rebuildable, durability) in
        [(false, Durability::Synced), (true, Durability::Deferred), (true, Durability::Synced)]
    {
        let path = directory.path().join(format!("{rebuildable}-{durability:?}"));
        let database = open(&path, rebuildable).unwrap();
        let (rows, entries) = (database.keyspace("rows").unwrap(), database.keyspace("entries").unwrap());
        let mut batch = database.batch();
        assert!(batch.is_empty());
        batch.put(&rows, b"a", b"1");
        batch.put(&rows, b"b", b"2");
        batch.put(&entries, b"a", b"3");
        batch.delete(&rows, b"a");
        assert_eq!(batch.len(), 4);
        assert_eq!(database.get(&rows, b"b").unwrap(), None, "not before it is written");
        database.write(&batch, durability).unwrap();
        drop(batch);
        let mut database = database;
        for reopened in [false, true] {
            if reopened {
                drop(database);
                database = open(&path, rebuildable).unwrap();
            }
            assert_eq!(database.get(&rows, b"a").unwrap(), None);
            assert_eq!(database.get(&rows, b"b").unwrap().as_deref(), Some(&b"2"[..]));
            assert_eq!(database.get(&entries, b"a").unwrap().as_deref(), Some(&b"3"[..]));
        }
    }
}

#[test]
fn scans_keep_to_their_range_both_ways() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(directory.path(), false).unwrap();
    let rows = database.keyspace("rows").unwrap();
    let mut batch = database.batch();
    for key in ["a", "a\u{0}", "ab", "b", "ba", "c"] {
        batch.put(&rows, key.as_bytes(), key.to_uppercase().as_bytes());
    }
    database.write(&batch, Durability::Synced).unwrap();
    let check = |range: KeyRange, expected: &[&str]| {
        let keys = |direction| -> Vec<String> {
            let scan = database.scan(&rows, &range, direction).unwrap();
            scan.map(|row| String::from_utf8(row.unwrap().0).unwrap()).collect()
        };
        assert_eq!(keys(Direction::Forward), expected, "{range:?}");
        let reversed: Vec<String> = expected.iter().rev().map(|key| (*key).to_owned()).collect();
        assert_eq!(keys(Direction::Reverse), reversed, "{range:?}");
    };
    check(KeyRange::all(), &["a", "a\u{0}", "ab", "b", "ba", "c"]);
    check(KeyRange::prefix(b"a"), &["a", "a\u{0}", "ab"]);
    check(KeyRange::prefix(b""), &["a", "a\u{0}", "ab", "b", "ba", "c"]);
    check(KeyRange::new(&b"ab"[..]..&b"c"[..]), &["ab", "b", "ba"]);
    check(KeyRange::new(&b"ab"[..]..=&b"c"[..]), &["ab", "b", "ba", "c"]);
    check(KeyRange::new(..&b"a"[..]), &[]);
    check(KeyRange::new(&b"c"[..]..&b"a"[..]), &[]);
    check(KeyRange::new(&b"d"[..]..), &[]);

    let mut visited = Vec::new();
    let scan = database.scan(&rows, &KeyRange::all(), Direction::Forward).unwrap();
    scan.visit(|key, value| {
        visited.push((key.to_vec(), value.to_vec()));
        if visited.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(visited, [(b"a".to_vec(), b"A".to_vec()), (b"a\0".to_vec(), b"A\0".to_vec())]);
}

#[test]
fn a_snapshot_and_a_scan_do_not_see_what_comes_later() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(directory.path(), false).unwrap();
    let rows = database.keyspace("rows").unwrap();
    fill(&database, 0, 10, Durability::Synced);
    let snapshot = database.snapshot();
    let scan = database.scan(&rows, &KeyRange::all(), Direction::Forward).unwrap();
    fill(&database, 10, 20, Durability::Synced);
    assert_eq!(scan.count(), 10);
    assert_eq!(snapshot.scan(&rows, &KeyRange::all(), Direction::Reverse).unwrap().count(), 10);
    assert_eq!(snapshot.get(&rows, &15u64.to_be_bytes()).unwrap(), None);
    assert!(database.get(&rows, &15u64.to_be_bytes()).unwrap().is_some());
    drop(snapshot);
    assert_eq!(all(&database, &rows).unwrap().len(), 20);
}

#[test]
fn keyspaces_of_another_database_and_deferred_writes_of_record_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let database = open(&directory.path().join("one"), false).unwrap();
    let other = [pactum_store::KeyspaceSpec::new("others")];
    let other = pactum_store::Database::open(directory.path().join("two"), &other, &pactum_store::Options::default());
    let other = other.unwrap();
    let foreign = other.keyspace("others").unwrap();
    let unknown = StoreError::UnknownKeyspace { path: database.path().to_owned(), name: "others".into() };
    assert_eq!(database.keyspace("others").err(), Some(unknown.clone()));
    assert_eq!(database.get(&foreign, b"k").err(), Some(unknown.clone()));
    let mut batch = database.batch();
    batch.put(&database.keyspace("rows").unwrap(), b"k", b"v");
    batch.put(&foreign, b"k", b"v");
    assert_eq!(database.write(&batch, Durability::Synced).err(), Some(unknown));
    let mut batch = database.batch();
    batch.put(&database.keyspace("rows").unwrap(), b"k", b"v");
    let refused = StoreError::NotRebuildable { path: database.path().to_owned() };
    assert_eq!(database.write(&batch, Durability::Deferred).err(), Some(refused));
    assert_eq!(database.get(&database.keyspace("rows").unwrap(), b"k").unwrap(), None, "nothing was written");
}
