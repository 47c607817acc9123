//! Questions to the pipeline.

use std::ops::ControlFlow;

use pactum_domain::deal::DealState;
use pactum_domain::money::{Currency, div_half_even};
use pactum_domain::time::{Month, Timestamp};
use pactum_ids::{PartnerId, ProductId, ProgramId};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::cells::{CellRef, Wanted, walk};
use super::{CELLS, Cell, PARTNERS, POLICIES, Probabilities, Standing};
use crate::clock;
use crate::key::{Key, take_text};
use crate::rows::{KeyRange, Order, RowError, Rows};

/// The most groups an answer has.
pub const MAX_GROUPS: usize = 20_000;

/// A question that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The groups are too many to be read by anybody.
    #[error("the answer has more than {MAX_GROUPS} groups; filter more, or group by less")]
    TooManyGroups,
    /// A sum does not fit 64 bits.
    #[error("a sum in {0} is out of the range of 64-bit minor units; filter more")]
    SumOutOfRange(Currency),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] RowError),
}

/// What groups are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    /// Where the deals stand.
    State,
    /// The policy's stage.
    Stage,
    /// Whose they are.
    Partner,
    /// The partner's tier now.
    Tier,
    /// The territories of the scope, together; where it names none, those that the partner holds now.
    Territory,
    /// The products of the scope, together.
    Product,
    /// The month of closing.
    CloseMonth,
    /// The amount's currency.
    Currency,
    /// Whether a conflict was found.
    Conflict,
}

/// Which deals count. Within a list any value fits; an empty list asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Where they stand.
    pub states: Vec<DealState>,
    /// Whose they are.
    pub partners: Vec<PartnerId>,
    /// The partner's tier now; empty text: before enrolment.
    pub tiers: Vec<SmolStr>,
    /// Territories that the scope names or, where it names none, that the partner holds now; empty text: there are none.
    pub territories: Vec<SmolStr>,
    /// Products that the scope names; empty text: it names none.
    pub products: Vec<SmolStr>,
    /// Stages; empty text: none.
    pub stages: Vec<SmolStr>,
    /// From this month on.
    pub month_from: Option<Month>,
    /// Up to this month, inclusive.
    pub month_to: Option<Month>,
    /// Currencies; `None` in the list: without an amount.
    pub currencies: Vec<Option<Currency>>,
    /// With, or without, a conflict.
    pub conflicted: Option<bool>,
}

/// What the deals of a group have in common; only the dimensions asked for are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupKey {
    /// For [`Dimension::State`].
    pub state: Option<DealState>,
    /// For [`Dimension::Stage`].
    pub stage: Option<SmolStr>,
    /// For [`Dimension::Partner`].
    pub partner: Option<PartnerId>,
    /// For [`Dimension::Tier`].
    pub tier: Option<SmolStr>,
    /// For [`Dimension::Territory`].
    pub territories: Option<Vec<SmolStr>>,
    /// For [`Dimension::Product`].
    pub products: Option<Vec<ProductId>>,
    /// For [`Dimension::CloseMonth`].
    pub month: Option<Option<Month>>,
    /// For [`Dimension::Currency`].
    pub currency: Option<Option<Currency>>,
    /// For [`Dimension::Conflict`].
    pub conflicted: Option<bool>,
}

/// A group and its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What its deals have in common.
    pub key: GroupKey,
    /// Its figures.
    pub figures: Figures,
}

/// Figures of a set of deals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many deals.
    pub deals: u64,
    /// How many of them had a conflict.
    pub conflicted: u64,
    /// By currency, in its order.
    pub amounts: Vec<(Currency, Sums)>,
}

/// Sums in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// How many deals have an amount in it.
    pub deals: u64,
    /// The sum of the amounts, in minor units.
    pub minor: i64,
    /// The sum of amount × probability, in minor units, rounded once, half to even.
    pub weighted_minor: i64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The groups, in order of their keys.
    pub groups: Vec<Group>,
    /// All of them together.
    pub totals: Figures,
    /// The policy whose probabilities weigh the amounts; 0 where none is in force.
    pub policy_version: u32,
}

