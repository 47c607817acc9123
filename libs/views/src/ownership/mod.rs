//! Ownership: every claim on a customer account, in the order of the log.
//!
//! | keyspace | key | row |
//! |---|---|---|
//! | `claims` | program, account, sequence | [`Claim`] |
//! | `accounts` | program, account | [`AccountRow`] |
//! | `account_keys` | program, kind of key, key | [`KeyedAccount`] |
//! | `claim_deals` | program, deal | [`ClaimDeal`]: what of a deal its account's history needs |
//! | `claim_opportunities` | program, opportunity | [`OpportunityAccount`] |
//!
//! Nothing is ever taken out of `claims`: a rejected registration is evidence too. A deal whose customer turns out to be
//! another account leaves a step with the old one and begins with a step at the new one.

mod accounts;
mod claim;
mod claim_deal;
pub mod history;

pub use accounts::{AccountRow, KeyedAccount, accounts_of, deal_of};
pub use claim::{Claim, Step};
pub use claim_deal::ClaimDeal;
pub use history::{Current, History, HistoryError, Query, history};

use pactum_domain::deal::{self, ProtectionState};
use pactum_domain::event::{AnyEvent, Moment};
use pactum_domain::opportunity;
use pactum_events::Recorded;
use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId, ProgramId};
use serde::{Deserialize, Serialize};

use crate::changes::Changes;
use crate::key::Key;
use crate::table::{Row, Table};
use crate::view::{FoldError, Folded, View};

/// Every claim on every account.
pub const CLAIMS: Table<Claim> = Table::new("claims");
/// Every account.
pub const ACCOUNTS: Table<AccountRow> = Table::new("accounts");
/// Accounts by their keys.
pub const ACCOUNT_KEYS: Table<KeyedAccount> = Table::new("account_keys");
/// Deals as they stand.
pub const CLAIM_DEALS: Table<ClaimDeal> = Table::new("claim_deals");
/// The accounts of the vendor's opportunities.
pub const CLAIM_OPPORTUNITIES: Table<OpportunityAccount> = Table::new("claim_opportunities");

/// The account of a vendor's opportunity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpportunityAccount(pub AccountId);

impl Row for OpportunityAccount {
    const VERSION: u8 = 1;
}

/// The read model of ownership.
#[derive(Clone, Copy, Debug)]
pub struct Ownership;

impl View for Ownership {
    fn name(&self) -> &'static str {
        "ownership"
    }

    fn version(&self) -> u32 {
        2
    }

    fn keyspaces(&self) -> &'static [&'static str] {
        &[CLAIMS.keyspace, ACCOUNTS.keyspace, ACCOUNT_KEYS.keyspace, CLAIM_DEALS.keyspace, CLAIM_OPPORTUNITIES.keyspace]
    }

    fn only_written(&self) -> &'static [&'static str] {
        &[CLAIMS.keyspace]
    }

    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        moment: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError> {
        match &recorded.event {
            AnyEvent::Deal(id, event) => apply_deal(changes, folded, moment, id, event),
            AnyEvent::Opportunity(id, event) => apply_opportunity(changes, folded, moment, id, event),
            AnyEvent::Program(_) | AnyEvent::Partner(..) => Ok(()),
        }
    }
}

