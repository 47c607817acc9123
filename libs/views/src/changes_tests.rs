//! The overlay against rows in memory.

#![expect(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::rows::MemoryRows;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Count(u64);
impl Row for Count {
    const VERSION: u8 = 1;
}
const COUNTS: Table<Count> = Table::new("counts");
const MARKS: Table<Count> = Table::new("marks");

fn written(rows: &mut MemoryRows, change: impl FnOnce(&mut Changes<'_>)) -> usize {
    let mut changes = Changes::new(rows);
    change(&mut changes);
    let writes = changes.into_writes();
    let count = writes.len();
    rows.write(writes);
    count
}

#[test]
fn a_row_touched_often_is_written_once_and_one_only_read_not_at_all() {
    let mut rows = MemoryRows::default();
    let count = written(&mut rows, |changes| {
        for _ in 0..1_000 {
            changes.edit_or(&COUNTS, b"a", || Count(0)).unwrap().0 += 1;
        }
        assert_eq!(changes.get(&COUNTS, b"b").unwrap(), None);
    });
    assert_eq!(count, 1);
    assert_eq!(written(&mut rows, |changes| assert_eq!(changes.get(&COUNTS, b"a").unwrap(), Some(&Count(1_000)))), 0);
}

#[test]
fn what_was_never_written_is_not_deleted() {
    let mut rows = MemoryRows::default();
    let count = written(&mut rows, |changes| {
        assert_eq!(changes.edit_or(&COUNTS, b"a", || Count(1)).unwrap(), &Count(1));
        changes.delete(&COUNTS, b"a".to_vec());
        changes.put(&COUNTS, b"b".to_vec(), Count(2));
    });
    assert_eq!(count, 1);
    let count = written(&mut rows, |changes| {
        changes.delete(&COUNTS, b"b".to_vec());
        changes.put(&COUNTS, b"b".to_vec(), Count(3));
        changes.delete(&COUNTS, b"b".to_vec());
    });
    assert_eq!((count, COUNTS.get(&rows, b"b").unwrap()), (1, None), "it was there before");
}

#[test]
fn a_row_that_ends_as_it_was_is_not_written_again() {
    let store = std::cell::RefCell::new(MemoryRows::default());
    let rows = Shared(&store);
    let mut changes = Changes::new(&rows);
    changes.keep_at_most(1 << 20);
    changes.put(&COUNTS, b"a".to_vec(), Count(1));
    write_to(&store, &mut changes);
    changes.edit(&COUNTS, b"a").unwrap().unwrap().0 = 1;
    changes.write(|_, key, _| panic!("{key:?} is as it was"));
}

#[test]
fn rows_that_are_only_written_are_sorted_among_the_others() {
    let mut rows = MemoryRows::default();
    written(&mut rows, |changes| {
        changes.insert(&MARKS, b"p", b"2", &Count(2));
        changes.insert(&MARKS, b"p", b"1", &Count(1));
        assert_eq!(changes.changed(), 2);
    });
    assert_eq!(rows.all("marks").map(|(key, _)| key).collect::<Vec<_>>(), [b"p1", b"p2"]);
    written(&mut rows, |changes| changes.remove(&MARKS, b"p", b"1"));
    assert_eq!(rows.all("marks").map(|(key, _)| key).collect::<Vec<_>>(), [b"p2"]);
}

#[test]
fn the_last_change_counts() {
    let mut rows = MemoryRows::default();
    written(&mut rows, |changes| {
        changes.put(&COUNTS, b"a".to_vec(), Count(1));
        changes.put(&COUNTS, b"b".to_vec(), Count(2));
        changes.delete(&COUNTS, b"a".to_vec());
        assert_eq!(changes.get(&COUNTS, b"a").unwrap(), None);
        assert_eq!(changes.edit(&COUNTS, b"a").unwrap(), None);
    });
    assert_eq!(COUNTS.get(&rows, b"a").unwrap(), None);
    assert_eq!(COUNTS.get(&rows, b"b").unwrap(), Some(Count(2)));
    written(&mut rows, |changes| {
        changes.edit(&COUNTS, b"b").unwrap().unwrap().0 = 5;
        changes.edit_or(&COUNTS, b"a", || Count(9)).unwrap();
    });
    assert_eq!(COUNTS.get(&rows, b"a").unwrap(), Some(Count(9)));
    assert_eq!(COUNTS.get(&rows, b"b").unwrap(), Some(Count(5)));
}
/// One change, to one of few rows, so that they meet.
#[derive(Clone, Copy, Debug)]
enum Step {
    Get(u8),
    Edit(u8),
    EditOr(u8),
    Put(u8),
    Delete(u8),
    Write,
}

fn step() -> impl Strategy<Value = Step> {
    (0..6u8, 0..8u8).prop_map(|(kind, key)| match kind {
        0 => Step::Get(key),
        1 => Step::Edit(key),
        2 => Step::EditOr(key),
        3 => Step::Put(key),
        4 => Step::Delete(key),
        _ => Step::Write,
    })
}

proptest! {
    /// Rows that stay from batch to batch, however little room they have, change nothing about what is written.
    #[test]
    fn rows_that_stay_read_as_those_of_the_store(steps in prop::collection::vec(step(), 1..200), keep in 0..200_000usize) {
        let mut expected = std::collections::BTreeMap::new();
        let store = std::cell::RefCell::new(MemoryRows::default());
        let rows = Shared(&store);
        let mut changes = Changes::new(&rows);
        changes.keep_at_most(keep);
        for (number, step) in steps.into_iter().enumerate() {
            let number = number as u64;
            match step {
                Step::Get(key) => {
                    prop_assert_eq!(changes.get(&COUNTS, &[key]).unwrap().map(|row| row.0), expected.get(&key).copied());
                }
                Step::Edit(key) => {
                    let row = changes.edit(&COUNTS, &[key]).unwrap();
                    prop_assert_eq!(row.is_some(), expected.contains_key(&key));
                    if let Some(row) = row {
                        row.0 = number;
                        expected.insert(key, number);
                    }
                }
                Step::EditOr(key) => {
                    changes.edit_or(&COUNTS, &[key], || Count(0)).unwrap().0 = number;
                    expected.insert(key, number);
                }
                Step::Put(key) => {
                    changes.put(&COUNTS, vec![key], Count(number));
                    expected.insert(key, number);
                }
                Step::Delete(key) => {
                    changes.delete(&COUNTS, vec![key]);
                    expected.remove(&key);
                }
                Step::Write => write_to(&store, &mut changes),
            }
        }
        write_to(&store, &mut changes);
        let written: Vec<_> =
            store.borrow().all("counts").map(|(key, row)| (key[0], COUNTS.decode(row).unwrap().0)).collect();
        prop_assert_eq!(written, expected.into_iter().collect::<Vec<_>>());
    }
}

fn write_to(store: &std::cell::RefCell<MemoryRows>, changes: &mut Changes<'_>) {
    let mut writes = Vec::new();
    changes.write(|keyspace, key, row| {
        writes.push(Write { keyspace, key: key.to_vec(), row: row.map(<[u8]>::to_vec) });
    });
    assert_eq!(changes.changed(), 0);
    assert!(writes.is_sorted_by_key(|write| write.key.clone()));
    store.borrow_mut().write(writes);
}

/// Rows that are written to while they are read from, as a store's are.
struct Shared<'a>(&'a std::cell::RefCell<MemoryRows>);

impl Rows for Shared<'_> {
    fn get(&self, keyspace: &'static str, key: &[u8], read: &mut dyn FnMut(&[u8])) -> Result<bool, RowError> {
        self.0.borrow().get(keyspace, key, read)
    }

    fn scan(
        &self,
        keyspace: &'static str,
        range: &crate::rows::KeyRange,
        order: crate::rows::Order,
        visit: &mut crate::rows::Visit<'_>,
    ) -> Result<(), RowError> {
        self.0.borrow().scan(keyspace, range, order, visit)
    }
}
