//! What an event makes of a vendor's opportunity.

use pactum_ids::OpportunityId;

use super::{Event, Opportunity};
use crate::event::EvolveError;

/// The opportunity after an event, from the one before it; `None` before its first.
///
/// # Errors
/// [`EvolveError`] where an opportunity that was never opened is closed, or one that is there is opened again.
pub fn evolve(before: Option<&Opportunity>, id: &OpportunityId, event: &Event) -> Result<Opportunity, EvolveError> {
    match (event, before) {
        (Event::Opened { account, scope, .. }, None) => {
            let (account, scope) = (account.clone(), scope.clone());
            Ok(Opportunity { id: id.clone(), version: 1, account, scope, open: true })
        }
        (Event::Closed { .. }, Some(before)) => {
            Ok(Opportunity { version: before.version + 1, open: false, ..before.clone() })
        }
        (Event::Opened { .. }, Some(_)) => Err(EvolveError::Twice { kind: "opportunity", id: id.as_str().into() }),
        (Event::Closed { .. }, None) => Err(EvolveError::Unknown { kind: "opportunity", id: id.as_str().into() }),
    }
}
