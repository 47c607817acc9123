//! Partners, one row each.
//!
//! | keyspace | key | row |
//! |---|---|---|
//! | `partners` | program, partner | [`PartnerRow`] |
//! | `partner_names` | program, name in lower case, partner | [`NamedPartner`] |

use std::ops::ControlFlow;

use pactum_domain::event::{AnyEvent, Moment};
use pactum_domain::partner::{self, Partner, PartnerState};
use pactum_events::Recorded;
use pactum_ids::{PartnerId, ProgramId};
use serde::{Deserialize, Serialize};

use crate::changes::Changes;
use crate::filter::{Field, Fields, Filter, InvalidFilter};
use crate::key::Key;
use crate::page::{InvalidToken, PageToken, QueryId};
use crate::rows::{KeyRange, Order, RowError, Rows};
use crate::table::{Row, Table};
use crate::view::{FoldError, Folded, View};

/// One row a partner.
pub const PARTNERS: Table<PartnerRow> = Table::new("partners");
/// Partners by name.
pub const PARTNER_NAMES: Table<NamedPartner> = Table::new("partner_names");

/// How many partners a page looks at, at most.
pub const MAX_LOOKED_AT: usize = 10_000;

/// A partner as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRow {
    /// The partner.
    pub partner: Partner,
    /// The sequence of its first event.
    pub created_sequence: u64,
    /// The sequence of its last.
    pub updated_sequence: u64,
}

impl Row for PartnerRow {
    const VERSION: u8 = 1;
}

/// A partner's place among the names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPartner {
    /// The partner.
    pub partner: PartnerId,
}

impl Row for NamedPartner {
    const VERSION: u8 = 1;
}

/// The read model of partners.
#[derive(Clone, Copy, Debug)]
pub struct Partners;

impl View for Partners {
    fn name(&self) -> &'static str {
        "partners"
    }

    fn version(&self) -> u32 {
        1
    }

    fn keyspaces(&self) -> &'static [&'static str] {
        &[PARTNERS.keyspace, PARTNER_NAMES.keyspace]
    }

    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        moment: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError> {
        match &recorded.event {
            AnyEvent::Partner(id, event) => apply_event(changes, &folded.record.program, id, event, moment),
            AnyEvent::Program(_) | AnyEvent::Deal(..) | AnyEvent::Opportunity(..) => Ok(()),
        }
    }
}

fn apply_event(
    changes: &mut Changes<'_>,
    program: &ProgramId,
    id: &PartnerId,
    event: &partner::Event,
    moment: Moment,
) -> Result<(), FoldError> {
    let key = key(program, id);
    let old = changes.take(&PARTNERS, &key)?;
    let created_sequence = old.as_ref().map_or(moment.sequence, |row| row.created_sequence);
    let partner = partner::evolve(old.as_ref().map(|row| &row.partner), id, event)?;
    let (before, after) = (old.as_ref().map(|row| name_key(program, &row.partner)), name_key(program, &partner));
    if before.as_ref() != Some(&after) {
        if let Some(before) = before {
            changes.delete(&PARTNER_NAMES, before);
        }
        changes.put(&PARTNER_NAMES, after, NamedPartner { partner: id.clone() });
    }
    changes.put(&PARTNERS, key, PartnerRow { partner, created_sequence, updated_sequence: moment.sequence });
    Ok(())
}

fn key(program: &ProgramId, id: &PartnerId) -> Vec<u8> {
    Key::of(program).text(id.as_str()).bytes()
}

fn name_key(program: &ProgramId, partner: &Partner) -> Vec<u8> {
    Key::of(program).text(&partner.profile.display_name.to_lowercase()).text(partner.id.as_str()).bytes()
}

/// One partner.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn get(rows: &dyn Rows, program: &ProgramId, id: &PartnerId) -> Result<Option<PartnerRow>, RowError> {
    PARTNERS.get(rows, &key(program, id))
}

/// A list of partners that cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The filter is wrong.
    #[error(transparent)]
    Filter(#[from] InvalidFilter),
    /// The order is wrong.
    #[error("cannot order by {0:?}; there is id and display_name, each alone or followed by desc")]
    Order(String),
    /// The page token is wrong.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] RowError),
}

/// Which partners, and how.
pub struct Query {
    program: ProgramId,
    only: Option<PartnerId>,
    filter: Option<Filter>,
    by_name: bool,
    order: Order,
    size: usize,
    id: QueryId,
    token: Option<PageToken>,
}

/// A page of partners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The partners, in order.
    pub partners: Vec<PartnerRow>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<String>,
}

impl Query {
    /// Takes a query as a request says it. `only` limits it to one partner: for a caller of that partner.
    ///
    /// # Errors
    /// [`ListError`] where the filter, the order or the token is wrong.
    pub fn new(
        program: ProgramId,
        only: Option<PartnerId>,
        filter: &str,
        order_by: &str,
        page_size: usize,
        page_token: &str,
    ) -> Result<Self, ListError> {
        let words: Vec<_> = order_by.split_whitespace().collect();
        let (by_name, order) = match words.as_slice() {
            [] | ["id"] | ["id", "asc"] => (false, Order::Ascending),
            ["id", "desc"] => (false, Order::Descending),
            ["display_name"] | ["display_name", "asc"] => (true, Order::Ascending),
            ["display_name", "desc"] => (true, Order::Descending),
            _ => return Err(ListError::Order(order_by.chars().take(80).collect())),
        };
        let (field, way) =
            (if by_name { "name" } else { "id" }, if order == Order::Ascending { "asc" } else { "desc" });
        let scope = only.as_ref().map_or("", PartnerId::as_str);
        let id = QueryId::of(&["partners", program.as_str(), scope, filter, field, way]);
        let filter = (!filter.trim().is_empty()).then(|| Filter::compile(filter, &PartnerFields(None))).transpose()?;
        let token = PageToken::decode(page_token, id)?;
        Ok(Self { program, only, filter, by_name, order, size: page_size.max(1), id, token })
    }

