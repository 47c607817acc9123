//! Rows that a fold only writes: those of indexes and histories.
//!
//! They are never read while folding, so nothing is looked up: a key is put down with what happens to it, and only when a
//! batch is written are the keys sorted and what cancels out left away.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

/// More prefixes than so many are forgotten after a batch; those of fewer keep their memory for the next.
const MOST_GROUPS: usize = 2_000;

/// What happened to rows of a keyspace that are only written.
#[derive(Default)]
pub(crate) struct Entries {
    groups: IndexMap<Vec<u8>, Vec<Entry>, FxBuildHasher>,
    /// The ends of keys, each with its row behind it.
    bytes: Vec<u8>,
    count: usize,
}

/// What happened to one row.
#[derive(Clone, Copy)]
struct Entry {
    /// The first bytes of the key's end, as a number: nearly all entries are told apart by it.
    first: u128,
    at: u32,
    end: u16,
    /// The row's length; none: it is taken out.
    row: Option<u32>,
}

impl Entries {
    /// How many things happened.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Notes that a row is written whose key is `prefix` and `end`; `write` appends its bytes.
    pub(crate) fn insert(&mut self, prefix: &[u8], end: &[u8], write: impl FnOnce(&mut Vec<u8>)) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(end);
        write(&mut self.bytes);
        let row = self.bytes.len() - at - end.len();
        self.push(prefix, at, end, Some(u32::try_from(row).expect("a row has no four billion bytes")));
    }

    /// Notes that a row is taken out.
    pub(crate) fn remove(&mut self, prefix: &[u8], end: &[u8]) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(end);
        self.push(prefix, at, end, None);
    }

    fn push(&mut self, prefix: &[u8], at: usize, end: &[u8], row: Option<u32>) {
        let mut first = [0; 16];
        let length = end.len().min(first.len());
        first[..length].copy_from_slice(&end[..length]);
        let entry = Entry {
            first: u128::from_be_bytes(first),
            at: u32::try_from(at).expect("a batch is written long before it has four billion bytes"),
            end: u16::try_from(end.len()).expect("keys are made of ids and numbers, and short"),
            row,
        };
        self.count += 1;
        match self.groups.get_mut(prefix) {
            Some(group) => group.push(entry),
            None => drop(self.groups.insert(prefix.to_vec(), vec![entry])),
        }
    }

    /// Shows what is to be written, in order of the keys, and forgets it.
    pub(crate) fn write(&mut self, mut write: impl FnMut(&[u8], Option<&[u8]>)) {
        let mut order: Vec<usize> = (0..self.groups.len()).collect();
        order.sort_unstable_by_key(|index| self.groups.get_index(*index).map(|(prefix, _)| prefix));
        let bytes = &self.bytes;
        let end = |entry: &Entry| &bytes[entry.at as usize..entry.at as usize + usize::from(entry.end)];
        let mut key = Vec::with_capacity(128);
        for index in order {
            let Some((prefix, group)) = self.groups.get_index_mut(index) else { continue };
            // In order of time among those of one key: the place in `bytes` grows.
            group.sort_unstable_by(|a, b| {
                a.first.cmp(&b.first).then_with(|| end(a).cmp(end(b))).then_with(|| a.at.cmp(&b.at))
            });
            for same in group.chunk_by(|a, b| a.first == b.first && end(a) == end(b)) {
                let (Some(first), Some(last)) = (same.first(), same.last()) else { continue };
                // A row is written where there is none and taken out where there is one, so that the first of them says what
                // was there before. What was there and is again is as it was.
                let row = match (first.row, last.row) {
                    (Some(_), None) | (None, Some(_)) => continue,
                    (Some(_), Some(row)) => {
                        let at = last.at as usize + usize::from(last.end);
                        Some(&bytes[at..at + row as usize])
                    }
                    (None, None) => None,
                };
                key.clear();
                key.extend_from_slice(prefix);
                key.extend_from_slice(end(last));
                write(&key, row);
            }
            group.clear();
        }
        self.forget();
    }

    /// Forgets everything.
    pub(crate) fn forget(&mut self) {
        if self.groups.len() > MOST_GROUPS {
            self.groups.clear();
        }
        self.groups.values_mut().for_each(Vec::clear);
        self.bytes.clear();
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(change: impl FnOnce(&mut Entries)) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let (mut entries, mut written) = (Entries::default(), Vec::new());
        change(&mut entries);
        entries.write(|key, row| written.push((key.to_vec(), row.map(<[u8]>::to_vec))));
        assert_eq!(entries.len(), 0);
        written
    }

    fn insert(entries: &mut Entries, key: &[u8], row: u8) {
        entries.insert(&key[..1], &key[1..], |bytes| bytes.push(row));
    }

    #[test]
    fn keys_come_sorted_with_what_is_left_of_what_happened() {
        let (long, longer) = ([b"a".as_slice(), &[1; 16], b"1"].concat(), [b"a".as_slice(), &[1; 16], b"2"].concat());
        let found = written(|entries| {
            insert(entries, b"b1", 1);
            insert(entries, &longer, 2);
            entries.remove(b"a", b"gone");
            insert(entries, &long, 3);
            insert(entries, b"a", 4);
        });
        let expected = [(b"a".to_vec(), Some(vec![4])), (long, Some(vec![3])), (longer, Some(vec![2]))];
        let rest = [(b"agone".to_vec(), None), (b"b1".to_vec(), Some(vec![1]))];
        assert_eq!(found, expected.into_iter().chain(rest).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_as_it_was_is_not_written() {
        let found = written(|entries| {
            // Not there before, nor after.
            insert(entries, b"a1", 1);
            entries.remove(b"a", b"1");
            // There before, and after.
            entries.remove(b"a", b"2");
            insert(entries, b"a2", 2);
            // There before, and not after.
            entries.remove(b"a", b"3");
            insert(entries, b"a3", 3);
            entries.remove(b"a", b"3");
            // Not there before, and there after.
            insert(entries, b"a4", 4);
            entries.remove(b"a", b"4");
            insert(entries, b"a4", 4);
        });
        assert_eq!(found, [(b"a3".to_vec(), None), (b"a4".to_vec(), Some(vec![4]))]);
    }
}
