//! The published names and versions of events.

use pactum_domain::event::AnyEvent;
use pactum_domain::{deal, opportunity, partner, program};

/// The event's published type: `DealRegistered`.
#[must_use]
pub fn event_type(event: &AnyEvent) -> &'static str {
    match event {
        AnyEvent::Program(event) => match event {
            program::Event::Created { .. } => "ProgramCreated",
            program::Event::PolicyPublished { .. } => "PolicyPublished",
            program::Event::HistoryImportStarted { .. } => "HistoryImportStarted",
            program::Event::HistoryImportCompleted { .. } => "HistoryImportCompleted",
            program::Event::Archived { .. } => "ProgramArchived",
        },
        AnyEvent::Partner(_, event) => match event {
            partner::Event::Applied(_) => "PartnerApplied",
            partner::Event::Approved { .. } => "PartnerApproved",
            partner::Event::Rejected { .. } => "PartnerRejected",
            partner::Event::Enrolled(_) => "PartnerEnrolled",
            partner::Event::ProfileUpdated(_) => "PartnerProfileUpdated",
            partner::Event::Activated => "PartnerActivated",
            partner::Event::Suspended { .. } => "PartnerSuspended",
            partner::Event::Reinstated { .. } => "PartnerReinstated",
            partner::Event::Terminated { .. } => "PartnerTerminated",
            partner::Event::ManagerAssigned { .. } => "PartnerManagerAssigned",
        },
        AnyEvent::Deal(_, event) => match event {
            deal::Event::Drafted(_) => "DealDrafted",
            deal::Event::Registered(_) => "DealRegistered",
            deal::Event::ConflictDetected { .. } => "DealConflictDetected",
            deal::Event::ReviewStarted { .. } => "DealReviewStarted",
            deal::Event::ActionRequired { .. } => "DealActionRequired",
            deal::Event::Resubmitted(_) => "DealResubmitted",
            deal::Event::Approved { .. } => "DealApproved",
            deal::Event::Rejected { .. } => "DealRejected",
            deal::Event::MarkedDuplicate { .. } => "DealMarkedDuplicate",
            deal::Event::ProtectionExtended { .. } => "DealProtectionExtended",
            deal::Event::ProtectionExpired { .. } => "DealProtectionExpired",
            deal::Event::Withdrawn { .. } => "DealWithdrawn",
            deal::Event::Revoked { .. } => "DealRevoked",
            deal::Event::Reassigned { .. } => "DealReassigned",
            deal::Event::StageChanged { .. } => "DealStageChanged",
            deal::Event::Amended(_) => "DealAmended",
            deal::Event::Won { .. } => "DealWon",
            deal::Event::Lost { .. } => "DealLost",
            deal::Event::Reopened { .. } => "DealReopened",
        },
        AnyEvent::Opportunity(_, event) => match event {
            opportunity::Event::Opened { .. } => "VendorOpportunityOpened",
            opportunity::Event::Closed { .. } => "VendorOpportunityClosed",
        },
    }
}

/// The version of the event's schema, as it is written today. Every event is still at its first.
#[must_use]
pub fn event_version(event: &AnyEvent) -> u32 {
    match event {
        AnyEvent::Program(_) | AnyEvent::Partner(..) | AnyEvent::Deal(..) | AnyEvent::Opportunity(..) => 1,
    }
}