    /// The sequence that the page before held; the rows this page is read from must hold it too.
    #[must_use]
    pub fn min_sequence(&self) -> u64 {
        self.token.as_ref().map_or(0, |token| token.sequence)
    }
}

/// Reads a page. `sequence` is what the rows hold.
///
/// # Errors
/// [`ListError`] where the filter fails on a row, or rows cannot be read.
pub fn list(rows: &dyn Rows, query: &Query, sequence: u64) -> Result<Page, ListError> {
    let prefix = Key::of(&query.program).bytes();
    let mut range = KeyRange::prefix(&prefix);
    if let Some(token) = &query.token {
        token.narrow(&mut range, &prefix, query.order);
    }
    let mut page = Page { partners: Vec::new(), next: None };
    let mut looked_at = 0;
    let mut last = Vec::new();
    let mut visit = |key: &[u8], row: PartnerRow| {
        if page.partners.len() == query.size || looked_at == MAX_LOOKED_AT {
            let token = PageToken { sequence, after: std::mem::take(&mut last) };
            page.next = Some(token.encode(query.id));
            return Ok::<_, ListError>(ControlFlow::Break(()));
        }
        looked_at += 1;
        last.clear();
        last.extend_from_slice(&key[prefix.len()..]);
        let fields = PartnerFields(Some(&row.partner));
        if query.filter.as_ref().map_or(Ok(true), |filter| filter.admits(&fields))? {
            page.partners.push(row);
        }
        Ok(ControlFlow::Continue(()))
    };
    if let Some(only) = &query.only {
        let key = key(&query.program, only);
        if let Some(row) = PARTNERS.get(rows, &key)?.filter(|_| range.contains(&key)) {
            let (ControlFlow::Continue(()) | ControlFlow::Break(())) = visit(&key, row)?;
        }
    } else if query.by_name {
        PARTNER_NAMES.scan(rows, &range, query.order, |place, named| {
            let row = get(rows, &query.program, &named.partner)?;
            visit(place, row.ok_or(RowError::Malformed { keyspace: PARTNER_NAMES.keyspace })?)
        })?;
    } else {
        PARTNERS.scan(rows, &range, query.order, &mut visit)?;
    }
    Ok(page)
}

/// A partner's fields, as filters see them: those of the contract's `Partner`, its state by its short name.
#[derive(Clone, Copy, Debug)]
pub struct PartnerFields<'a>(pub Option<&'a Partner>);

impl Fields for PartnerFields<'_> {
    const OBJECT: &'static str = "partner";
    const PATHS: &'static [&'static str] = &[
        "id",
        "state",
        "display_name",
        "country_code",
        "domain",
        "partner_type",
        "tier",
        "territories",
        "specialisations",
        "manager",
    ];

    fn field(&self, path: &str) -> Option<Field<'_>> {
        let Some(partner) = self.0 else {
            let known = Self::PATHS.contains(&path);
            let list = path == "territories" || path == "specialisations";
            return known.then(|| if list { Field::List(Vec::new()) } else { Field::Text("") });
        };
        Some(match path {
            "id" => Field::Text(partner.id.as_str()),
            "state" => Field::Text(state_name(partner.state)),
            "display_name" => Field::Text(&partner.profile.display_name),
            "country_code" => Field::Text(partner.profile.country.as_deref().unwrap_or_default()),
            "domain" => Field::Text(partner.profile.domain.as_deref().unwrap_or_default()),
            "partner_type" => Field::Text(&partner.profile.kind),
            "tier" => Field::Text(&partner.tier),
            "territories" => Field::List(partner.territories.iter().map(|text| &**text).collect()),
            "specialisations" => Field::List(partner.specialisations.iter().map(|text| &**text).collect()),
            "manager" => Field::Text(&partner.manager),
            _ => return None,
        })
    }

    fn is_set(&self, path: &str) -> bool {
        match self.field(path) {
            Some(Field::Text(text)) => !text.is_empty(),
            Some(Field::List(list)) => !list.is_empty(),
            Some(Field::Owned(_) | Field::Integer(_) | Field::Flag(_)) | None => false,
        }
    }
}

/// The state's short name.
#[must_use]
pub fn state_name(state: PartnerState) -> &'static str {
    match state {
        PartnerState::Applied => "APPLIED",
        PartnerState::Approved => "APPROVED",
        PartnerState::Rejected => "REJECTED",
        PartnerState::Onboarding => "ONBOARDING",
        PartnerState::Active => "ACTIVE",
        PartnerState::Suspended => "SUSPENDED",
        PartnerState::Terminated => "TERMINATED",
    }
}