/// Sums before they are rounded.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    deals: u64,
    conflicted: u64,
    /// By currency, in its order. There are thousands of tallies, each of few currencies: a list is smaller than a tree.
    amounts: Vec<(Currency, Unrounded)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Unrounded {
    deals: u64,
    minor: i128,
    /// Of amount × percent.
    weighted: i128,
}

impl Tally {
    /// Counts a cell's deals, with or without a conflict, their amounts in `currency` if they have any, by `weight` in percent.
    pub(super) fn add(&mut self, conflicted: bool, currency: Option<Currency>, cell: Cell, weight: u8) {
        self.deals += cell.deals;
        if conflicted {
            self.conflicted += cell.deals;
        }
        if let Some(currency) = currency {
            let at = self.amounts.binary_search_by_key(&currency, |(known, _)| *known).unwrap_or_else(|free| {
                self.amounts.insert(free, (currency, Unrounded::default()));
                free
            });
            let sums = &mut self.amounts[at].1;
            sums.deals += cell.deals;
            sums.minor += cell.minor;
            sums.weighted += cell.minor * i128::from(weight);
        }
    }

    fn finish(self) -> Result<Figures, QueryError> {
        let finish = |(currency, Unrounded { deals, minor, weighted }): (Currency, Unrounded)| {
            let in_range = |minor: i128| i64::try_from(minor).map_err(|_| QueryError::SumOutOfRange(currency));
            let weighted_minor = in_range(div_half_even(weighted, 100))?;
            Ok((currency, Sums { deals, minor: in_range(minor)?, weighted_minor }))
        };
        let amounts = self.amounts.into_iter().map(finish).collect::<Result<_, QueryError>>()?;
        Ok(Figures { deals: self.deals, conflicted: self.conflicted, amounts })
    }
}

/// The chance, in percent, with which an amount counts: won deals weigh in full, those that ended otherwise nothing.
pub(super) fn weight(state: DealState, stage: &str, policy: Option<&Probabilities>) -> u8 {
    match state {
        DealState::Won => 100,
        DealState::Lost
        | DealState::Rejected
        | DealState::Duplicate
        | DealState::Expired
        | DealState::Withdrawn
        | DealState::Revoked => 0,
        DealState::Draft
        | DealState::Submitted
        | DealState::InReview
        | DealState::ActionRequired
        | DealState::Conflicted
        | DealState::Approved => {
            let stages = policy.map_or(&[][..], |policy| &policy.stages);
            stages.iter().find(|(known, _)| known == stage).map_or(0, |(_, percent)| *percent)
        }
    }
}

/// What was summed, in the order of the groups' keys.
pub(super) fn finish(
    mut groups: Vec<(GroupKey, Tally)>,
    totals: Tally,
    policy: Option<&Probabilities>,
) -> Result<Pipeline, QueryError> {
    groups.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
    let finish = |(key, tally): (GroupKey, Tally)| Ok(Group { key, figures: tally.finish()? });
    let groups = groups.into_iter().map(finish).collect::<Result<_, QueryError>>()?;
    Ok(Pipeline { groups, totals: totals.finish()?, policy_version: policy.map_or(0, |policy| policy.version) })
}

