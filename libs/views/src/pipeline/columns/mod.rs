//! A program's part of the pipeline in memory, for questions to be answered without reading rows.
//!
//! A program with a long history has nearly as many cells as deals, and reading a cell's row costs more than counting it. Here
//! a cell is three numbers and its figures, each in a column of its own: whose it is, of what [`Kind`] its deals are, and what
//! they are [`about`](Scope). There are many cells and few of these, so a question is put to them once, and what it makes of
//! each is looked up cell by cell ([`grouping`]).
//!
//! It is made from the view's rows, and follows them by the same writes that change these.

mod cells;
mod dictionary;
mod grouping;

use std::ops::ControlFlow;

use pactum_domain::deal::DealState;
use pactum_domain::money::Currency;
use pactum_domain::time::Month;
use pactum_ids::{PartnerId, ProductId, ProgramId};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use smol_str::SmolStr;

use self::cells::Cells;
use self::dictionary::{Dictionary, Value};
use super::query::{Dimension, Filter, Pipeline, QueryError};
use super::{CELLS, PARTNERS, POLICIES, Policies, Standing};
use crate::clock::{CLOCKS, Clock};
use crate::key::{Key, take_text};
use crate::rows::{KeyRange, Order, RowError, Rows};

/// Rows read before it is asked whether there is room for what they take.
const ROWS_AT_ONCE: usize = 4_096;

/// A program's cells, and what is joined to them, as of one moment.
#[derive(Debug)]
pub struct Columns {
    /// What the program's keys begin with.
    prefix: Vec<u8>,
    clock: Option<Clock>,
    policies: Policies,
    partners: Dictionary<PartnerId>,
    /// By the partner's number.
    standings: Vec<Standing>,
    kinds: Dictionary<Kind>,
    scopes: Dictionary<Scope>,
    cells: Cells,
    /// A kind's bytes while they are looked up.
    scratch: Vec<u8>,
}

/// What a cell's deals have in common, besides their partner and what they are about.
#[derive(Debug)]
struct Kind {
    state: DealState,
    stage: SmolStr,
    month: Option<Month>,
    currency: Option<Currency>,
    conflicted: bool,
}

/// What a cell's deals are about, as far as they name it.
#[derive(Debug)]
struct Scope {
    territories: Vec<SmolStr>,
    products: Vec<ProductId>,
}

