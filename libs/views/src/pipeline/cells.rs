//! Walking over a program's cells, past those that cannot be asked about.
//!
//! A cell's key begins with its partner and its state, and most cells of a program with a history are of deals that have
//! ended. So where states or partners are asked for, the walk seeks from one run of such cells to the next, instead of
//! reading what lies between.

use std::ops::ControlFlow;

use pactum_domain::deal::DealState;
use pactum_domain::money::Currency;
use pactum_domain::time::Month;
use pactum_ids::{PartnerId, ProgramId};
use serde::Deserialize;

use super::{CELLS, Cell};
use crate::key::{Key, take_text};
use crate::rows::{KeyRange, Order, RowError, Rows};

/// Cells that are read and passed over before the walk seeks: a seek costs as much as reading some of them.
const PATIENCE: usize = 16;

/// A [`CellKey`](super::CellKey) where it lies: the same fields, and nothing is copied.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct CellRef<'a> {
    pub(super) state: DealState,
    pub(super) stage: &'a str,
    #[serde(borrow)]
    pub(super) territories: Vec<&'a str>,
    #[serde(borrow)]
    pub(super) products: Vec<&'a str>,
    pub(super) month: Option<Month>,
    pub(super) currency: Option<Currency>,
    pub(super) conflicted: bool,
}

/// Which cells are walked over: those of these partners and states; of all where a list is empty.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    partners: Vec<&'a str>,
    /// As keys begin with them.
    states: Vec<u8>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(partners: &'a [PartnerId], states: &[DealState]) -> Self {
        let mut partners: Vec<_> = partners.iter().map(PartnerId::as_str).collect();
        partners.sort_unstable();
        let mut states: Vec<_> = states.iter().map(|state| first_byte(*state)).collect();
        states.sort_unstable();
        Self { partners, states }
    }

    fn has_partner(&self, partner: &str) -> bool {
        self.partners.is_empty() || self.partners.binary_search(&partner).is_ok()
    }

    fn has_state(&self, state: u8) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }

    /// Where the walk goes on after a cell that is not wanted; none: nothing that is wanted follows.
    fn after(&self, program: &ProgramId, partner: &str, state: u8) -> Option<Vec<u8>> {
        if self.has_partner(partner)
            && let Some(next) = self.states.iter().find(|wanted| **wanted > state)
        {
            return Some(Key::of(program).text(partner).byte(*next).bytes());
        }
        if self.partners.is_empty() {
            return KeyRange::prefix(Key::of(program).text(partner).as_slice()).to;
        }
        let next = self.partners.iter().find(|wanted| **wanted > partner)?;
        Some(Key::of(program).text(next).bytes())
    }
}

/// A key's first byte after the partner: a state is a number below 128, which postcard writes as one byte.
fn first_byte(state: DealState) -> u8 {
    let mut byte = [0];
    postcard::to_slice(&state, &mut byte).expect("a state without fields, of fewer than 128, takes one byte");
    byte[0]
}

