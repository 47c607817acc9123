//! One step in the history of who claims an account.

use pactum_domain::actor::Actor;
use pactum_domain::deal::{Conflict, Decision, Event, ProtectionState, Scope};
use pactum_domain::event::Moment;
use pactum_domain::money::Money;
use pactum_domain::opportunity;
use pactum_domain::time::Timestamp;
use pactum_ids::{DealId, OpportunityId, PartnerId, RequestId};
use serde::{Deserialize, Serialize};

use crate::table::Row;
use crate::view::Folded;

/// What happened, with what only this kind of step has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The partner registered a deal.
    Registered {
        /// What it covers.
        scope: Scope,
        /// The amount expected.
        amount: Option<Money>,
    },
    /// Conflicts were found.
    ConflictDetected {
        /// Ranked, gravest first.
        conflicts: Vec<Conflict>,
    },
    /// A reviewer has it.
    ReviewStarted,
    /// The reviewer asked for something.
    ActionRequired {
        /// What.
        message: String,
    },
    /// The partner answered.
    Resubmitted {
        /// What it covers.
        scope: Scope,
        /// The amount expected.
        amount: Option<Money>,
    },
    /// Approved.
    Approved(Decision),
    /// Refused.
    Rejected(Decision),
    /// The same business as another deal.
    MarkedDuplicate {
        /// The deal that stays.
        of: DealId,
        /// Why.
        decision: Decision,
    },
    /// The window was prolonged.
    ProtectionExtended {
        /// Why.
        reason: String,
        /// Sequences that support it.
        evidence: Vec<u64>,
    },
    /// The window ran out.
    ProtectionExpired,
    /// Taken back by the partner.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// Approval taken back by the vendor.
    Revoked(Decision),
    /// Given to another partner.
    Reassigned {
        /// Sequences that the decision rests on.
        evidence: Vec<u64>,
        /// Why.
        decision: Decision,
    },
    /// Customer, scope or amount were changed.
    Amended {
        /// What it covers now.
        scope: Option<Scope>,
        /// The amount now, where it was changed.
        amount: Option<Money>,
    },
    /// The customer bought.
    Won {
        /// For how much.
        amount: Money,
    },
    /// The customer did not buy.
    Lost {
        /// Why.
        reason: String,
    },
    /// Opened again.
    Reopened {
        /// Why.
        reason: String,
    },
    /// The vendor works the account itself.
    OpportunityOpened {
        /// Its opportunity.
        opportunity: OpportunityId,
        /// What it covers.
        scope: Scope,
    },
    /// It no longer does.
    OpportunityClosed {
        /// Its opportunity.
        opportunity: OpportunityId,
        /// How it ended.
        reason: String,
    },
}

impl Step {
    /// What an event of a deal means for its account; `None` where it claims nothing and gives nothing up.
    pub(super) fn of_deal(event: &Event) -> Option<Self> {
        Some(match event {
            Event::Drafted(_) | Event::StageChanged { .. } => return None,
            Event::Registered(registered) => {
                Self::Registered { scope: registered.scope.clone(), amount: registered.amount }
            }
            Event::ConflictDetected { conflicts } => Self::ConflictDetected { conflicts: conflicts.clone() },
            Event::ReviewStarted { .. } => Self::ReviewStarted,
            Event::ActionRequired { message } => Self::ActionRequired { message: message.clone() },
            Event::Resubmitted(registered) => {
                Self::Resubmitted { scope: registered.scope.clone(), amount: registered.amount }
            }
            Event::Approved { decision, .. } => Self::Approved(decision.clone()),
            Event::Rejected { decision } => Self::Rejected(decision.clone()),
            Event::MarkedDuplicate { of, decision } => {
                Self::MarkedDuplicate { of: of.clone(), decision: decision.clone() }
            }
            Event::ProtectionExtended { reason, evidence, .. } => {
                Self::ProtectionExtended { reason: reason.clone(), evidence: evidence.clone() }
            }
            Event::ProtectionExpired { .. } => Self::ProtectionExpired,
            Event::Withdrawn { reason } => Self::Withdrawn { reason: reason.clone() },
            Event::Revoked { decision } => Self::Revoked(decision.clone()),
            Event::Reassigned { evidence, decision, .. } => {
                Self::Reassigned { evidence: evidence.clone(), decision: decision.clone() }
            }
            Event::Amended(amended) => {
                let claims = amended.customer.is_some() || amended.scope.is_some() || amended.amount.is_some();
                if !claims {
                    return None;
                }
                Self::Amended { scope: amended.scope.clone(), amount: amended.amount.flatten() }
            }
            Event::Won { amount, .. } => Self::Won { amount: *amount },
            Event::Lost { reason, .. } => Self::Lost { reason: reason.clone() },
            Event::Reopened { reason } => Self::Reopened { reason: reason.clone() },
        })
    }

    /// What an event of a vendor's opportunity means for its account.
    pub(super) fn of_opportunity(id: &OpportunityId, event: &opportunity::Event) -> Self {
        match event {
            opportunity::Event::Opened { scope, .. } => {
                Self::OpportunityOpened { opportunity: id.clone(), scope: scope.clone() }
            }
            opportunity::Event::Closed { reason } => {
                Self::OpportunityClosed { opportunity: id.clone(), reason: reason.clone() }
            }
        }
    }
}

/// A step in the history of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What happened.
    pub step: Step,
    /// The deal; none for the vendor's opportunities.
    pub deal: Option<DealId>,
    /// Whose the deal was after the step; none for the vendor's opportunities.
    pub partner: Option<PartnerId>,
    /// Whose it was before, where the step changed that.
    pub previous_partner: Option<PartnerId>,
    /// The deal's protection after the step, where the step changed it.
    pub protection: Option<ProtectionState>,
    /// When it happened in the world.
    pub occurred_at: Timestamp,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The request it came with.
    pub request: Option<RequestId>,
    /// The policy version in force; 0 where none was.
    pub policy_version: u32,
}

impl Row for Claim {
    const VERSION: u8 = 1;
}

impl Claim {
    pub(super) fn new(folded: &Folded<'_>, moment: Moment, step: Step) -> Self {
        Self {
            step,
            deal: None,
            partner: None,
            previous_partner: None,
            protection: None,
            occurred_at: moment.occurred_at,
            recorded_at: moment.recorded_at,
            actor: folded.record.actor.clone(),
            request: folded.record.request.as_ref().map(|request| request.id.clone()),
            policy_version: folded.record.policy_version,
        }
    }

    pub(super) fn of_deal(
        mut self,
        id: &DealId,
        partner: &PartnerId,
        previous_partner: Option<PartnerId>,
        protection: Option<ProtectionState>,
    ) -> Self {
        self.deal = Some(id.clone());
        self.partner = Some(partner.clone());
        self.previous_partner = previous_partner;
        self.protection = protection;
        self
    }
}
