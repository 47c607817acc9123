//! Rows as bytes, kept in memory from batch to batch.
//!
//! A row takes its key, its bytes and some 40 more, in chunks that are allocated once: several times as many fit as would fit
//! decoded. Rows that were read or written lately are in the young generation, the others in the old one, which goes as a
//! whole once the young one has half of the room.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

/// Keys and rows lie in chunks of so many bytes.
const CHUNK: usize = 64 * 1024;

/// Longer rows do not stay: they are few, and would leave much of a chunk empty.
const LONGEST: usize = CHUNK / 8;

/// About what a place in the table takes.
const PLACE_BYTES: usize = 40;

/// Rows as they are in the store, as far as there is room for them.
#[derive(Default)]
pub(crate) struct Kept {
    young: Generation,
    old: Generation,
    /// Chunks of a generation that went, for the next.
    spare: Vec<Vec<u8>>,
    most: usize,
}

#[derive(Default)]
struct Generation {
    places: HashTable<Place>,
    chunks: Vec<Vec<u8>>,
}

/// Where a key and, right behind it, its row lie.
#[derive(Clone, Copy)]
struct Place {
    hash: u64,
    chunk: u32,
    at: u16,
    key: u16,
    row: u16,
    /// How long the row may become where it is.
    room: u16,
    space: u8,
}

impl Kept {
    /// Keeps up to about so many bytes from now on.
    pub(crate) fn keep_at_most(&mut self, bytes: usize) {
        self.most = bytes;
    }

    /// The row of a key of a keyspace, if it stayed.
    pub(crate) fn get(&mut self, space: usize, key: &[u8]) -> Option<&[u8]> {
        let hash = hash(space, key);
        if self.young.find(hash, space, key).is_none() {
            let place = *self.old.find(hash, space, key)?;
            let row = self.old.row(&place);
            self.young.put(&mut self.spare, hash, space, key, row);
        }
        let place = self.young.find(hash, space, key)?;
        Some(self.young.row(place))
    }

    /// The row of a key, without counting as read.
    pub(crate) fn peek(&self, space: usize, key: &[u8]) -> Option<&[u8]> {
        let hash = hash(space, key);
        let of = |generation: &'_ Generation| generation.find(hash, space, key).copied();
        match of(&self.young) {
            Some(place) => Some(self.young.row(&place)),
            None => of(&self.old).map(|place| self.old.row(&place)),
        }
    }

    /// Takes a row as it is in the store from now on.
    pub(crate) fn put(&mut self, space: usize, key: &[u8], row: &[u8]) {
        if self.most == 0 || row.len() > LONGEST || key.len() > LONGEST {
            return self.remove(space, key);
        }
        self.young.put(&mut self.spare, hash(space, key), space, key, row);
    }

    /// Forgets a row.
    pub(crate) fn remove(&mut self, space: usize, key: &[u8]) {
        let hash = hash(space, key);
        self.young.remove(hash, space, key);
        self.old.remove(hash, space, key);
    }

    /// Forgets all rows.
    pub(crate) fn forget(&mut self) {
        *self = Self { most: self.most, ..Self::default() };
    }

    /// Lets the old generation go once the young one has half of the room.
    pub(crate) fn age(&mut self) {
        if self.young.bytes() <= self.most / 2 {
            return;
        }
        if self.most == 0 {
            return self.forget();
        }
        let Generation { mut places, chunks } = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        places.clear();
        self.young.places = places;
        self.spare.extend(chunks);
        self.spare.truncate(self.most / 2 / CHUNK);
    }
}

impl Generation {
    fn bytes(&self) -> usize {
        self.chunks.len() * CHUNK + self.places.len() * PLACE_BYTES
    }

    fn find(&self, hash: u64, space: usize, key: &[u8]) -> Option<&Place> {
        self.places.find(hash, |place| place.is(&self.chunks, hash, space, key))
    }

    fn row(&self, place: &Place) -> &[u8] {
        let at = usize::from(place.at) + usize::from(place.key);
        &self.chunks[place.chunk as usize][at..at + usize::from(place.row)]
    }