/// Shows each wanted cell of a program, or of one partner of it, in the order of keys.
pub(super) fn walk<E: From<RowError>>(
    rows: &dyn Rows,
    program: &ProgramId,
    scope: Option<&PartnerId>,
    wanted: &Wanted<'_>,
    mut visit: impl FnMut(&str, CellRef<'_>, Cell) -> Result<(), E>,
) -> Result<(), E> {
    let malformed = || RowError::Malformed { keyspace: CELLS.keyspace };
    let prefix = match scope {
        Some(partner) => Key::of(program).text(partner.as_str()),
        None => Key::of(program),
    };
    let KeyRange { from, to } = KeyRange::prefix(prefix.as_slice());
    let mut next = Some(from);
    while let Some(from) = next.take().filter(|from| to.as_ref().is_none_or(|to| from < to)) {
        let mut passed = 0;
        CELLS.scan(rows, &KeyRange { from, to: to.clone() }, Order::Ascending, |key, cell| {
            let (_, rest) = take_text(key).ok_or_else(malformed)?;
            let (partner, rest) = take_text(rest).ok_or_else(malformed)?;
            let state = *rest.first().ok_or_else(malformed)?;
            if wanted.has_partner(partner) && wanted.has_state(state) {
                passed = 0;
                visit(partner, postcard::from_bytes(rest).map_err(|_| malformed())?, cell)?;
                return Ok(ControlFlow::Continue(()));
            }
            passed += 1;
            if passed < PATIENCE {
                return Ok(ControlFlow::Continue(()));
            }
            next = wanted.after(program, partner, state);
            Ok::<_, E>(ControlFlow::Break(()))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::super::CellKey;
    use super::*;
    use crate::changes::Write;
    use crate::rows::MemoryRows;
    use crate::table::encode_into;
    use pactum_ids::ProductId;

    const STATES: [DealState; 4] = [DealState::Draft, DealState::Approved, DealState::Won, DealState::Revoked];

    fn key(state: DealState, month: u8) -> CellKey {
        CellKey {
            state,
            stage: "open".into(),
            territories: vec!["DE".into(), "FR".into()],
            products: vec![ProductId::new("core").unwrap()],
            month: Some(Month { year: 2026, month }),
            currency: Some(Currency::parse("USD").unwrap()),
            conflicted: true,
        }
    }

    #[test]
    fn a_cell_is_read_where_it_lies_as_it_was_written() {
        let written = key(DealState::Won, 3);
        let bytes = postcard::to_stdvec(&written).unwrap();
        let CellKey { state, stage, month, currency, conflicted, .. } = &written;
        let (state, month, currency, conflicted) = (*state, *month, *currency, *conflicted);
        let (territories, products) = (vec!["DE", "FR"], vec!["core"]);
        let expected = CellRef { state, stage, territories, products, month, currency, conflicted };
        assert_eq!(postcard::from_bytes::<CellRef<'_>>(&bytes).unwrap(), expected);
    }

    /// Runs shorter and longer than the walk's patience, asked for in every way, and two programs with nothing wanted.
    #[test]
    fn a_walk_shows_what_is_wanted_whatever_lies_between() {
        let ids: Vec<_> = ["a", "ab", "b", "c"].iter().map(|id| PartnerId::new(id).unwrap()).collect();
        let programs: Vec<_> = ["acm", "acme", "acme2"].iter().map(|id| ProgramId::new(id).unwrap()).collect();
        let mut rows = MemoryRows::default();
        let mut there = Vec::new();
        let sizes = [1, 12, 0, 3, 12, 12, 12, 1, 2, 12, 0, 12, 12, 0, 12, 12];
        for program in &programs {
            let runs = ids.iter().flat_map(|id| STATES.map(|state| (id, state)));
            for ((partner, state), size) in runs.zip(sizes) {
                for month in 1..=size * 2 {
                    let mut cell = key(state, month % 12 + 1);
                    cell.conflicted = month > 12;
                    let bytes = Key::of(program).text(partner.as_str()).bytes();
                    let bytes = postcard::to_extend(&cell, bytes).unwrap();
                    let mut row = Vec::new();
                    encode_into(&Cell { deals: 1, minor: i128::from(month) }, &mut row);
                    rows.write(vec![Write { keyspace: CELLS.keyspace, key: bytes, row: Some(row) }]);
                    if program == &programs[1] {
                        there.push((partner.as_str(), state, i128::from(month)));
                    }
                }
            }
        }
        there.sort_unstable();
        let lists = |bits: usize| (0..4).filter(move |bit| bits >> bit & 1 == 1);
        for scope in [None, Some(&ids[0]), Some(&ids[1]), Some(&ids[3])] {
            for (partners, states) in (0..16).flat_map(|partners| (0..16).map(move |states| (partners, states))) {
                let partners: Vec<_> = lists(partners).map(|at| ids[at].clone()).collect();
                let states: Vec<_> = lists(states).map(|at| STATES[at]).collect();
                let mut shown = Vec::new();
                walk(&rows, &programs[1], scope, &Wanted::new(&partners, &states), |partner, cell, figures| {
                    shown.push((partner.to_owned(), cell.state, figures.minor));
                    Ok::<_, RowError>(())
                })
                .unwrap();
                shown.sort_unstable();
                let is_wanted = |(partner, state, _): &&(&str, DealState, i128)| {
                    scope.is_none_or(|scope| scope.as_str() == *partner)
                        && (partners.is_empty() || partners.iter().any(|wanted| wanted.as_str() == *partner))
                        && (states.is_empty() || states.contains(state))
                };
                let expected: Vec<_> =
                    there.iter().filter(is_wanted).map(|(p, state, n)| ((*p).to_owned(), *state, *n)).collect();
                assert_eq!(shown, expected, "{scope:?} {partners:?} {states:?}");
            }
        }
    }
}
