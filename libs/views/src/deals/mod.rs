//! Deals: one row each, and the orders in which they are listed.
//!
//! | keyspace | key | row |
//! |---|---|---|
//! | `deals` | program, deal | [`DealRow`] |
//! | `deal_orders` | program, partner (empty: all partners), order, sort value, sequence of creation | [`OrderedDeal`] |
//!
//! Every deal stands in every order twice: among all of the program's and among its partner's, so that a partner's list
//! never reads another partner's rows.

pub mod fields;
pub mod list;
pub mod order;

pub use fields::DealFields;
pub use list::{ListError, Page, Query, list};
use order::Places;
pub use order::{InvalidOrder, SortBy, Sorting};

use pactum_domain::deal::{self, Deal};
use pactum_domain::event::{AnyEvent, Moment};
use pactum_events::Recorded;
use pactum_ids::{DealId, ProgramId};
use serde::{Deserialize, Serialize};

use crate::changes::Changes;
use crate::key::Key;
use crate::rows::{RowError, Rows};
use crate::table::{Row, Table};
use crate::view::{FoldError, Folded, View};

/// One row a deal.
pub const DEALS: Table<DealRow> = Table::new("deals");
/// Deals in order.
pub const DEAL_ORDERS: Table<OrderedDeal> = Table::new("deal_orders");

/// A deal as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DealRow {
    /// The deal.
    pub deal: Deal,
    /// The sequence of its first event.
    pub created_sequence: u64,
    /// The sequence of its last.
    pub updated_sequence: u64,
}

impl Row for DealRow {
    const VERSION: u8 = 1;
}

/// A deal's place in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedDeal {
    /// The deal.
    pub deal: DealId,
}

impl Row for OrderedDeal {
    const VERSION: u8 = 1;
}

/// The read model of deals.
#[derive(Clone, Copy, Debug)]
pub struct Deals;

impl View for Deals {
    fn name(&self) -> &'static str {
        "deals"
    }

    fn version(&self) -> u32 {
        2
    }

    fn keyspaces(&self) -> &'static [&'static str] {
        &[DEALS.keyspace, DEAL_ORDERS.keyspace]
    }

    fn only_written(&self) -> &'static [&'static str] {
        &[DEAL_ORDERS.keyspace]
    }

    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        moment: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError> {
        match &recorded.event {
            AnyEvent::Deal(id, event) => apply_event(changes, &folded.record.program, id, event, moment),
            AnyEvent::Program(_) | AnyEvent::Partner(..) | AnyEvent::Opportunity(..) => Ok(()),
        }
    }
}

fn apply_event(
    changes: &mut Changes<'_>,
    program: &ProgramId,
    id: &DealId,
    event: &deal::Event,
    moment: Moment,
) -> Result<(), FoldError> {
    let mut before = None;
    let begin = || {
        let deal = deal::begin(id, event)?;
        Ok::<_, FoldError>(DealRow { deal, created_sequence: moment.sequence, updated_sequence: 0 })
    };
    let row = changes.edit_or_else(&DEALS, &key(program, id), begin)?;
    if row.deal.version > 0 {
        before = Some(Places::of(row));
    }
    deal::advance(&mut row.deal, event, moment)?;
    row.updated_sequence = moment.sequence;
    let after = Places::of(row);
    after.replace(before.as_ref(), changes, program, id);
    Ok(())
}

/// The key of a deal's row, here and wherever else one row a deal is kept.
pub(crate) fn key(program: &ProgramId, id: &DealId) -> Vec<u8> {
    Key::of(program).text(id.as_str()).bytes()
}

/// One deal.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn get(rows: &dyn Rows, program: &ProgramId, id: &DealId) -> Result<Option<DealRow>, RowError> {
    DEALS.get(rows, &key(program, id))
}
