//! Folding an event into the model.

use std::sync::Arc;

use pactum_ids::AccountId;

use super::undo::Before;
use super::{Model, Undo};
use crate::account::Customer;
use crate::event::{AnyEvent, EvolveError, Moment};
use crate::{deal, opportunity, partner, program};

impl Model {
    /// Folds an event, and returns what takes it back.
    ///
    /// # Errors
    /// [`EvolveError`] where the event does not follow from what is there; the model is then as it was.
    pub fn evolve(&mut self, event: &AnyEvent, moment: Moment) -> Result<Undo, EvolveError> {
        let row = match event {
            AnyEvent::Program(event) => {
                let new = program::evolve(self.program.as_deref(), &self.id, event)?;
                Before::Program(self.program.replace(Arc::new(new)))
            }
            AnyEvent::Partner(id, event) => {
                let new = partner::evolve(self.partner(id).map(Arc::as_ref), id, event)?;
                Before::Partner(id.clone(), self.replace_partner(id.clone(), Some(Arc::new(new))))
            }
            AnyEvent::Deal(id, event) => {
                let new = deal::evolve(self.deal(id).map(Arc::as_ref), id, event, moment)?;
                Before::Deal(id.clone(), self.replace_deal(id.clone(), Some(Arc::new(new))))
            }
            AnyEvent::Opportunity(id, event) => {
                let new = opportunity::evolve(self.opportunity(id).map(Arc::as_ref), id, event)?;
                Before::Opportunity(id.clone(), self.replace_opportunity(id.clone(), Some(Arc::new(new))))
            }
        };
        let account = told(event).and_then(|(id, customer)| {
            let new = self.account_after(id, customer)?;
            Some((id.clone(), self.replace_account(id.clone(), Some(new))))
        });
        let sequence = std::mem::replace(&mut self.sequence, moment.sequence);
        Ok(Undo { sequence, row, account })
    }
}

/// The account that an event tells of, and what it tells.
fn told(event: &AnyEvent) -> Option<(&AccountId, &Customer)> {
    use deal::Event as Deal;
    match event {
        AnyEvent::Deal(_, Deal::Registered(registered) | Deal::Resubmitted(registered)) => {
            Some((&registered.account, &registered.customer))
        }
        AnyEvent::Deal(_, Deal::Amended(amended)) => {
            let (customer, account) = amended.customer.as_ref()?;
            Some((account.as_ref()?, customer))
        }
        AnyEvent::Opportunity(_, opportunity::Event::Opened { account, customer, .. }) => Some((account, customer)),
        AnyEvent::Deal(
            _,
            Deal::Drafted(_)
            | Deal::ConflictDetected { .. }
            | Deal::ReviewStarted { .. }
            | Deal::ActionRequired { .. }
            | Deal::Approved { .. }
            | Deal::Rejected { .. }
            | Deal::MarkedDuplicate { .. }
            | Deal::ProtectionExtended { .. }
            | Deal::ProtectionExpired { .. }
            | Deal::Withdrawn { .. }
            | Deal::Revoked { .. }
            | Deal::Reassigned { .. }
            | Deal::StageChanged { .. }
            | Deal::Won { .. }
            | Deal::Lost { .. }
            | Deal::Reopened { .. },
        )
        | AnyEvent::Opportunity(_, opportunity::Event::Closed { .. })
        | AnyEvent::Program(_)
        | AnyEvent::Partner(..) => None,
    }
}
