//! What of a deal its account's history needs.

use pactum_domain::deal::{self, Basis, Event, ProtectionState, Scope};
use pactum_domain::event::Moment;
use pactum_ids::{AccountId, PartnerId};
use serde::{Deserialize, Serialize};

use crate::table::Row;

/// A deal as far as it claims an account. The whole of it is in the view of deals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDeal {
    /// Whose it is.
    pub partner: PartnerId,
    /// The account, once registered.
    pub account: Option<AccountId>,
    /// What it covers.
    pub scope: Scope,
    /// Its protection.
    pub protection: ProtectionState,
    /// The clock its windows run on.
    pub basis: Basis,
}

impl Row for ClaimDeal {
    const VERSION: u8 = 2;
}

impl ClaimDeal {
    /// A deal before its first event; `None` where no deal begins with it.
    pub(super) fn begin(event: &Event) -> Option<Self> {
        let partner = match event {
            Event::Drafted(drafted) => &drafted.partner,
            Event::Registered(registered) => &registered.partner,
            _ => return None,
        };
        Some(Self {
            partner: partner.clone(),
            account: None,
            scope: Scope::default(),
            protection: ProtectionState::None,
            basis: Basis::Recorded,
        })
    }

    /// What an event makes of it: the same as of the whole deal.
    pub(super) fn advance(&mut self, event: &Event, moment: Moment) {
        deal::protect(&mut self.protection, self.basis, event, moment);
        match event {
            Event::Drafted(drafted) => self.scope.clone_from(&drafted.scope),
            Event::Registered(registered) | Event::Resubmitted(registered) => {
                self.account = Some(registered.account.clone());
                self.scope.clone_from(&registered.scope);
                self.basis = registered.basis;
            }
            Event::Amended(amended) => {
                if let Some((_, account)) = &amended.customer {
                    self.account.clone_from(account);
                }
                if let Some(scope) = &amended.scope {
                    self.scope.clone_from(scope);
                }
            }
            Event::Reassigned { to, .. } => self.partner = to.clone(),
            Event::ConflictDetected { .. }
            | Event::ReviewStarted { .. }
            | Event::ActionRequired { .. }
            | Event::Approved { .. }
            | Event::Rejected { .. }
            | Event::MarkedDuplicate { .. }
            | Event::ProtectionExtended { .. }
            | Event::ProtectionExpired { .. }
            | Event::Withdrawn { .. }
            | Event::Revoked { .. }
            | Event::StageChanged { .. }
            | Event::Won { .. }
            | Event::Lost { .. }
            | Event::Reopened { .. } => {}
        }
    }
}
