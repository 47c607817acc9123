//! Deciding a command to a vendor's opportunity.

use pactum_ids::{AccountId, OpportunityId};

use super::Event;
use crate::account::Customer;
use crate::command::OpportunityCommand;
use crate::deal::Scope;
use crate::event::AnyEvent;
use crate::model::field::{self, ScopeFields};
use crate::model::{Search, Setting};
use crate::rejection::Rejection;

const SCOPE: ScopeFields =
    ScopeFields { products: "opportunity.scope.products", territories: "opportunity.scope.territories" };

/// Decides a command to a vendor's opportunity. Partners know nothing of them.
pub(crate) fn decide(
    setting: &Setting<'_>,
    id: &OpportunityId,
    command: &OpportunityCommand,
) -> Result<Vec<AnyEvent>, Rejection> {
    setting.vendor_only()?;
    let event = match command {
        OpportunityCommand::Open { customer, new_account, scope } => open(setting, id, customer, new_account, scope)?,
        OpportunityCommand::Close { reason } => {
            let known = setting.model.opportunity(id);
            let opportunity =
                known.ok_or_else(|| Rejection::NotFound { kind: "opportunity", id: id.as_str().into() })?;
            setting.check_version(opportunity.version)?;
            if !opportunity.open {
                return Ok(Vec::new());
            }
            field::prose("reason", reason)?;
            Event::Closed { reason: reason.clone() }
        }
    };
    Ok(vec![AnyEvent::Opportunity(id.clone(), event)])
}

/// Exact keys say which account it is. A customer known by name alone is a new account: a registration of a similar name then
/// goes to a reviewer.
fn open(
    setting: &Setting<'_>,
    id: &OpportunityId,
    customer: &Customer,
    new_account: &AccountId,
    scope: &Scope,
) -> Result<Event, Rejection> {
    if setting.model.opportunity(id).is_some() {
        return Err(Rejection::AlreadyExists { kind: "opportunity", id: id.as_str().into() });
    }
    setting.check_version(0)?;
    field::customer("opportunity.customer", customer)?;
    let scope = field::scope(&SCOPE, scope, setting.policy()?)?;
    let resolution = setting.model.resolve(&Search { customer, new_account, current: None, similar_from: None });
    if resolution.is_new && setting.model.account(new_account).is_some() {
        return Err(Rejection::AlreadyExists { kind: "account", id: new_account.as_str().into() });
    }
    Ok(Event::Opened { account: resolution.account, customer: customer.clone(), scope })
}
