//! A program's aggregates together, with the indexes that rules over several of them need.
//!
//! [`Model::decide`] turns a command into events without changing anything; [`Model::evolve`] folds an event and returns
//! what takes it back ([`Model::undo`]). All are pure and deterministic: the same events give an equal model, indexes
//! included, and an event folded and taken back leaves the model as it was.
//!
//! Rows are shared (`Arc`), so a caller may keep one as it was while the model goes on.

mod account;
mod due;
pub(crate) mod field;
mod fold;
mod index;
mod rows;
mod setting;
mod sorted;
mod undo;

pub(crate) use account::{KnownAccount, Resolution, Search};
pub(crate) use setting::{Setting, check_times, check_version, days_between};
pub use undo::Undo;

use std::sync::Arc;

use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId, ProgramId};
use rustc_hash::FxHashMap;

use crate::account::{Account, AccountKey};
use crate::command::{Command, Context, ProgramCommand};
use crate::deal::{self, Deal};
use crate::event::AnyEvent;
use crate::opportunity::{self, Opportunity};
use crate::partner::{self, Partner};
use crate::program::{self, Program, ProgramState};
use crate::rejection::Rejection;
use index::Index;

/// A program's whole write-side state.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    id: ProgramId,
    /// The sequence of the last event folded; 0 before the first.
    sequence: u64,
    program: Option<Arc<Program>>,
    partners: FxHashMap<PartnerId, Arc<Partner>>,
    deals: FxHashMap<DealId, Arc<Deal>>,
    opportunities: FxHashMap<OpportunityId, Arc<Opportunity>>,
    accounts: FxHashMap<AccountId, Arc<KnownAccount>>,
    index: Index,
}

impl Model {
    /// A program of which nothing is known yet.
    #[must_use]
    pub fn new(id: ProgramId) -> Self {
        Self {
            id,
            sequence: 0,
            program: None,
            partners: FxHashMap::default(),
            deals: FxHashMap::default(),
            opportunities: FxHashMap::default(),
            accounts: FxHashMap::default(),
            index: Index::default(),
        }
    }

    /// The events that a command causes, in order, all of one record. None: what it asks for is so already, which is a
    /// success.
    ///
    /// # Errors
    /// A [`Rejection`] where the command is refused; nothing is to be recorded then.
    pub fn decide(&self, command: &Command, context: &Context) -> Result<Vec<AnyEvent>, Rejection> {
        if let Command::Program(ProgramCommand::Create { display_name, currency, policy }) = command {
            return program::create(self, context, display_name, *currency, policy.as_deref());
        }
        let setting = Setting::new(self, context)?;
        let archives = matches!(command, Command::Program(ProgramCommand::Archive { .. }));
        if setting.program.state == ProgramState::Archived && !archives {
            return Err(Rejection::InvalidTransition {
                kind: "program",
                state: "archived",
                verb: "changed",
                allowed: "it can only be read",
            });
        }
        match command {
            Command::Program(command) => program::decide(&setting, command),
            Command::Partner(id, command) => partner::decide(&setting, id, command),
            Command::Deal(id, command) => deal::decide(&setting, id, command),
            Command::Opportunity(id, command) => opportunity::decide(&setting, id, command),
        }
    }

    /// The program's id.
    #[must_use]
    pub fn id(&self) -> &ProgramId {
        &self.id
    }

    /// The sequence of the last event folded; 0 before the first.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The program, once created.
    #[must_use]
    pub fn program(&self) -> Option<&Arc<Program>> {
        self.program.as_ref()
    }

    /// One partner.
    #[must_use]
    pub fn partner(&self, id: &PartnerId) -> Option<&Arc<Partner>> {
        self.partners.get(id)
    }

    /// One deal.
    #[must_use]
    pub fn deal(&self, id: &DealId) -> Option<&Arc<Deal>> {
        self.deals.get(id)
    }

    /// One of the vendor's opportunities.
    #[must_use]
    pub fn opportunity(&self, id: &OpportunityId) -> Option<&Arc<Opportunity>> {
        self.opportunities.get(id)
    }

    /// One customer account.
    #[must_use]
    pub fn account(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.get(id).map(|known| &known.account)
    }

    /// The account that an identity key belongs to.
    #[must_use]
    pub fn account_by_key(&self, key: &AccountKey) -> Option<&AccountId> {
        self.index.account_by_key(key)
    }

    /// The deals that hold protection on an account, by id. At most one of them for any overlapping scope.
    pub fn protections(&self, account: &AccountId) -> impl Iterator<Item = &Arc<Deal>> {
        self.index.holding(account).iter().filter_map(|id| self.deals.get(id))
    }

    /// Every partner, in no particular order.
    pub fn partners(&self) -> impl ExactSizeIterator<Item = &Arc<Partner>> {
        self.partners.values()
    }

    /// Every deal, in no particular order.
    pub fn deals(&self) -> impl ExactSizeIterator<Item = &Arc<Deal>> {
        self.deals.values()
    }

    /// Every opportunity of the vendor, in no particular order.
    pub fn opportunities(&self) -> impl ExactSizeIterator<Item = &Arc<Opportunity>> {
        self.opportunities.values()
    }

    /// Every customer account, in no particular order.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = &Account> {
        self.accounts.values().map(|known| &known.account)
    }

    pub(crate) fn known_account(&self, id: &AccountId) -> Option<&KnownAccount> {
        self.accounts.get(id).map(Arc::as_ref)
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }
}
