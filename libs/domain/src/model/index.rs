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
    /// How many accounts have just these kinds of keys.
    kinds: [u32; 16],
}

/// Where a deal is found in the indexes.
#[derive(Default)]
struct Places<'a> {
    open: Option<&'a PartnerId>,
    own: Option<(&'a PartnerId, &'a AccountId)>,
    holding: Option<&'a AccountId>,
    due: Option<(Timestamp, Basis)>,
    won: Option<&'a AccountId>,
}

impl<'a> Places<'a> {
    fn of(deal: &'a Deal) -> Self {
        let account = deal.account.as_ref();
        let open = deal.state.is_open_registration().then_some(&deal.partner);
        let due = match deal.protection {
            ProtectionState::Held { until, basis, .. } => Some((until, basis)),
            ProtectionState::None | ProtectionState::Under { .. } | ProtectionState::Ended { .. } => None,
        };
        Self {
            open,
            own: open.zip(account),
            holding: account.filter(|_| due.is_some()),
            due: due.filter(|_| account.is_some()),
            won: account.filter(|_| deal.state == DealState::Won),
        }
    }
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

    pub(super) fn in_block(&self, block: Block, kinds: KeyKinds) -> &[AccountId] {
        self.by_block.get(&(block, kinds))
    }

    /// Whether there are accounts that have just these kinds of keys.
    pub(super) fn has_kinds(&self, kinds: KeyKinds) -> bool {
        self.kinds[usize::from(kinds)] > 0
    }

    pub(super) fn due(&self, basis: Basis) -> &BTreeSet<(Timestamp, DealId)> {
        match basis {
            Basis::Recorded => &self.due_recorded,
            Basis::Occurred => &self.due_occurred,
        }
    }

    /// Most events move a deal in few indexes or in none; the others are left alone.
    pub(super) fn replace_deal(&mut self, old: Option<&Deal>, new: Option<&Deal>) {
        let Some(id) = new.or(old).map(|deal| &deal.id) else { return };
        let (from, to) = (old.map(Places::of).unwrap_or_default(), new.map(Places::of).unwrap_or_default());
        if from.open != to.open {
            from.open.inspect(|partner| self.count_down(partner));
            to.open.inspect(|partner| *self.open_registrations.entry((*partner).clone()).or_default() += 1);
        }
        if from.own != to.own {
            let key = |(partner, account): (&PartnerId, &AccountId)| (partner.clone(), account.clone());
            from.own.map(key).inspect(|key| self.own.remove(key, id));
            to.own.map(key).into_iter().for_each(|key| self.own.insert(key, id.clone()));
        }
        if from.holding != to.holding {
            from.holding.inspect(|account| self.holding.remove(account, id));
            to.holding.inspect(|account| self.holding.insert((*account).clone(), id.clone()));
        }
        if from.due != to.due {
            from.due.inspect(|(until, basis)| {
                self.due_mut(*basis).remove(&(*until, id.clone()));
            });
            to.due.inspect(|(until, basis)| {
                self.due_mut(*basis).insert((*until, id.clone()));
            });
        }
        if from.won != to.won {
            from.won.inspect(|account| self.won.remove(account, id));
            to.won.inspect(|account| self.won.insert((*account).clone(), id.clone()));
        }
    }

    fn count_down(&mut self, partner: &PartnerId) {
        let Some(count) = self.open_registrations.get_mut(partner) else { return };
        *count -= 1;
        if *count == 0 {
            self.open_registrations.remove(partner);
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
            self.kinds[usize::from(known.kinds())] -= 1;
            for block in known.blocks() {
                self.by_block.remove(&(block, known.kinds()), &known.account.id);
            }
        }
        if let Some(known) = new {
            for key in &known.account.keys {
                self.by_key.insert(key.clone(), known.account.id.clone());
            }
            self.kinds[usize::from(known.kinds())] += 1;
            for block in known.blocks() {
                self.by_block.insert((block, known.kinds()), known.account.id.clone());
            }
        }
    }
}
