//! What the vendor decides about a deal.

use pactum_domain::command::{Command, DealCommand, ProtectionChoice};
use pactum_ids::{DealName, PartnerName, ProgramId};
use smol_str::SmolStr;

use super::to;
use crate::proto::deal::v1 as proto;
use crate::request::fields::Fields;

/// `StartDealReview`.
pub(in crate::request) fn start(
    request: proto::StartDealReviewRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, Some(DealCommand::StartReview))
}

/// `RequestDealAction`.
pub(in crate::request) fn request_action(
    request: proto::RequestDealActionRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, Some(DealCommand::RequestAction { message: request.message }))
}

/// `ApproveDeal`.
pub(in crate::request) fn approve(
    request: proto::ApproveDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    use proto::approve_deal_request::Protection;
    let protection = match request.protection {
        Some(Protection::ProtectionDays(days)) => ProtectionChoice::Days(days),
        Some(Protection::WithoutProtection(true)) => ProtectionChoice::Without,
        Some(Protection::WithoutProtection(false)) | None => ProtectionChoice::Policy,
    };
    let reason_code = SmolStr::new(&request.reason_code);
    to(fields, &request.name, Some(DealCommand::Approve { protection, reason_code, note: request.note }))
}

/// `RejectDeal`.
pub(in crate::request) fn reject(
    request: proto::RejectDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let reason_code = SmolStr::new(&request.reason_code);
    to(fields, &request.name, Some(DealCommand::Reject { reason_code, note: request.note }))
}

/// `MarkDealDuplicate`.
pub(in crate::request) fn mark_duplicate(
    request: proto::MarkDealDuplicateRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let of = fields.reference::<DealName>("duplicate_of", &request.duplicate_of);
    let command = of.map(|of| DealCommand::MarkDuplicate { of, note: request.note });
    to(fields, &request.name, command)
}

/// `ExtendDealProtection`.
pub(in crate::request) fn extend_protection(
    request: proto::ExtendDealProtectionRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let proto::ExtendDealProtectionRequest { name, days, reason, evidence, .. } = request;
    to(fields, &name, Some(DealCommand::ExtendProtection { days, reason, evidence }))
}

/// `RevokeDeal`.
pub(in crate::request) fn revoke(
    request: proto::RevokeDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let reason_code = SmolStr::new(&request.reason_code);
    to(fields, &request.name, Some(DealCommand::Revoke { reason_code, note: request.note }))
}

/// `ReassignDeal`.
pub(in crate::request) fn reassign(
    request: proto::ReassignDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let proto::ReassignDealRequest { name, reason_code, note, partner, evidence, .. } = request;
    let partner = fields.reference::<PartnerName>("partner", &partner);
    let command =
        partner.map(|to| DealCommand::Reassign { to, evidence, reason_code: SmolStr::new(&reason_code), note });
    to(fields, &name, command)
}
