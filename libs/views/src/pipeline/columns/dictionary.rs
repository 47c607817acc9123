//! Values that occur often, by number.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use pactum_ids::{PartnerId, ProductId};
use rustc_hash::FxBuildHasher;
use smol_str::SmolStr;

/// Distinct values, numbered from 0 as they come, and found by the bytes in which keys have them.
#[derive(Debug)]
pub(super) struct Dictionary<T> {
    values: Vec<T>,
    /// The values' bytes, one after another.
    bytes: Vec<u8>,
    /// Where each one's bytes end.
    ends: Vec<usize>,
    index: HashTable<u32>,
    /// What the values take besides themselves.
    heap: usize,
}

/// What is told apart by number.
pub(super) trait Value {
    /// Bytes it takes besides itself.
    fn heap(&self) -> usize;
}

impl<T: Value> Dictionary<T> {
    pub(super) fn new() -> Self {
        Self { values: Vec::new(), bytes: Vec::new(), ends: Vec::new(), index: HashTable::new(), heap: 0 }
    }

    /// The number of the value with these bytes, which are decoded where they are seen first. `None` where they cannot be.
    pub(super) fn number(&mut self, bytes: &[u8], decode: impl FnOnce() -> Option<T>) -> Option<u32> {
        let hash = hash(bytes);
        let found = self.index.find(hash, |number| slice(&self.bytes, &self.ends, *number) == bytes);
        if let Some(number) = found {
            return Some(*number);
        }
        let number = u32::try_from(self.values.len()).ok()?;
        let value = decode()?;
        self.heap += value.heap();
        self.values.push(value);
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len());
        self.index.insert_unique(hash, number, |number| self::hash(slice(&self.bytes, &self.ends, *number)));
        Some(number)
    }

    /// Every value, by number.
    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    /// About what it takes in memory.
    pub(super) fn size(&self) -> usize {
        self.values.capacity() * size_of::<T>()
            + self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.index.allocation_size()
            + self.heap
    }
}

fn slice<'b>(bytes: &'b [u8], ends: &[usize], number: u32) -> &'b [u8] {
    let number = number as usize;
    let start = if number == 0 { 0 } else { ends[number - 1] };
    &bytes[start..ends[number]]
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

impl Value for SmolStr {
    fn heap(&self) -> usize {
        if self.is_heap_allocated() { self.len() } else { 0 }
    }
}

impl Value for PartnerId {
    fn heap(&self) -> usize {
        self.as_str().len()
    }
}

impl Value for ProductId {
    fn heap(&self) -> usize {
        self.as_str().len()
    }
}

impl<T: Value> Value for Vec<T> {
    fn heap(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(Value::heap).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_have_the_same_number() {
        let mut dictionary = Dictionary::<SmolStr>::new();
        let mut number = |text: &str| dictionary.number(text.as_bytes(), || Some(text.into()));
        let texts: Vec<_> = (0..1_000).map(|n| format!("value {n}")).collect();
        for (expected, text) in (0..).zip(&texts) {
            assert_eq!(number(text), Some(expected));
        }
        for (expected, text) in (0..).zip(&texts) {
            assert_eq!(number(text), Some(expected));
        }
        assert_eq!(dictionary.number(b"damaged", || None), None);
        assert_eq!(dictionary.number(b"", || Some(SmolStr::default())), Some(1_000));
        let read: Vec<_> = dictionary.values().iter().map(ToString::to_string).collect();
        assert_eq!(read[..1_000], texts[..]);
        assert!(dictionary.size() > 1_000 * size_of::<SmolStr>());
    }
}