/// Answers a question about a program; about one partner's deals only where `scope` names it.
///
/// # Errors
/// [`QueryError`] where the answer would be too large, or rows cannot be read.
pub fn query(
    rows: &dyn Rows,
    program: &ProgramId,
    scope: Option<&PartnerId>,
    filter: &Filter,
    group_by: &[Dimension],
) -> Result<Pipeline, QueryError> {
    let recorded_at = clock::of(rows, program)?.map(|clock| clock.recorded_at);
    let policies = POLICIES.get(rows, Key::of(program).as_slice())?.unwrap_or_default().0;
    let policy = recorded_at.and_then(|now| in_force(&policies, now));
    let by_partner = group_by.iter().any(|dimension| matches!(dimension, Dimension::Tier | Dimension::Territory))
        || !(filter.tiers.is_empty() && filter.territories.is_empty());
    let partners = if by_partner { partners(rows, program)? } else { FxHashMap::default() };
    let unknown = Standing::default();

    let mut groups: Vec<(GroupKey, Tally)> = Vec::new();
    let mut places: FxHashMap<Vec<u8>, usize> = FxHashMap::default();
    let mut place = Vec::new();
    let mut totals = Tally::default();
    let wanted = Wanted::new(&filter.partners, &filter.states);
    walk(rows, program, scope, &wanted, |partner, key, cell| {
        // Its own, and so free to hold what the partner lends, too.
        let mut key = key;
        let Standing { tier, territories } = partners.get(partner).unwrap_or(&unknown);
        if key.territories.is_empty() {
            key.territories.extend(territories.iter().map(SmolStr::as_str));
        }
        if !filter.admits(partner, tier, &key) {
            return Ok(());
        }
        let weight = weight(key.state, key.stage, policy);
        totals.add(key.conflicted, key.currency, cell, weight);
        if group_by.is_empty() {
            return Ok(());
        }
        place.clear();
        for dimension in group_by {
            write_place(*dimension, partner, tier, &key, &mut place);
        }
        let at = match places.get(&place) {
            Some(at) => *at,
            None if groups.len() == MAX_GROUPS => return Err(QueryError::TooManyGroups),
            None => {
                groups.push((group_key(group_by, partner, tier, &key)?, Tally::default()));
                places.insert(place.clone(), groups.len() - 1);
                groups.len() - 1
            }
        };
        groups[at].1.add(key.conflicted, key.currency, cell, weight);
        Ok(())
    })?;
    finish(groups, totals, policy)
}

/// The policy that weighs amounts at a moment.
pub(super) fn in_force(policies: &[Probabilities], now: Timestamp) -> Option<&Probabilities> {
    policies.iter().rev().find(|policy| policy.effective_from <= now)
}

fn partners(rows: &dyn Rows, program: &ProgramId) -> Result<FxHashMap<SmolStr, Standing>, RowError> {
    let malformed = || RowError::Malformed { keyspace: PARTNERS.keyspace };
    let mut partners = FxHashMap::default();
    let range = KeyRange::prefix(Key::of(program).as_slice());
    PARTNERS.scan(rows, &range, Order::Ascending, |key, standing| {
        let (partner, _) = take_text(key).and_then(|(_, rest)| take_text(rest)).ok_or_else(malformed)?;
        partners.insert(SmolStr::new(partner), standing);
        Ok::<_, RowError>(ControlFlow::Continue(()))
    })?;
    Ok(partners)
}

impl Filter {
    fn admits(&self, partner: &str, tier: &SmolStr, key: &CellRef<'_>) -> bool {
        self.admits_kind(key.state, key.stage, key.month, key.currency, key.conflicted)
            && self.admits_partner(partner, tier)
            && self.admits_territories(key.territories.iter().copied())
            && self.admits_products(key.products.iter().copied())
    }

    pub(super) fn admits_kind(
        &self,
        state: DealState,
        stage: &str,
        month: Option<Month>,
        currency: Option<Currency>,
        conflicted: bool,
    ) -> bool {
        let in_months = self.month_from.is_none_or(|from| month.is_some_and(|month| month >= from))
            && self.month_to.is_none_or(|to| month.is_some_and(|month| month <= to));
        in_months
            && any(&self.states, &state)
            && (self.stages.is_empty() || self.stages.iter().any(|asked| asked == stage))
            && any(&self.currencies, &currency)
            && self.conflicted.is_none_or(|asked| asked == conflicted)
    }

    pub(super) fn admits_partner(&self, partner: &str, tier: &SmolStr) -> bool {
        (self.partners.is_empty() || self.partners.iter().any(|asked| asked.as_str() == partner))
            && any(&self.tiers, tier)
    }

