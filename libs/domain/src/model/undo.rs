//! What takes a folded event back.

use std::sync::Arc;

use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId};

use super::{KnownAccount, Model};
use crate::deal::Deal;
use crate::opportunity::Opportunity;
use crate::partner::Partner;
use crate::program::Program;

/// The rows that an event changed, as they were before it. Undone newest first, they leave the model as it was.
#[derive(Clone, Debug)]
#[must_use = "an effect in flight is lost for good without what takes it back"]
pub struct Undo {
    pub(super) sequence: u64,
    pub(super) row: Before,
    /// The account that the event told something new of, if any.
    pub(super) account: Option<(AccountId, Option<Arc<KnownAccount>>)>,
}

/// A row before an event; `None` where it was not there.
#[derive(Clone, Debug)]
pub(super) enum Before {
    Program(Option<Arc<Program>>),
    Partner(PartnerId, Option<Arc<Partner>>),
    Deal(DealId, Option<Arc<Deal>>),
    Opportunity(OpportunityId, Option<Arc<Opportunity>>),
}

impl Model {
    /// Takes an event back. Of several, the newest first.
    pub fn undo(&mut self, undo: Undo) {
        match undo.row {
            Before::Program(row) => self.program = row,
            Before::Partner(id, row) => {
                self.replace_partner(id, row);
            }
            Before::Deal(id, row) => {
                self.replace_deal(id, row);
            }
            Before::Opportunity(id, row) => {
                self.replace_opportunity(id, row);
            }
        }
        if let Some((id, row)) = undo.account {
            self.replace_account(id, row);
        }
        self.sequence = undo.sequence;
    }
}
