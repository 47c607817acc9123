//! Customer accounts, as registrations told of them.

use pactum_domain::account::{AccountKey, Customer};
use pactum_domain::deal::Event;
use pactum_ids::{AccountId, DealId, PartnerId, ProgramId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{ACCOUNT_KEYS, ACCOUNTS, CLAIM_DEALS, ClaimDeal};
use crate::changes::Changes;
use crate::key::Key;
use crate::rows::{RowError, Rows};
use crate::table::Row;
use crate::view::FoldError;

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    /// The name it was first registered under.
    pub name: SmolStr,
    /// Its country, where known.
    pub country: Option<SmolStr>,
    /// Its keys, sorted, each kind at most once.
    pub keys: Vec<AccountKey>,
    /// The partners that have, or had, a deal on it, sorted.
    pub partners: Vec<PartnerId>,
    /// The deals that hold protection on it, sorted.
    pub holders: Vec<DealId>,
}

impl Row for AccountRow {
    const VERSION: u8 = 1;
}

/// The account of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedAccount(pub AccountId);

impl Row for KeyedAccount {
    const VERSION: u8 = 1;
}

/// The key's place: its kind as a byte in order of strength, then its text.
fn place(program: &ProgramId, key: &AccountKey) -> Vec<u8> {
    let kind = match key {
        AccountKey::Duns(_) => 1,
        AccountKey::Lei(_) => 2,
        AccountKey::CrmId(_) => 3,
        AccountKey::Domain(_) => 4,
    };
    Key::of(program).byte(kind).text(key.value()).bytes()
}

/// Takes what an event of a deal tells of its account.
pub(super) fn told_by_deal(
    changes: &mut Changes<'_>,
    program: &ProgramId,
    account: Option<&AccountId>,
    event: &Event,
) -> Result<(), FoldError> {
    let customer = match event {
        Event::Registered(registered) | Event::Resubmitted(registered) => Some(&registered.customer),
        Event::Amended(amended) => amended.customer.as_ref().map(|(customer, _)| customer),
        Event::Drafted(_)
        | Event::ConflictDetected { .. }
        | Event::ReviewStarted { .. }
        | Event::ActionRequired { .. }
        | Event::Approved { .. }
        | Event::Rejected { .. }
        | Event::MarkedDuplicate { .. }
        | Event::ProtectionExtended { .. }
        | Event::ProtectionExpired { .. }
        | Event::Withdrawn { .. }
        | Event::Revoked { .. }
        | Event::Reassigned { .. }
        | Event::StageChanged { .. }
        | Event::Won { .. }
        | Event::Lost { .. }
        | Event::Reopened { .. } => None,
    };
    match (customer, account) {
        (Some(customer), Some(account)) => told(changes, program, account, customer),
        _ => Ok(()),
    }
}

/// Takes what was told of an account. As on the write side, a key that belongs to another account stays there, and a second
/// key of a kind is not taken.
pub(super) fn told(
    changes: &mut Changes<'_>,
    program: &ProgramId,
    account: &AccountId,
    customer: &Customer,
) -> Result<(), FoldError> {
    let account_key = Key::of(program).text(account.as_str()).bytes();
    let mut row = changes.take(&ACCOUNTS, &account_key)?.unwrap_or_default();
    for key in &customer.keys {
        let same_kind = |known: &AccountKey| std::mem::discriminant(known) == std::mem::discriminant(key);
        let place = place(program, key);
        let is_free = !row.keys.iter().any(same_kind) && changes.get(&ACCOUNT_KEYS, &place)?.is_none();
        if is_free {
            changes.put(&ACCOUNT_KEYS, place, KeyedAccount(account.clone()));
            row.keys.push(key.clone());
        }
    }
    row.keys.sort_unstable();
    if row.name.is_empty() {
        row.name.clone_from(&customer.name);
    }
    if row.country.is_none() {
        row.country.clone_from(&customer.country);
    }
    changes.put(&ACCOUNTS, account_key, row);
    Ok(())
}

/// Remembers that a partner has a deal on an account.
pub(super) fn claimed_by(
    changes: &mut Changes<'_>,
    program: &ProgramId,
    account: &AccountId,
    partner: &PartnerId,
) -> Result<(), FoldError> {
    let key = Key::of(program).text(account.as_str());
    let known = changes.get(&ACCOUNTS, key.as_slice())?.is_none_or(|row| row.partners.contains(partner));
    if let (false, Some(row)) = (known, changes.edit(&ACCOUNTS, key.as_slice())?) {
        row.partners.push(partner.clone());
        row.partners.sort_unstable();
    }
    Ok(())
}

/// A deal as this view has it.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn deal_of(rows: &dyn Rows, program: &ProgramId, deal: &DealId) -> Result<Option<ClaimDeal>, RowError> {
    CLAIM_DEALS.get(rows, &crate::deals::key(program, deal))
}

/// The accounts that keys belong to, that of the strongest key first, each once.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn accounts_of(rows: &dyn Rows, program: &ProgramId, keys: &[AccountKey]) -> Result<Vec<AccountId>, RowError> {
    let mut keys: Vec<_> = keys.iter().collect();
    keys.sort_unstable();
    let mut found = Vec::new();
    for key in keys {
        if let Some(KeyedAccount(account)) = ACCOUNT_KEYS.get(rows, &place(program, key))?
            && !found.contains(&account)
        {
            found.push(account);
        }
    }
    Ok(found)
}
