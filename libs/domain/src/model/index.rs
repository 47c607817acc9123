//! What rules over several aggregates look things up by. Every index is a pure function of the rows.

use std::collections::BTreeSet;

use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId};
use rustc_hash::FxHashMap;

use super::KnownAccount;
use super::account::{Block, KeyKinds};
use super::sorted::Sorted;
use crate::account::AccountKey;
use crate::deal::{Basis, Deal, DealState, ProtectionState};
use crate::opportunity::Opportunity;
use crate::time::Timestamp;

/// A program's indexes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Index {
    /// Deals that hold protection, by account.
    holding: Sorted<AccountId, DealId>,
    /// Ends of the windows that run on the log's clock.
    due_recorded: BTreeSet<(Timestamp, DealId)>,
    /// Ends of the windows that run on the world's clock.
    due_occurred: BTreeSet<(Timestamp, DealId)>,
    /// How many open registrations each partner has.
    open_registrations: FxHashMap<PartnerId, u32>,
    /// A partner's open registrations on an account.
    own: Sorted<(PartnerId, AccountId), DealId>,
    /// Deals won, by account.
    won: Sorted<AccountId, DealId>,
    /// The vendor's open opportunities, by account.
    opportunities: Sorted<AccountId, OpportunityId>,
    /// The account a key belongs to.
    by_key: FxHashMap<AccountKey, AccountId>,
    /// Accounts by a block of their name, apart by the kinds of keys they have: an account that has a key of a kind that a
    /// customer gives too is either found by that key or is another one, and need not be looked at.
    by_block: Sorted<(Block, KeyKinds), AccountId>,
}

impl Index {
    pub(crate) fn holding(&self, account: &AccountId) -> &[DealId] {
        self.holding.get(account)
    }

    pub(crate) fn open_registrations(&self, partner: &PartnerId) -> u32 {
        self.open_registrations.get(partner).copied().unwrap_or(0)
    }

    pub(crate) fn own(&self, partner: &PartnerId, account: &AccountId) -> &[DealId] {
        self.own.get(&(partner.clone(), account.clone()))
    }

    pub(crate) fn won(&self, account: &AccountId) -> &[DealId] {
        self.won.get(account)
    }

    pub(crate) fn opportunities(&self, account: &AccountId) -> &[OpportunityId] {
        self.opportunities.get(account)
    }

    pub(crate) fn account_by_key(&self, key: &AccountKey) -> Option<&AccountId> {
        self.by_key.get(key)
    }

    pub(super) fn in_block(&self, block: &Block, kinds: KeyKinds) -> &[AccountId] {
        self.by_block.get(&(block.clone(), kinds))
    }

    pub(super) fn due(&self, basis: Basis) -> &BTreeSet<(Timestamp, DealId)> {
        match basis {
            Basis::Recorded => &self.due_recorded,
            Basis::Occurred => &self.due_occurred,
        }
    }

    pub(super) fn replace_deal(&mut self, old: Option<&Deal>, new: Option<&Deal>) {
        if let Some(deal) = old {
            self.remove_deal(deal);
        }
        if let Some(deal) = new {
            self.insert_deal(deal);
        }
    }

    fn insert_deal(&mut self, deal: &Deal) {
        if deal.state.is_open_registration() {
            *self.open_registrations.entry(deal.partner.clone()).or_default() += 1;
        }
        let Some(account) = &deal.account else { return };
        if let ProtectionState::Held { until, basis, .. } = deal.protection {
            self.holding.insert(account.clone(), deal.id.clone());
            self.due_mut(basis).insert((until, deal.id.clone()));
        }
        if deal.state.is_open_registration() {
            self.own.insert((deal.partner.clone(), account.clone()), deal.id.clone());
        }
        if deal.state == DealState::Won {
            self.won.insert(account.clone(), deal.id.clone());
        }
    }

    fn remove_deal(&mut self, deal: &Deal) {
        if deal.state.is_open_registration() {
            if let Some(count) = self.open_registrations.get_mut(&deal.partner) {
                *count -= 1;
                if *count == 0 {
                    self.open_registrations.remove(&deal.partner);
                }
            }
        }
        let Some(account) = &deal.account else { return };
        if let ProtectionState::Held { until, basis, .. } = deal.protection {
            self.holding.remove(account, &deal.id);
            self.due_mut(basis).remove(&(until, deal.id.clone()));
        }
        if deal.state.is_open_registration() {
            self.own.remove(&(deal.partner.clone(), account.clone()), &deal.id);
        }
        if deal.state == DealState::Won {
            self.won.remove(account, &deal.id);
        }
    }

    fn due_mut(&mut self, basis: Basis) -> &mut BTreeSet<(Timestamp, DealId)> {
        match basis {
            Basis::Recorded => &mut self.due_recorded,
            Basis::Occurred => &mut self.due_occurred,
        }
    }

    pub(super) fn replace_opportunity(&mut self, old: Option<&Opportunity>, new: Option<&Opportunity>) {
        if let Some(opportunity) = old.filter(|opportunity| opportunity.open) {
            self.opportunities.remove(&opportunity.account, &opportunity.id);
        }
        if let Some(opportunity) = new.filter(|opportunity| opportunity.open) {
            self.opportunities.insert(opportunity.account.clone(), opportunity.id.clone());
        }
    }

    pub(super) fn replace_account(&mut self, old: Option<&KnownAccount>, new: Option<&KnownAccount>) {
        if let Some(known) = old {
            for key in &known.account.keys {
                self.by_key.remove(key);
            }
            for block in known.blocks() {
                self.by_block.remove(&(block, known.kinds()), &known.account.id);
            }
        }
        if let Some(known) = new {
            for key in &known.account.keys {
                self.by_key.insert(key.clone(), known.account.id.clone());
            }
            for block in known.blocks() {
                self.by_block.insert((block, known.kinds()), known.account.id.clone());
            }
        }
    }
}