impl Columns {
    /// The keyspaces whose rows, as far as they are the program's, it holds.
    pub const KEYSPACES: [&'static str; 4] = [CELLS.keyspace, PARTNERS.keyspace, POLICIES.keyspace, CLOCKS.keyspace];

    /// Reads a program's rows. `has_room` is told now and then how many bytes they take; `None` once it refuses.
    ///
    /// # Errors
    /// [`RowError`] where a row cannot be read.
    pub fn load(
        rows: &dyn Rows,
        program: &ProgramId,
        mut has_room: impl FnMut(usize) -> bool,
    ) -> Result<Option<Self>, RowError> {
        let mut columns = Self::new(program);
        let range = KeyRange::prefix(&columns.prefix);
        let (mut read, mut fits, mut failed) = (0, true, None);
        for keyspace in Self::KEYSPACES {
            rows.scan(keyspace, &range, Order::Ascending, &mut |key, row| {
                failed = columns.apply(keyspace, key, Some(row)).err();
                read += 1;
                fits = read % ROWS_AT_ONCE != 0 || has_room(columns.bytes());
                if fits && failed.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            if let Some(error) = failed {
                return Err(error);
            }
            if !fits {
                return Ok(None);
            }
        }
        columns.cells.fit();
        Ok(has_room(columns.bytes()).then_some(columns))
    }

    fn new(program: &ProgramId) -> Self {
        Self {
            prefix: Key::of(program).bytes(),
            clock: None,
            policies: Policies::default(),
            partners: Dictionary::new(),
            standings: Vec::new(),
            kinds: Dictionary::new(),
            scopes: Dictionary::new(),
            cells: Cells::default(),
            scratch: Vec::new(),
        }
    }

    /// Takes a row that was written, or deleted where there is none. Those of other programs and keyspaces are left alone.
    ///
    /// # Errors
    /// [`RowError`] where it cannot be read. What is held is of no use then.
    pub fn apply(&mut self, keyspace: &str, key: &[u8], row: Option<&[u8]>) -> Result<(), RowError> {
        let Some(rest) = key.strip_prefix(self.prefix.as_slice()) else { return Ok(()) };
        if keyspace == CELLS.keyspace {
            let malformed = RowError::Malformed { keyspace: CELLS.keyspace };
            let cell = row.map(|row| CELLS.decode(row)).transpose()?;
            let place = self.place(rest).ok_or(malformed)?;
            self.cells.set(place, cell);
        } else if keyspace == PARTNERS.keyspace {
            let malformed = RowError::Malformed { keyspace: PARTNERS.keyspace };
            let standing = row.map(|row| PARTNERS.decode(row)).transpose()?;
            let partner = take_text(rest).and_then(|(partner, _)| self.partner(partner)).ok_or(malformed)?;
            self.standings[partner as usize] = standing.unwrap_or_default();
        } else if keyspace == POLICIES.keyspace {
            self.policies = row.map(|row| POLICIES.decode(row)).transpose()?.unwrap_or_default();
        } else if keyspace == CLOCKS.keyspace {
            self.clock = row.map(|row| CLOCKS.decode(row)).transpose()?;
        }
        Ok(())
    }

    /// The numbers by which a cell is known: of its partner, kind and scope.
    fn place(&mut self, key: &[u8]) -> Option<[u32; 3]> {
        let (partner, rest) = take_text(key)?;
        let partner = self.partner(partner)?;
        // A kind's bytes lie on both sides of the scope's.
        let (_, after_head) = postcard::take_from_bytes::<(DealState, &str)>(rest).ok()?;
        let (_, end) = postcard::take_from_bytes::<(Passed, Passed)>(after_head).ok()?;
        let head = &rest[..rest.len() - after_head.len()];
        let scope = &after_head[..after_head.len() - end.len()];
        self.scratch.clear();
        self.scratch.extend_from_slice(head);
        self.scratch.extend_from_slice(end);
        let kind = self.kinds.number(&self.scratch, || Kind::read(head, end))?;
        let scope = self.scopes.number(scope, || Scope::read(scope))?;
        Some([partner, kind, scope])
    }

    fn partner(&mut self, partner: &str) -> Option<u32> {
        let number = self.partners.number(partner.as_bytes(), || PartnerId::new(partner).ok())?;
        self.standings.resize_with(self.partners.values().len(), Standing::default);
        Some(number)
    }

    /// Up to where it holds the program's history; 0 where it knows nothing of it.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.clock.map_or(0, |clock| clock.sequence)
    }

    /// About what it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let lent = |standing: &Standing| standing.tier.heap() + standing.territories.heap();
        self.cells.size()
            + self.partners.size()
            + self.kinds.size()
            + self.scopes.size()
            + self.standings.capacity() * size_of::<Standing>()
            + self.standings.iter().map(lent).sum::<usize>()
    }

    /// Answers a question as [`query`](super::query()) does from the rows.
    ///
    /// # Errors
    /// As there; rows are not read.
    pub fn query(
        &self,
        scope: Option<&PartnerId>,
        filter: &Filter,
        group_by: &[Dimension],
    ) -> Result<Pipeline, QueryError> {
        grouping::answer(self, scope, filter, group_by)
    }
}

impl Kind {
    fn read(head: &[u8], end: &[u8]) -> Option<Self> {
        let (state, stage) = whole(head)?;
        let (month, currency, conflicted) = whole(end)?;
        Some(Self { state, stage, month, currency, conflicted })
    }
}

impl Scope {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (territories, products) = whole(bytes)?;
        Some(Self { territories, products })
    }
}

impl Value for Kind {
    fn heap(&self) -> usize {
        self.stage.heap()
    }
}

impl Value for Scope {
    fn heap(&self) -> usize {
        self.territories.heap() + self.products.heap()
    }
}

/// A value of which nothing is left over.
fn whole<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Option<T> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Some(value),
        Ok(_) | Err(_) => None,
    }
}

/// A list of texts that is passed over.
struct Passed;

impl<'de> Deserialize<'de> for Passed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Passed;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Passed, A::Error> {
                while texts.next_element::<&str>()?.is_some() {}
                Ok(Passed)
            }
        }
        deserializer.deserialize_seq(Texts)
    }
}
