//! The history of accounts, in pages.

use std::ops::ControlFlow;

use pactum_ids::{AccountId, DealId, PartnerId, ProgramId};

use super::{ACCOUNTS, CLAIM_DEALS, CLAIMS, Claim, ClaimDeal, is_party};
use crate::key::{Key, take_number};
use crate::page::{InvalidToken, PageToken, QueryId};
use crate::rows::{KeyRange, Order, RowError, Rows};

/// A history that cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The page token is wrong.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] RowError),
}

/// Which accounts' history.
pub struct Query {
    program: ProgramId,
    accounts: Vec<AccountId>,
    size: usize,
    id: QueryId,
    token: Option<PageToken>,
}

/// A deal that holds protection on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The account.
    pub account: AccountId,
    /// The deal's id.
    pub id: DealId,
    /// The deal.
    pub deal: ClaimDeal,
}

/// A page of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Account, sequence and step, in order of sequence.
    pub claims: Vec<(AccountId, u64, Claim)>,
    /// Who holds protection now.
    pub current: Vec<Current>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<String>,
}

impl Query {
    /// Takes a query. `subject` is what the request asked for in words, so that a token belongs to it.
    ///
    /// # Errors
    /// [`HistoryError::Token`].
    pub fn new(
        program: ProgramId,
        subject: &str,
        accounts: Vec<AccountId>,
        page_size: usize,
        page_token: &str,
    ) -> Result<Self, HistoryError> {
        let id = QueryId::of(&["ownership", program.as_str(), subject]);
        let token = PageToken::decode(page_token, id)?;
        Ok(Self { program, accounts, size: page_size.max(1), id, token })
    }

    /// The sequence that a page token holds, before the query is made; 0 where it holds none or is wrong.
    #[must_use]
    pub fn token_sequence(program: &ProgramId, subject: &str, page_token: &str) -> u64 {
        let id = QueryId::of(&["ownership", program.as_str(), subject]);
        PageToken::decode(page_token, id).ok().flatten().map_or(0, |token| token.sequence)
    }
}

/// Whether a partner has, or had, a deal on one of the accounts.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn involves(
    rows: &dyn Rows,
    program: &ProgramId,
    account: &AccountId,
    partner: &PartnerId,
) -> Result<bool, RowError> {
    let row = ACCOUNTS.get(rows, Key::of(program).text(account.as_str()).as_slice())?;
    Ok(row.is_some_and(|row| is_party(&row, partner)))
}

/// Whether an account is known.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn exists(rows: &dyn Rows, program: &ProgramId, account: &AccountId) -> Result<bool, RowError> {
    Ok(ACCOUNTS.get(rows, Key::of(program).text(account.as_str()).as_slice())?.is_some())
}

/// Reads a page. `sequence` is what the rows hold.
///
/// # Errors
/// [`HistoryError`] where rows cannot be read.
pub fn history(rows: &dyn Rows, query: &Query, sequence: u64) -> Result<History, HistoryError> {
    let after = query.token.as_ref().and_then(|token| take_number(&token.after)).map_or(0, |(after, _)| after);
    let mut claims = Vec::new();
    // One account is the rule. Where keys name several, a page's worth of each is merged and cut.
    for account in &query.accounts {
        let prefix = Key::of(&query.program).text(account.as_str());
        let from = prefix.clone().number(after.saturating_add(1)).bytes();
        let range = KeyRange { from, ..KeyRange::prefix(prefix.as_slice()) };
        let mut taken = 0;
        CLAIMS.scan(rows, &range, Order::Ascending, |key, claim| {
            let number = take_number(&key[prefix.as_slice().len()..]);
            let (sequence, _) = number.ok_or(RowError::Malformed { keyspace: CLAIMS.keyspace })?;
            claims.push((account.clone(), sequence, claim));
            taken += 1;
            Ok::<_, RowError>(if taken > query.size { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
    }
    claims.sort_by_key(|(_, sequence, _)| *sequence);
    // A deal that moved between two of the accounts has its step at both, with one sequence: a page never ends between.
    let end = page_end(&claims, query.size);
    let next = claims.get(end).map(|_| {
        let after = claims[end - 1].1.to_be_bytes().to_vec();
        PageToken { sequence, after }.encode(query.id)
    });
    claims.truncate(end);
    Ok(History { claims, current: current(rows, query)?, next })
}

fn page_end(claims: &[(AccountId, u64, Claim)], size: usize) -> usize {
    let mut end = size.min(claims.len());
    while end > 0 && end < claims.len() && claims[end].1 == claims[end - 1].1 {
        end += 1;
    }
    end
}

fn current(rows: &dyn Rows, query: &Query) -> Result<Vec<Current>, RowError> {
    let mut current = Vec::new();
    for account in &query.accounts {
        let Some(row) = ACCOUNTS.get(rows, Key::of(&query.program).text(account.as_str()).as_slice())? else {
            continue;
        };
        for holder in row.holders {
            let deal = CLAIM_DEALS.get(rows, &crate::deals::key(&query.program, &holder))?;
            let deal = deal.ok_or(RowError::Malformed { keyspace: ACCOUNTS.keyspace })?;
            current.push(Current { account: account.clone(), id: holder, deal });
        }
    }
    Ok(current)
}
