//! The only places where a row changes, and with it every index.

use std::hash::Hash;
use std::sync::Arc;

use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId};
use rustc_hash::FxHashMap;

use super::{KnownAccount, Model};
use crate::deal::Deal;
use crate::opportunity::Opportunity;
use crate::partner::Partner;

impl Model {
    pub(super) fn replace_partner(&mut self, id: PartnerId, new: Option<Arc<Partner>>) -> Option<Arc<Partner>> {
        replace(&mut self.partners, id, new)
    }

    pub(super) fn replace_deal(&mut self, id: DealId, new: Option<Arc<Deal>>) -> Option<Arc<Deal>> {
        let old = replace(&mut self.deals, id, new.clone());
        self.index.replace_deal(old.as_deref(), new.as_deref());
        old
    }

    pub(super) fn replace_opportunity(
        &mut self,
        id: OpportunityId,
        new: Option<Arc<Opportunity>>,
    ) -> Option<Arc<Opportunity>> {
        let old = replace(&mut self.opportunities, id, new.clone());
        self.index.replace_opportunity(old.as_deref(), new.as_deref());
        old
    }

    pub(super) fn replace_account(
        &mut self,
        id: AccountId,
        new: Option<Arc<KnownAccount>>,
    ) -> Option<Arc<KnownAccount>> {
        let old = replace(&mut self.accounts, id, new.clone());
        self.index.replace_account(old.as_deref(), new.as_deref());
        old
    }
}

fn replace<K: Hash + Eq, V>(rows: &mut FxHashMap<K, V>, id: K, new: Option<V>) -> Option<V> {
    match new {
        Some(row) => rows.insert(id, row),
        None => rows.remove(&id),
    }
}