fn apply_deal(
    changes: &mut Changes<'_>,
    folded: &Folded<'_>,
    moment: Moment,
    id: &DealId,
    event: &deal::Event,
) -> Result<(), FoldError> {
    let program = &folded.record.program;
    let key = crate::deals::key(program, id);
    let is_new = changes.get(&CLAIM_DEALS, &key)?.is_none();
    if !is_new && matches!(event, deal::Event::Drafted(_)) {
        return Err(FoldError::Impossible(format!("deal {id} is drafted a second time")));
    }
    let begin = || ClaimDeal::begin(event).ok_or(FoldError::Unknown { kind: "deal", id: id.to_string() });
    let row = changes.edit_or_else(&CLAIM_DEALS, &key, begin)?;
    let old = Standing::of(row);
    row.advance(event, moment);
    let new = Standing::of(row);
    accounts::told_by_deal(changes, program, new.account.as_ref(), event)?;

    // The account it no longer belongs to, where the event moved it.
    let left = old.account.as_ref().filter(|left| Some(*left) != new.account.as_ref());
    let protection = (old.protection != new.protection).then(|| new.protection.clone());
    if let Some(step) = Step::of_deal(event) {
        let partner_before = (old.partner != new.partner).then(|| old.partner.clone());
        let claim = Claim::new(folded, moment, step).of_deal(id, &new.partner, partner_before, protection);
        for account in left.into_iter().chain(&new.account) {
            insert(changes, program, account, moment.sequence, &claim);
        }
    }
    if let Some(left) = left {
        hold(changes, program, left, id, false)?;
    }
    if let Some(account) = &new.account {
        let moved = is_new || old.account != new.account;
        if moved || old.partner != new.partner {
            accounts::claimed_by(changes, program, account, &new.partner)?;
        }
        if moved || old.holds() != new.holds() {
            hold(changes, program, account, id, new.holds())?;
        }
    }
    Ok(())
}

/// What of a deal its account's rows depend on.
struct Standing {
    partner: PartnerId,
    account: Option<AccountId>,
    protection: ProtectionState,
}

impl Standing {
    fn of(deal: &ClaimDeal) -> Self {
        let ClaimDeal { partner, account, protection, .. } = deal;
        Self { partner: partner.clone(), account: account.clone(), protection: protection.clone() }
    }

    fn holds(&self) -> bool {
        matches!(self.protection, ProtectionState::Held { .. })
    }
}

fn apply_opportunity(
    changes: &mut Changes<'_>,
    folded: &Folded<'_>,
    moment: Moment,
    id: &OpportunityId,
    event: &opportunity::Event,
) -> Result<(), FoldError> {
    let program = &folded.record.program;
    let key = Key::of(program).text(id.as_str()).bytes();
    let account = match event {
        opportunity::Event::Opened { account, customer, .. } => {
            accounts::told(changes, program, account, customer)?;
            changes.put(&CLAIM_OPPORTUNITIES, key, OpportunityAccount(account.clone()));
            account.clone()
        }
        opportunity::Event::Closed { .. } => {
            let row = changes.get(&CLAIM_OPPORTUNITIES, &key)?;
            let unknown = || FoldError::Unknown { kind: "opportunity", id: id.to_string() };
            row.ok_or_else(unknown)?.0.clone()
        }
    };
    let claim = Claim::new(folded, moment, Step::of_opportunity(id, event));
    insert(changes, program, &account, moment.sequence, &claim);
    Ok(())
}

/// Keeps the list of deals that hold protection on an account.
fn hold(
    changes: &mut Changes<'_>,
    program: &ProgramId,
    account: &AccountId,
    deal: &DealId,
    held: bool,
) -> Result<(), FoldError> {
    let key = Key::of(program).text(account.as_str());
    let holds = changes.get(&ACCOUNTS, key.as_slice())?.is_some_and(|row| row.holders.contains(deal));
    if holds == held {
        return Ok(());
    }
    if let Some(row) = changes.edit(&ACCOUNTS, key.as_slice())? {
        if held {
            row.holders.push(deal.clone());
            row.holders.sort_unstable();
        } else {
            row.holders.retain(|holder| holder != deal);
        }
    }
    Ok(())
}

fn insert(changes: &mut Changes<'_>, program: &ProgramId, account: &AccountId, sequence: u64, claim: &Claim) {
    let end = Key::end().text(account.as_str()).number(sequence);
    changes.insert(&CLAIMS, Key::of(program).as_slice(), end.as_slice(), claim);
}

/// Whether a partner has, or had, a deal on an account.
pub(crate) fn is_party(row: &AccountRow, partner: &PartnerId) -> bool {
    row.partners.contains(partner)
}
