//! A question, put to columns.
//!
//! What a question makes of a cell follows from three things that few cells have apart: its kind, its scope, its partner.
//! Each of these is looked at once: is it admitted, and in which *part* of the answer does it count? Two that count in the same
//! have the same number. So what is done for each cell is to look three numbers up and to add.
//!
//! Parts are finer than groups: they tell currencies, weights and conflicts apart as well, so that a cell has nothing to add but
//! its two figures. In the end each part is added to its group.

use std::hash::Hash;

use pactum_domain::deal::DealState;
use pactum_domain::money::Currency;
use pactum_domain::time::Month;
use pactum_ids::{PartnerId, ProductId};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::super::query::{
    Dimension, Filter, GroupKey, MAX_GROUPS, Pipeline, QueryError, Tally, finish, in_force, weight,
};
use super::super::{Cell, Probabilities};
use super::{Columns, Kind};

/// Stands for what the question does not admit.
const OUT: u32 = u32::MAX;

/// Stands for the territories that a cell's partner lends it.
const LENT: u32 = u32::MAX;

/// Up to so many combinations of parts are looked up in a table, of four bytes each; more, in a hash map.
const TABLE: usize = 1 << 22;

pub(super) fn answer(
    columns: &Columns,
    scope: Option<&PartnerId>,
    filter: &Filter,
    group_by: &[Dimension],
) -> Result<Pipeline, QueryError> {
    let asked = Asked { scope, filter, by: By::of(group_by) };
    let policy = columns.clock.and_then(|clock| in_force(&columns.policies.0, clock.recorded_at));
    let mut lists = Numbers::default();
    let kinds = Kinds::of(columns, &asked, policy);
    let scopes = Scopes::of(columns, &asked, &mut lists);
    let partners = Partners::of(columns, &asked, &mut lists);
    let lists = lists.in_order();

    let mut groups: Vec<(GroupKey, Tally)> = Vec::new();
    let mut places: FxHashMap<[u32; 4], usize> = FxHashMap::default();
    let mut totals = Tally::default();
    for Sum { parts: [partner, scope, kind], cell } in sums(columns, &kinds, &scopes, &partners) {
        let (partner, scope) = (&partners.parts[partner as usize], &scopes.parts[scope as usize]);
        let part = &kinds.parts[kind as usize];
        let kind = &columns.kinds.values()[part.first];
        totals.add(kind.conflicted, kind.currency, cell, part.weight);
        if group_by.is_empty() {
            continue;
        }
        let territories = if scope.territories == LENT { partner.territories } else { scope.territories };
        let place = [part.group, partner.group, scope.products, territories];
        let at = match places.get(&place) {
            Some(at) => *at,
            None if groups.len() == MAX_GROUPS => return Err(QueryError::TooManyGroups),
            None => {
                let by = &asked.by;
                let key = GroupKey {
                    state: by.state.then_some(kind.state),
                    stage: by.stage.then(|| kind.stage.clone()),
                    partner: by.partner.then(|| columns.partners.values()[partner.first].clone()),
                    tier: by.tier.then(|| columns.standings[partner.first].tier.clone()),
                    territories: by.territory.then(|| lists[territories as usize].to_vec()),
                    products: by.product.then(|| columns.scopes.values()[scope.first].products.clone()),
                    month: by.month.then_some(kind.month),
                    currency: by.currency.then_some(kind.currency),
                    conflicted: by.conflict.then_some(kind.conflicted),
                };
                groups.push((key, Tally::default()));
                places.insert(place, groups.len() - 1);
                groups.len() - 1
            }
        };
        groups[at].1.add(kind.conflicted, kind.currency, cell, part.weight);
    }
    finish(groups, totals, policy)
}

struct Asked<'q> {
    scope: Option<&'q PartnerId>,
    filter: &'q Filter,
    by: By,
}

/// The dimensions that tell groups apart.
#[expect(clippy::struct_excessive_bools, reason = "each dimension is there or not")]
#[derive(Default)]
struct By {
    state: bool,
    stage: bool,
    partner: bool,
    tier: bool,
    territory: bool,
    product: bool,
    month: bool,
    currency: bool,
    conflict: bool,
}

