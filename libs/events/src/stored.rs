//! The stored form of every version of every event that ever shipped.
//!
//! The order of [`Stored`]'s variants is the format: a variant is appended at the end and never edited, moved or removed.
//! Where a domain type that a variant holds is to change, its old shape is first copied here under its version, and
//! [`Stored::upcast`] turns it into the new one.

use std::borrow::Cow;

use pactum_domain::deal::event::{Amended, Drafted, Registered};
use pactum_domain::deal::{Conflict, Decision, Grant, Scope};
use pactum_domain::event::AnyEvent;
use pactum_domain::money::{Currency, Money};
use pactum_domain::partner::{Enrolled, Profile, ProfileUpdated};
use pactum_domain::time::{Date, Timestamp};
use pactum_domain::{account, deal, opportunity, partner, program};
use pactum_ids::{AccountId, DealId, ImportId, OpportunityId, PartnerId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

macro_rules! stored {
    ($(#[$meta:meta])* $visibility:vis enum $name:ident<$lifetime:lifetime> { $($variant:ident $fields:tt,)* }) => {
        $(#[$meta])*
        $visibility enum $name<$lifetime> { $($variant $fields,)* }

        /// The name of every variant, by its number.
        pub(crate) const VARIANTS: &[&str] = &[$(stringify!($variant)),*];
    };
}

type Text<'a> = Cow<'a, str>;
type Decided<'a> = Cow<'a, Decision>;

stored! {
    /// An event as bytes. Borrows when writing, owns when read.
    #[derive(Debug, Serialize, Deserialize)]
    pub(crate) enum Stored<'a> {
        ProgramCreatedV1 { display_name: Text<'a>, currency: Currency },
        PolicyPublishedV1 { version: u32, effective_from: Timestamp, document: Text<'a> },
        HistoryImportStartedV1 { import: ImportId, source: Text<'a> },
        HistoryImportCompletedV1 { import: ImportId },
        ProgramArchivedV1 { reason: Text<'a> },
        PartnerAppliedV1 { partner: PartnerId, profile: Cow<'a, Profile> },
        PartnerApprovedV1 { partner: PartnerId, note: Text<'a> },
        PartnerRejectedV1 { partner: PartnerId, reason: Text<'a> },
        PartnerEnrolledV1 { partner: PartnerId, enrolled: Cow<'a, Enrolled> },
        PartnerProfileUpdatedV1 { partner: PartnerId, updated: Cow<'a, ProfileUpdated> },
        PartnerActivatedV1 { partner: PartnerId },
        PartnerSuspendedV1 { partner: PartnerId, reason: Text<'a> },
        PartnerReinstatedV1 { partner: PartnerId, reason: Text<'a> },
        PartnerTerminatedV1 { partner: PartnerId, reason: Text<'a> },
        PartnerManagerAssignedV1 { partner: PartnerId, manager: SmolStr },
        DealDraftedV1 { deal: DealId, drafted: Cow<'a, Drafted> },
        DealRegisteredV1 { deal: DealId, registered: Cow<'a, Registered> },
        DealConflictDetectedV1 { deal: DealId, conflicts: Cow<'a, [Conflict]> },
        DealReviewStartedV1 { deal: DealId, due: Timestamp },
        DealActionRequiredV1 { deal: DealId, message: Text<'a> },
        DealResubmittedV1 { deal: DealId, registered: Cow<'a, Registered> },
        DealApprovedV1 { deal: DealId, decision: Decided<'a>, grant: Cow<'a, Grant> },
        DealRejectedV1 { deal: DealId, decision: Decided<'a> },
        DealMarkedDuplicateV1 { deal: DealId, of: DealId, decision: Decided<'a> },
        DealProtectionExtendedV1 { deal: DealId, until: Timestamp, reason: Text<'a>, evidence: Cow<'a, [u64]> },
        DealProtectionExpiredV1 { deal: DealId, until: Timestamp, deal_expired: bool },
        DealWithdrawnV1 { deal: DealId, reason: Text<'a> },
        DealRevokedV1 { deal: DealId, decision: Decided<'a> },
        DealReassignedV1 { deal: DealId, from: PartnerId, to: PartnerId, evidence: Cow<'a, [u64]>, decision: Decided<'a> },
        DealStageChangedV1 { deal: DealId, from: SmolStr, to: SmolStr },
        DealAmendedV1 { deal: DealId, amended: Cow<'a, Amended> },
        DealWonV1 { deal: DealId, amount: Money, closed_on: Date },
        DealLostV1 { deal: DealId, reason: Text<'a>, closed_on: Date },
        DealReopenedV1 { deal: DealId, reason: Text<'a> },
        VendorOpportunityOpenedV1 {
            opportunity: OpportunityId,
            account: AccountId,
            customer: Cow<'a, account::Customer>,
            scope: Cow<'a, Scope>,
        },
        VendorOpportunityClosedV1 { opportunity: OpportunityId, reason: Text<'a> },
    }
}

impl<'a> Stored<'a> {
    /// The form in which an event is written today.
    pub(crate) fn of(event: &'a AnyEvent) -> Self {
        match event {
            AnyEvent::Program(event) => Self::of_program(event),
            AnyEvent::Partner(id, event) => Self::of_partner(id.clone(), event),
            AnyEvent::Deal(id, event) => Self::of_deal(id.clone(), event),
            AnyEvent::Opportunity(id, event) => Self::of_opportunity(id.clone(), event),
        }
    }

    fn of_program(event: &'a program::Event) -> Self {
        use program::Event;
        match event {
            Event::Created { display_name, currency } => {
                Self::ProgramCreatedV1 { display_name: display_name.into(), currency: *currency }
            }
            Event::PolicyPublished { version, effective_from, document } => Self::PolicyPublishedV1 {
                version: *version,
                effective_from: *effective_from,
                document: document.into(),
            },
            Event::HistoryImportStarted { import, source } => {
                Self::HistoryImportStartedV1 { import: import.clone(), source: source.into() }
            }
            Event::HistoryImportCompleted { import } => Self::HistoryImportCompletedV1 { import: import.clone() },
            Event::Archived { reason } => Self::ProgramArchivedV1 { reason: reason.into() },
        }
    }

    fn of_partner(partner: PartnerId, event: &'a partner::Event) -> Self {
        use partner::Event;
        match event {
            Event::Applied(profile) => Self::PartnerAppliedV1 { partner, profile: Cow::Borrowed(profile) },
            Event::Approved { note } => Self::PartnerApprovedV1 { partner, note: note.into() },
            Event::Rejected { reason } => Self::PartnerRejectedV1 { partner, reason: reason.into() },
            Event::Enrolled(enrolled) => Self::PartnerEnrolledV1 { partner, enrolled: Cow::Borrowed(enrolled) },
            Event::ProfileUpdated(updated) => {
                Self::PartnerProfileUpdatedV1 { partner, updated: Cow::Borrowed(updated) }
            }
            Event::Activated => Self::PartnerActivatedV1 { partner },
            Event::Suspended { reason } => Self::PartnerSuspendedV1 { partner, reason: reason.into() },
            Event::Reinstated { reason } => Self::PartnerReinstatedV1 { partner, reason: reason.into() },
            Event::Terminated { reason } => Self::PartnerTerminatedV1 { partner, reason: reason.into() },
            Event::ManagerAssigned { manager } => Self::PartnerManagerAssignedV1 { partner, manager: manager.clone() },
        }
    }

    fn of_deal(deal: DealId, event: &'a deal::Event) -> Self {
        use deal::Event;
        match event {
            Event::Drafted(drafted) => Self::DealDraftedV1 { deal, drafted: Cow::Borrowed(drafted) },
            Event::Registered(registered) => Self::DealRegisteredV1 { deal, registered: Cow::Borrowed(registered) },
            Event::ConflictDetected { conflicts } => {
                Self::DealConflictDetectedV1 { deal, conflicts: Cow::Borrowed(conflicts) }
            }
            Event::ReviewStarted { due } => Self::DealReviewStartedV1 { deal, due: *due },
            Event::ActionRequired { message } => Self::DealActionRequiredV1 { deal, message: message.into() },
            Event::Resubmitted(registered) => Self::DealResubmittedV1 { deal, registered: Cow::Borrowed(registered) },
            Event::Approved { decision, grant } => {
                Self::DealApprovedV1 { deal, decision: Cow::Borrowed(decision), grant: Cow::Borrowed(grant) }
            }
            Event::Rejected { decision } => Self::DealRejectedV1 { deal, decision: Cow::Borrowed(decision) },
            Event::MarkedDuplicate { of, decision } => {
                Self::DealMarkedDuplicateV1 { deal, of: of.clone(), decision: Cow::Borrowed(decision) }
            }
            Event::ProtectionExtended { until, reason, evidence } => Self::DealProtectionExtendedV1 {
                deal,
                until: *until,
                reason: reason.into(),
                evidence: Cow::Borrowed(evidence),
            },
            Event::ProtectionExpired { until, deal_expired } => {
                Self::DealProtectionExpiredV1 { deal, until: *until, deal_expired: *deal_expired }
            }
            Event::Withdrawn { reason } => Self::DealWithdrawnV1 { deal, reason: reason.into() },
            Event::Revoked { decision } => Self::DealRevokedV1 { deal, decision: Cow::Borrowed(decision) },
            Event::Reassigned { from, to, evidence, decision } => Self::DealReassignedV1 {
                deal,
                from: from.clone(),
                to: to.clone(),
                evidence: Cow::Borrowed(evidence),
                decision: Cow::Borrowed(decision),
            },
            Event::StageChanged { from, to } => Self::DealStageChangedV1 { deal, from: from.clone(), to: to.clone() },
            Event::Amended(amended) => Self::DealAmendedV1 { deal, amended: Cow::Borrowed(amended) },
            Event::Won { amount, closed_on } => Self::DealWonV1 { deal, amount: *amount, closed_on: *closed_on },
            Event::Lost { reason, closed_on } => {
                Self::DealLostV1 { deal, reason: reason.into(), closed_on: *closed_on }
            }
            Event::Reopened { reason } => Self::DealReopenedV1 { deal, reason: reason.into() },
        }
    }

    fn of_opportunity(opportunity: OpportunityId, event: &'a opportunity::Event) -> Self {
        use opportunity::Event;
        match event {
            Event::Opened { account, customer, scope } => Self::VendorOpportunityOpenedV1 {
                opportunity,
                account: account.clone(),
                customer: Cow::Borrowed(customer),
                scope: Cow::Borrowed(scope),
            },
            Event::Closed { reason } => Self::VendorOpportunityClosedV1 { opportunity, reason: reason.into() },
        }
    }

    /// The event as the domain knows it today, from whatever version was stored.
    pub(crate) fn upcast(self) -> AnyEvent {
        use deal::Event as D;
        use opportunity::Event as O;
        use partner::Event as P;
        use program::Event as G;
        let program = AnyEvent::Program;
        let of_partner = AnyEvent::Partner;
        let of_deal = AnyEvent::Deal;
        match self {
            Self::ProgramCreatedV1 { display_name, currency } => {
                program(G::Created { display_name: display_name.into_owned(), currency })
            }
            Self::PolicyPublishedV1 { version, effective_from, document } => {
                program(G::PolicyPublished { version, effective_from, document: document.into_owned() })
            }
            Self::HistoryImportStartedV1 { import, source } => {
                program(G::HistoryImportStarted { import, source: source.into_owned() })
            }
            Self::HistoryImportCompletedV1 { import } => program(G::HistoryImportCompleted { import }),
            Self::ProgramArchivedV1 { reason } => program(G::Archived { reason: reason.into_owned() }),
            Self::PartnerAppliedV1 { partner, profile } => of_partner(partner, P::Applied(profile.into_owned())),
            Self::PartnerApprovedV1 { partner, note } => of_partner(partner, P::Approved { note: note.into_owned() }),
            Self::PartnerRejectedV1 { partner, reason } => {
                of_partner(partner, P::Rejected { reason: reason.into_owned() })
            }
            Self::PartnerEnrolledV1 { partner, enrolled } => of_partner(partner, P::Enrolled(enrolled.into_owned())),
            Self::PartnerProfileUpdatedV1 { partner, updated } => {
                of_partner(partner, P::ProfileUpdated(updated.into_owned()))
            }
            Self::PartnerActivatedV1 { partner } => of_partner(partner, P::Activated),
            Self::PartnerSuspendedV1 { partner, reason } => {
                of_partner(partner, P::Suspended { reason: reason.into_owned() })
            }
            Self::PartnerReinstatedV1 { partner, reason } => {
                of_partner(partner, P::Reinstated { reason: reason.into_owned() })
            }
            Self::PartnerTerminatedV1 { partner, reason } => {
                of_partner(partner, P::Terminated { reason: reason.into_owned() })
            }
            Self::PartnerManagerAssignedV1 { partner, manager } => of_partner(partner, P::ManagerAssigned { manager }),
            Self::DealDraftedV1 { deal, drafted } => of_deal(deal, D::Drafted(drafted.into_owned())),
            Self::DealRegisteredV1 { deal, registered } => of_deal(deal, D::Registered(registered.into_owned())),
            Self::DealConflictDetectedV1 { deal, conflicts } => {
                of_deal(deal, D::ConflictDetected { conflicts: conflicts.into_owned() })
            }
            Self::DealReviewStartedV1 { deal, due } => of_deal(deal, D::ReviewStarted { due }),
            Self::DealActionRequiredV1 { deal, message } => {
                of_deal(deal, D::ActionRequired { message: message.into_owned() })
            }
            Self::DealResubmittedV1 { deal, registered } => of_deal(deal, D::Resubmitted(registered.into_owned())),
            Self::DealApprovedV1 { deal, decision, grant } => {
                of_deal(deal, D::Approved { decision: decision.into_owned(), grant: grant.into_owned() })
            }
            Self::DealRejectedV1 { deal, decision } => of_deal(deal, D::Rejected { decision: decision.into_owned() }),
            Self::DealMarkedDuplicateV1 { deal, of, decision } => {
                of_deal(deal, D::MarkedDuplicate { of, decision: decision.into_owned() })
            }
            Self::DealProtectionExtendedV1 { deal, until, reason, evidence } => of_deal(
                deal,
                D::ProtectionExtended { until, reason: reason.into_owned(), evidence: evidence.into_owned() },
            ),
            Self::DealProtectionExpiredV1 { deal, until, deal_expired } => {
                of_deal(deal, D::ProtectionExpired { until, deal_expired })
            }
            Self::DealWithdrawnV1 { deal, reason } => of_deal(deal, D::Withdrawn { reason: reason.into_owned() }),
            Self::DealRevokedV1 { deal, decision } => of_deal(deal, D::Revoked { decision: decision.into_owned() }),
            Self::DealReassignedV1 { deal, from, to, evidence, decision } => of_deal(
                deal,
                D::Reassigned { from, to, evidence: evidence.into_owned(), decision: decision.into_owned() },
            ),
            Self::DealStageChangedV1 { deal, from, to } => of_deal(deal, D::StageChanged { from, to }),
            Self::DealAmendedV1 { deal, amended } => of_deal(deal, D::Amended(amended.into_owned())),
            Self::DealWonV1 { deal, amount, closed_on } => of_deal(deal, D::Won { amount, closed_on }),
            Self::DealLostV1 { deal, reason, closed_on } => {
                of_deal(deal, D::Lost { reason: reason.into_owned(), closed_on })
            }
            Self::DealReopenedV1 { deal, reason } => of_deal(deal, D::Reopened { reason: reason.into_owned() }),
            Self::VendorOpportunityOpenedV1 { opportunity, account, customer, scope } => AnyEvent::Opportunity(
                opportunity,
                O::Opened { account, customer: customer.into_owned(), scope: scope.into_owned() },
            ),
            Self::VendorOpportunityClosedV1 { opportunity, reason } => {
                AnyEvent::Opportunity(opportunity, O::Closed { reason: reason.into_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests;
