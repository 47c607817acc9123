//! The cells: a column for each number by which they are known, and one for each figure.

use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use super::super::Cell;

/// Cells, in no order. A place without deals is free.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) partners: Vec<u32>,
    pub(super) kinds: Vec<u32>,
    pub(super) scopes: Vec<u32>,
    pub(super) deals: Vec<u64>,
    pub(super) minor: Vec<i128>,
    /// Where a cell is.
    index: HashTable<u32>,
    free: Vec<u32>,
}

impl Cells {
    /// Takes a cell as it is from now on; none: there is no such cell any more.
    pub(super) fn set(&mut self, place: [u32; 3], cell: Option<Cell>) {
        let Self { partners, kinds, scopes, deals, minor, index, free } = self;
        let at = |at: u32| [partners[at as usize], kinds[at as usize], scopes[at as usize]];
        let entry = index.entry(hash(place), |other| at(*other) == place, |other| hash(at(*other)));
        match (entry, cell) {
            (Entry::Occupied(entry), Some(cell)) => {
                let at = *entry.get() as usize;
                (deals[at], minor[at]) = (cell.deals, cell.minor);
            }
            (Entry::Occupied(entry), None) => {
                let (at, _) = entry.remove();
                (deals[at as usize], minor[at as usize]) = (0, 0);
                free.push(at);
            }
            (Entry::Vacant(entry), Some(cell)) => {
                let [partner, kind, scope] = place;
                if let Some(reused) = free.pop() {
                    entry.insert(reused);
                    let at = reused as usize;
                    (partners[at], kinds[at], scopes[at]) = (partner, kind, scope);
                    (deals[at], minor[at]) = (cell.deals, cell.minor);
                } else {
                    let at = u32::try_from(deals.len()).expect("four billion cells have no room in memory");
                    entry.insert(at);
                    partners.push(partner);
                    kinds.push(kind);
                    scopes.push(scope);
                    deals.push(cell.deals);
                    minor.push(cell.minor);
                }
            }
            (Entry::Vacant(_), None) => {}
        }
    }

    /// Gives back the room that is left over after loading, but for some to grow into.
    pub(super) fn fit(&mut self) {
        let most = self.deals.len() + self.deals.len() / 16;
        self.partners.shrink_to(most);
        self.kinds.shrink_to(most);
        self.scopes.shrink_to(most);
        self.deals.shrink_to(most);
        self.minor.shrink_to(most);
    }

    /// What they take in memory.
    pub(super) fn size(&self) -> usize {
        let numbers = self.partners.capacity() + self.kinds.capacity() + self.scopes.capacity() + self.free.capacity();
        numbers * size_of::<u32>()
            + self.deals.capacity() * size_of::<u64>()
            + self.minor.capacity() * size_of::<i128>()
            + self.index.allocation_size()
    }
}

fn hash(place: [u32; 3]) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    hasher.write_u64(u64::from(place[0]) << 32 | u64::from(place[1]));
    hasher.write_u32(place[2]);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl Cells {
        fn all(&self) -> BTreeMap<[u32; 3], (u64, i128)> {
            let places = self.partners.iter().zip(&self.kinds).zip(&self.scopes);
            let cells = places.zip(self.deals.iter().zip(&self.minor));
            let there = cells.filter(|(_, (deals, _))| **deals > 0);
            there.map(|(((a, b), c), (deals, minor))| ([*a, *b, *c], (*deals, *minor))).collect()
        }
    }

    proptest! {
        #[test]
        fn cells_are_what_was_set_last(
            sets in prop::collection::vec(([0..4_u32, 0..4_u32, 0..4_u32], prop::option::of(1..9_u64)), 0..400)
        ) {
            let (mut cells, mut expected) = (Cells::default(), BTreeMap::new());
            for (place, deals) in sets {
                cells.set(place, deals.map(|deals| Cell { deals, minor: i128::from(deals) * 7 }));
                match deals {
                    Some(deals) => drop(expected.insert(place, (deals, i128::from(deals) * 7))),
                    None => drop(expected.remove(&place)),
                }
                prop_assert_eq!(&cells.all(), &expected);
            }
            prop_assert!(cells.deals.len() <= 64, "places are used again");
        }
    }
}