    /// Of the territories that the scope names, or that the partner lends where it names none.
    pub(super) fn admits_territories<'a>(&self, territories: impl ExactSizeIterator<Item = &'a str>) -> bool {
        names(&self.territories, territories)
    }

    pub(super) fn admits_products<'a>(&self, products: impl ExactSizeIterator<Item = &'a str>) -> bool {
        names(&self.products, products)
    }
}

fn any<T: PartialEq>(asked: &[T], value: &T) -> bool {
    asked.is_empty() || asked.contains(value)
}

/// Whether a list of the scope has one of the values asked for; the empty text asks for an empty list.
fn names<'a>(asked: &[SmolStr], mut named: impl ExactSizeIterator<Item = &'a str>) -> bool {
    if asked.is_empty() {
        return true;
    }
    let none_named = named.len() == 0 && asked.iter().any(|value| value.is_empty());
    none_named || named.any(|value| asked.iter().any(|asked| asked == value))
}

/// Writes what tells a cell's group apart in one dimension. Texts have their length before them, so that no two groups have
/// the same bytes.
fn write_place(dimension: Dimension, partner: &str, tier: &SmolStr, key: &CellRef<'_>, place: &mut Vec<u8>) {
    let text = |place: &mut Vec<u8>, text: &str| {
        place.extend_from_slice(&text.len().to_le_bytes());
        place.extend_from_slice(text.as_bytes());
    };
    let texts = |place: &mut Vec<u8>, all: &[&str]| {
        place.extend_from_slice(&all.len().to_le_bytes());
        all.iter().for_each(|one| text(place, one));
    };
    match dimension {
        Dimension::State => place.push(key.state as u8),
        Dimension::Stage => text(place, key.stage),
        Dimension::Partner => text(place, partner),
        Dimension::Tier => text(place, tier),
        Dimension::Territory => texts(place, &key.territories),
        Dimension::Product => texts(place, &key.products),
        Dimension::CloseMonth => {
            let [low, high] = key.month.map_or(0, |month| month.year).to_le_bytes();
            // Months begin with 1: 0 stands for none.
            place.extend_from_slice(&[low, high, key.month.map_or(0, |month| month.month)]);
        }
        Dimension::Currency => text(place, key.currency.as_ref().map_or("", Currency::as_str)),
        Dimension::Conflict => place.push(u8::from(key.conflicted)),
    }
}

fn group_key(group_by: &[Dimension], partner: &str, tier: &SmolStr, key: &CellRef<'_>) -> Result<GroupKey, RowError> {
    let malformed = |_| RowError::Malformed { keyspace: CELLS.keyspace };
    let mut group = GroupKey::default();
    for dimension in group_by {
        match dimension {
            Dimension::State => group.state = Some(key.state),
            Dimension::Stage => group.stage = Some(key.stage.into()),
            Dimension::Partner => group.partner = Some(PartnerId::new(partner).map_err(malformed)?),
            Dimension::Tier => group.tier = Some(tier.clone()),
            Dimension::Territory => group.territories = Some(key.territories.iter().map(SmolStr::new).collect()),
            Dimension::Product => {
                let products = key.products.iter().map(ProductId::new).collect::<Result<_, _>>();
                group.products = Some(products.map_err(malformed)?);
            }
            Dimension::CloseMonth => group.month = Some(key.month),
            Dimension::Currency => group.currency = Some(key.currency),
            Dimension::Conflict => group.conflicted = Some(key.conflicted),
        }
    }
    Ok(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_asks_for_nothing_named() {
        let asked = |texts: &[&str]| texts.iter().map(SmolStr::new).collect::<Vec<_>>();
        assert!(names(&asked(&[]), [].into_iter()));
        assert!(names(&asked(&[""]), [].into_iter()));
        assert!(!names(&asked(&[""]), ["DE"].into_iter()));
        assert!(names(&asked(&["", "DE"]), ["AT", "DE"].into_iter()));
        assert!(!names(&asked(&["CH"]), ["AT", "DE"].into_iter()));
    }
}
