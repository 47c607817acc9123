//! Lists of deals, in pages.

use std::ops::ControlFlow;

use pactum_ids::{PartnerId, ProgramId};

use super::order::prefix;
use super::{DEAL_ORDERS, DEALS, DealFields, DealRow, InvalidOrder, Sorting, key};
use crate::filter::{Filter, InvalidFilter};
use crate::page::{InvalidToken, PageToken, QueryId};
use crate::rows::{KeyRange, Order, RowError, Rows};

/// How many deals a page looks at, at most. A filter that admits few gives a short page and a token to go on with, so that
/// no query holds a thread for long.
pub const MAX_LOOKED_AT: usize = 10_000;

/// A list of deals that cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The filter is wrong.
    #[error(transparent)]
    Filter(#[from] InvalidFilter),
    /// The order is wrong.
    #[error(transparent)]
    Order(#[from] InvalidOrder),
    /// The page token is wrong.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] RowError),
}

/// Which deals, and how.
pub struct Query {
    program: ProgramId,
    partner: Option<PartnerId>,
    filter: Option<Filter>,
    sorting: Sorting,
    size: usize,
    id: QueryId,
    token: Option<PageToken>,
}

/// A page of deals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The deals, in order.
    pub deals: Vec<DealRow>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<String>,
}

impl Query {
    /// Takes a query as a request says it. `partner` limits it to the deals of one: for a caller of that partner.
    ///
    /// # Errors
    /// [`ListError`] where the filter, the order or the token is wrong.
    pub fn new(
        program: ProgramId,
        partner: Option<PartnerId>,
        filter: &str,
        order_by: &str,
        page_size: usize,
        page_token: &str,
    ) -> Result<Self, ListError> {
        let sorting = Sorting::parse(order_by)?;
        let direction = if sorting.order == Order::Descending { "desc" } else { "asc" };
        let scope = partner.as_ref().map_or("", PartnerId::as_str);
        let id = QueryId::of(&["deals", program.as_str(), scope, filter, sorting.by.name(), direction]);
        let example = DealFields { deal: None, redacted: partner.is_some() };
        let filter = (!filter.trim().is_empty()).then(|| Filter::compile(filter, &example)).transpose()?;
        let token = PageToken::decode(page_token, id)?;
        Ok(Self { program, partner, filter, sorting, size: page_size.max(1), id, token })
    }

    /// The sequence that the page before held; the rows this page is read from must hold it too.
    #[must_use]
    pub fn min_sequence(&self) -> u64 {
        self.token.as_ref().map_or(0, |token| token.sequence)
    }

    fn range(&self, prefix: &[u8]) -> KeyRange {
        let mut range = KeyRange::prefix(prefix);
        if let Some(token) = &self.token {
            token.narrow(&mut range, prefix, self.sorting.order);
        }
        range
    }
}

/// Reads a page. `sequence` is what the rows hold.
///
/// # Errors
/// [`ListError`] where the filter fails on a row, or rows cannot be read.
pub fn list(rows: &dyn Rows, query: &Query, sequence: u64) -> Result<Page, ListError> {
    let prefix = prefix(&query.program, query.partner.as_ref(), query.sorting.by).bytes();
    let mut page = Page { deals: Vec::new(), next: None };
    let mut looked_at = 0;
    let mut last = Vec::new();
    DEAL_ORDERS.scan(rows, &query.range(&prefix), query.sorting.order, |place, ordered| {
        if page.deals.len() == query.size || looked_at == MAX_LOOKED_AT {
            let token = PageToken { sequence, after: std::mem::take(&mut last) };
            page.next = Some(token.encode(query.id));
            return Ok::<_, ListError>(ControlFlow::Break(()));
        }
        looked_at += 1;
        last.clear();
        last.extend_from_slice(&place[prefix.len()..]);
        let row = DEALS.get(rows, &key(&query.program, &ordered.deal))?;
        let row = row.ok_or(RowError::Malformed { keyspace: DEAL_ORDERS.keyspace })?;
        let fields = DealFields { deal: Some(&row.deal), redacted: query.partner.is_some() };
        let admitted = query.filter.as_ref().map_or(Ok(true), |filter| filter.admits(&fields))?;
        if admitted {
            page.deals.push(row);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(page)
}