    fn put(&mut self, spare: &mut Vec<Vec<u8>>, hash: u64, space: usize, key: &[u8], row: &[u8]) {
        let Self { places, chunks } = self;
        let entry = places.entry(hash, |place| place.is(chunks, hash, space, key), |place| place.hash);
        let length = u16::try_from(row.len()).unwrap_or(u16::MAX);
        match entry {
            Entry::Occupied(mut entry) if entry.get().room >= length => {
                let place = entry.get_mut();
                place.row = length;
                let at = usize::from(place.at) + usize::from(place.key);
                chunks[place.chunk as usize][at..at + row.len()].copy_from_slice(row);
            }
            Entry::Occupied(mut entry) => *entry.get_mut() = append(chunks, spare, hash, space, key, row),
            Entry::Vacant(entry) => {
                entry.insert(append(chunks, spare, hash, space, key, row));
            }
        }
    }

    fn remove(&mut self, hash: u64, space: usize, key: &[u8]) {
        let Self { places, chunks } = self;
        if let Ok(entry) = places.find_entry(hash, |place| place.is(chunks, hash, space, key)) {
            entry.remove();
        }
    }
}

impl Place {
    fn is(&self, chunks: &[Vec<u8>], hash: u64, space: usize, key: &[u8]) -> bool {
        let at = usize::from(self.at);
        self.hash == hash
            && usize::from(self.space) == space
            && &chunks[self.chunk as usize][at..at + usize::from(self.key)] == key
    }
}

/// Appends key and row, with a little room for the row to grow: numbers become longer.
fn append(
    chunks: &mut Vec<Vec<u8>>,
    spare: &mut Vec<Vec<u8>>,
    hash: u64,
    space: usize,
    key: &[u8],
    row: &[u8],
) -> Place {
    let room = (row.len() + 4).next_multiple_of(8);
    if chunks.last().is_none_or(|chunk| CHUNK - 1 - chunk.len() < key.len() + room) {
        let mut chunk = spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK));
        chunk.clear();
        chunks.push(chunk);
    }
    let index = chunks.len() - 1;
    let chunk = &mut chunks[index];
    let at = chunk.len();
    chunk.extend_from_slice(key);
    chunk.extend_from_slice(row);
    chunk.resize(at + key.len() + room, 0);
    let short = |length: usize| u16::try_from(length).expect("rows and keys that stay are short, and chunks are");
    Place {
        hash,
        chunk: u32::try_from(index).expect("chunks of four billion bytes times 64 thousand do not fit any memory"),
        at: short(at),
        key: short(key.len()),
        row: short(row.len()),
        room: short(room),
        space: u8::try_from(space).expect("a view has a handful of keyspaces"),
    }
}

fn hash(space: usize, key: &[u8]) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    hasher.write(key);
    hasher.write_usize(space);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_lately_stays() {
        let mut kept = Kept::default();
        kept.keep_at_most(4 * CHUNK);
        let row = [7; 100];
        for number in 0..10_000u32 {
            kept.put(0, &number.to_be_bytes(), &row);
            kept.age();
            assert_eq!(kept.get(0, &0u32.to_be_bytes()), Some(&row[..]), "after {number}");
            assert!(kept.young.bytes() + kept.old.bytes() <= 6 * CHUNK);
        }
        assert_eq!(kept.get(0, &1u32.to_be_bytes()), None);
        assert_eq!(kept.get(0, &9_999u32.to_be_bytes()), Some(&row[..]));
        assert_eq!(kept.get(1, &9_999u32.to_be_bytes()), None, "another keyspace");
    }

    #[test]
    fn a_row_that_grows_or_goes_is_not_read_as_it_was() {
        let mut kept = Kept::default();
        kept.keep_at_most(2 * CHUNK);
        kept.put(0, b"a", b"1");
        kept.put(0, b"a", &[2; 500]);
        assert_eq!(kept.get(0, b"a"), Some(&[2; 500][..]));
        kept.put(0, b"a", b"3");
        assert_eq!(kept.peek(0, b"a"), Some(&b"3"[..]));
        kept.put(0, b"a", &vec![0; LONGEST + 1]);
        assert_eq!(kept.get(0, b"a"), None, "too long to stay");
        kept.put(0, b"b", b"4");
        for number in 0..2_000u32 {
            kept.put(0, &number.to_be_bytes(), &[0; 50]);
            kept.age();
        }
        kept.put(0, b"b", b"5");
        kept.remove(0, b"b");
        assert_eq!(kept.get(0, b"b"), None);
    }
}
