//! How territories lie in one another: as the policy nests them, and as ISO 3166-2 nests subdivisions in countries.

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::document::Territory;
use crate::account::country;

/// The deepest nesting of territories that a policy may have.
pub(super) const MAX_DEPTH: usize = 16;

/// The nesting, looked up in constant time.
#[derive(Clone, Debug, Default)]
pub(super) struct Nesting {
    /// Of each declared territory, everything it lies in, itself not included.
    around: FxHashMap<SmolStr, Vec<SmolStr>>,
    /// Pairs of which neither covers the other and that still share a territory: one that lies in a group of the policy and,
    /// by its code, in a country outside that group.
    crossing: FxHashSet<(SmolStr, SmolStr)>,
}

impl Nesting {
    /// Takes territories that were found to have known parents.
    ///
    /// # Errors
    /// The index of a territory that lies in itself, or too deep.
    pub(super) fn new(territories: &[Territory]) -> Result<Self, (usize, &'static str)> {
        let declared: FxHashMap<&str, &Territory> = territories.iter().map(|one| (one.id.as_str(), one)).collect();
        let parents = |id: &str| {
            let named = declared.get(id).and_then(|one| one.parent.as_deref());
            let country = country_of(id).filter(|country| Some(*country) != named);
            (named.map(SmolStr::new), country.map(SmolStr::new))
        };
        let mut nesting = Self::default();
        for (index, territory) in territories.iter().enumerate() {
            let mut around: Vec<SmolStr> = Vec::new();
            let mut next = vec![territory.id.clone()];
            for depth in 0.. {
                let mut found: Vec<SmolStr> = Vec::new();
                for id in &next {
                    let (named, country) = parents(id);
                    found.extend(named.into_iter().chain(country));
                }
                found.retain(|id| !around.contains(id));
                if found.is_empty() {
                    break;
                }
                if found.contains(&territory.id) {
                    return Err((index, "lies in itself through its parents"));
                }
                if depth == MAX_DEPTH {
                    return Err((index, "is nested more than 16 deep"));
                }
                around.extend(found.iter().cloned());
                next = found;
            }
            nesting.around.insert(territory.id.clone(), around);
        }
        nesting.find_crossings(territories);
        Ok(nesting)
    }

    fn find_crossings(&mut self, territories: &[Territory]) {
        let mut crossing = FxHashSet::default();
        // Only what lies in a group and, by its code, in a country can be in two things at once.
        for territory in territories.iter().filter(|one| one.parent.is_some() && country_of(&one.id).is_some()) {
            let around = &self.around[&territory.id];
            for (a, b) in around.iter().flat_map(|a| around.iter().map(move |b| (a, b))) {
                if a != b && !self.covers(a, b) && !self.covers(b, a) {
                    crossing.insert((a.clone(), b.clone()));
                }
            }
        }
        self.crossing = crossing;
    }

    /// Whether it is one of the policy's.
    pub(super) fn declares(&self, id: &str) -> bool {
        self.around.contains_key(id)
    }

    /// Whether all of `asked` lies in `held`.
    pub(super) fn covers(&self, held: &str, asked: &str) -> bool {
        if held == asked {
            return true;
        }
        match self.around.get(asked) {
            Some(around) => around.iter().any(|id| id == held),
            None => country_of(asked).is_some_and(|country| self.covers(held, country)),
        }
    }

    /// Whether the two have anything in common.
    pub(super) fn overlap(&self, a: &str, b: &str) -> bool {
        self.covers(a, b)
            || self.covers(b, a)
            || (!self.crossing.is_empty() && self.crossing.contains(&(SmolStr::new(a), SmolStr::new(b))))
    }
}

/// The country that an ISO 3166-2 code names before its dash.
fn country_of(id: &str) -> Option<&str> {
    let (country, _) = id.split_once('-')?;
    country::is_subdivision(id).then_some(country)
}