impl By {
    fn of(group_by: &[Dimension]) -> Self {
        let mut by = Self::default();
        for dimension in group_by {
            let named = match dimension {
                Dimension::State => &mut by.state,
                Dimension::Stage => &mut by.stage,
                Dimension::Partner => &mut by.partner,
                Dimension::Tier => &mut by.tier,
                Dimension::Territory => &mut by.territory,
                Dimension::Product => &mut by.product,
                Dimension::CloseMonth => &mut by.month,
                Dimension::Currency => &mut by.currency,
                Dimension::Conflict => &mut by.conflict,
            };
            *named = true;
        }
        by
    }
}

/// Gives the same number to the same thing, from 0 on.
struct Numbers<K>(FxHashMap<K, u32>);

impl<K> Default for Numbers<K> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<K: Hash + Eq> Numbers<K> {
    /// Its number, and whether it is a new one.
    fn of(&mut self, key: K) -> (u32, bool) {
        let next = u32::try_from(self.0.len()).expect("what is numbered is held in memory, by numbers of 32 bits");
        let number = *self.0.entry(key).or_insert(next);
        (number, number == next)
    }

    /// What was numbered, by number.
    fn in_order(self) -> Vec<K> {
        let mut all: Vec<_> = self.0.into_iter().collect();
        all.sort_unstable_by_key(|(_, number)| *number);
        all.into_iter().map(|(key, _)| key).collect()
    }
}

/// What the question makes of each kind.
struct Kinds {
    /// The part of each, or [`OUT`].
    part_of: Vec<u32>,
    parts: Vec<KindPart>,
}

struct KindPart {
    /// The first kind that counts here.
    first: usize,
    /// The same for kinds whose deals are in the same group, the rest being the same.
    group: u32,
    weight: u8,
}

impl Kinds {
    fn of<'c>(columns: &'c Columns, asked: &Asked<'_>, policy: Option<&Probabilities>) -> Self {
        type Group<'k> =
            (Option<DealState>, Option<&'k str>, Option<Option<Month>>, Option<Option<Currency>>, Option<bool>);
        let mut groups: Numbers<Group<'_>> = Numbers::default();
        let mut numbers = Numbers::default();
        let mut parts = Vec::new();
        let part = |(first, kind): (usize, &'c Kind)| {
            let Kind { state, stage, month, currency, conflicted } = kind;
            if !asked.filter.admits_kind(*state, stage, *month, *currency, *conflicted) {
                return OUT;
            }
            let by = &asked.by;
            let (group, _) = groups.of((
                by.state.then_some(*state),
                by.stage.then_some(stage.as_str()),
                by.month.then_some(*month),
                by.currency.then_some(*currency),
                by.conflict.then_some(*conflicted),
            ));
            let weight = weight(*state, stage, policy);
            let (number, is_new) = numbers.of((group, *currency, *conflicted, weight));
            if is_new {
                parts.push(KindPart { first, group, weight });
            }
            number
        };
        let part_of = columns.kinds.values().iter().enumerate().map(part).collect();
        Self { part_of, parts }
    }
}

/// What the question makes of each scope.
struct Scopes {
    /// The part of each, or [`OUT`], and whether its territories are the partner's.
    part_of: Vec<(u32, bool)>,
    parts: Vec<ScopePart>,
}

struct ScopePart {
    /// The first scope that counts here.
    first: usize,
    /// The number of its list of territories, or [`LENT`]; 0 where it is not asked for.
    territories: u32,
    /// The number of its list of products; 0 where it is not asked for.
    products: u32,
}

impl Scopes {
    fn of<'c>(columns: &'c Columns, asked: &Asked<'_>, lists: &mut Numbers<&'c [SmolStr]>) -> Self {
        let mut numbers = Numbers::default();
        let mut product_lists = Numbers::default();
        let mut parts = Vec::new();
        let part = |(first, scope): (usize, &'c super::Scope)| {
            let is_lent = scope.territories.is_empty();
            let admitted = asked.filter.admits_products(scope.products.iter().map(ProductId::as_str))
                && (is_lent || asked.filter.admits_territories(scope.territories.iter().map(SmolStr::as_str)));
            if !admitted {
                return (OUT, is_lent);
            }
            let territories = match (asked.by.territory, is_lent) {
                (false, _) => 0,
                (true, true) => LENT,
                (true, false) => lists.of(&scope.territories).0,
            };
            let products = if asked.by.product { product_lists.of(&scope.products).0 } else { 0 };
            let (number, is_new) = numbers.of((territories, products));
            if is_new {
                parts.push(ScopePart { first, territories, products });
            }
            (number, is_lent)
        };
        let part_of = columns.scopes.values().iter().enumerate().map(part).collect();
        Self { part_of, parts }
    }
}

