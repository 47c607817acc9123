//! Small sorted lists of ids under a key: what an index is made of.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// For each key the ids under it, sorted, so that two indexes over equal rows are equal however they came to be. A key with
/// nothing under it is not there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sorted<K: Hash + Eq, I>(FxHashMap<K, Vec<I>>);

impl<K: Hash + Eq, I> Default for Sorted<K, I> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Hash + Eq, I: Ord> Sorted<K, I> {
    /// The ids under a key.
    pub(crate) fn get(&self, key: &K) -> &[I] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn insert(&mut self, key: K, id: I) {
        let ids = self.0.entry(key).or_default();
        // Ids are mostly made in order of time.
        if ids.last().is_none_or(|last| *last < id) {
            ids.push(id);
            return;
        }
        if let Err(place) = ids.binary_search(&id) {
            ids.insert(place, id);
        }
    }

    pub(super) fn remove(&mut self, key: &K, id: &I) {
        let Some(ids) = self.0.get_mut(key) else { return };
        if let Ok(place) = ids.binary_search(id) {
            ids.remove(place);
        }
        if ids.is_empty() {
            self.0.remove(key);
        }
    }
}