/// What the question makes of each partner.
struct Partners {
    /// The part of each, or [`OUT`]: of its deals that name their territories, and of those that name none.
    part_of: Vec<[u32; 2]>,
    parts: Vec<PartnerPart>,
}

struct PartnerPart {
    /// The first partner that counts here.
    first: usize,
    /// The same for partners whose deals are in the same group, the rest being the same.
    group: u32,
    /// The number of the list of territories that it lends; 0 where it is not asked for.
    territories: u32,
}

impl Partners {
    fn of<'c>(columns: &'c Columns, asked: &Asked<'_>, lists: &mut Numbers<&'c [SmolStr]>) -> Self {
        let mut groups = Numbers::default();
        let mut numbers = Numbers::default();
        let mut parts = Vec::new();
        let mut part = |first: usize, partner: &PartnerId, is_lent: bool| {
            let standing = &columns.standings[first];
            let admitted = asked.scope.is_none_or(|scope| scope == partner)
                && asked.filter.admits_partner(partner.as_str(), &standing.tier)
                && (!is_lent || asked.filter.admits_territories(standing.territories.iter().map(SmolStr::as_str)));
            if !admitted {
                return OUT;
            }
            let by = &asked.by;
            let (group, _) = groups.of((by.partner.then_some(first), by.tier.then_some(&standing.tier)));
            let territories = if by.territory && is_lent { lists.of(&standing.territories).0 } else { 0 };
            let (number, is_new) = numbers.of((group, territories));
            if is_new {
                parts.push(PartnerPart { first, group, territories });
            }
            number
        };
        let both = |(first, partner)| [part(first, partner, false), part(first, partner, true)];
        let part_of = columns.partners.values().iter().enumerate().map(both).collect();
        Self { part_of, parts }
    }
}

/// The deals that have their partner's, scope's and kind's part in common.
struct Sum {
    parts: [u32; 3],
    cell: Cell,
}

fn sums(columns: &Columns, kinds: &Kinds, scopes: &Scopes, partners: &Partners) -> Vec<Sum> {
    let (wide, deep) = (scopes.parts.len(), kinds.parts.len());
    let combinations = partners.parts.len().checked_mul(wide).and_then(|number| number.checked_mul(deep));
    let mut sums: Vec<Sum> = Vec::new();
    let add = |sum: &mut Cell, cell: Cell| {
        sum.deals += cell.deals;
        sum.minor += cell.minor;
    };
    if let Some(combinations) = combinations.filter(|combinations| *combinations <= TABLE) {
        // Numbers of sums, from 1 on; 0 where there is none yet.
        let mut table = vec![0_u32; combinations];
        each(columns, kinds, scopes, partners, |parts, cell| {
            let [partner, scope, kind] = parts.map(|part| part as usize);
            let number = &mut table[(partner * wide + scope) * deep + kind];
            if *number == 0 {
                sums.push(Sum { parts, cell: Cell::default() });
                *number = u32::try_from(sums.len()).expect("there are no more than combinations");
            }
            add(&mut sums[*number as usize - 1].cell, cell);
        });
    } else {
        let mut numbers = Numbers::default();
        each(columns, kinds, scopes, partners, |parts, cell| {
            let (number, is_new) = numbers.of(parts);
            if is_new {
                sums.push(Sum { parts, cell: Cell::default() });
            }
            add(&mut sums[number as usize].cell, cell);
        });
    }
    sums
}

/// Shows every cell that the question admits, and in which parts it counts.
fn each(columns: &Columns, kinds: &Kinds, scopes: &Scopes, partners: &Partners, mut visit: impl FnMut([u32; 3], Cell)) {
    let cells = &columns.cells;
    let numbers = cells.kinds.iter().zip(&cells.scopes).zip(&cells.partners);
    for (((kind, scope), partner), (deals, minor)) in numbers.zip(cells.deals.iter().zip(&cells.minor)) {
        let kind = kinds.part_of[*kind as usize];
        if kind == OUT {
            continue;
        }
        let (scope, is_lent) = scopes.part_of[*scope as usize];
        let partner = partners.part_of[*partner as usize][usize::from(is_lent)];
        // A place without deals is free.
        if scope != OUT && partner != OUT && *deals > 0 {
            visit([partner, scope, kind], Cell { deals: *deals, minor: *minor });
        }
    }
}
