//! Requests about partners.

use pactum_domain::command::{Command, PartnerCommand};
use pactum_domain::partner::{Enrolled, Profile};
use pactum_ids::{PartnerName, ProgramId};
use smol_str::SmolStr;

use super::fields::{Fields, texts};
use crate::proto::partner::v1 as proto;

pub(super) fn to(fields: &mut Fields<'_>, name: &str, command: PartnerCommand) -> Option<(ProgramId, Command)> {
    let (program, id) = fields.name::<PartnerName>("name", name)?;
    Some((program, Command::Partner(id, command)))
}

/// `CreatePartner`. A partner's caller applies for its own partner.
pub(super) fn create(request: proto::CreatePartnerRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    let program = fields.program("parent", &request.parent);
    let own = fields.caller().partner();
    let id = fields.id("partner_id", &request.partner_id, |ids| own.cloned().unwrap_or_else(|| ids.partner()));
    if id.is_some() && own.is_some() && id.as_ref() != own {
        fields.forbid("a partner's caller applies for its own partner");
    }
    let partner = fields.required("partner", request.partner)?;
    let country = fields.country("partner.country_code", &partner.country_code);
    let domain = fields.domain("partner.domain", &partner.domain);
    let profile = Profile {
        display_name: partner.display_name,
        country: country?,
        domain: domain?,
        kind: SmolStr::new(&partner.partner_type),
    };
    Some((program?, Command::Partner(id?, PartnerCommand::Apply(profile))))
}

/// `ApprovePartner`.
pub(super) fn approve(request: proto::ApprovePartnerRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, PartnerCommand::Approve { note: request.note })
}

/// `RejectPartner`.
pub(super) fn reject(request: proto::RejectPartnerRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, PartnerCommand::Reject { reason: request.reason })
}

/// `EnrollPartner`.
pub(super) fn enroll(request: proto::EnrollPartnerRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    let enrolled = Enrolled {
        tier: SmolStr::new(&request.tier),
        kind: SmolStr::new(&request.partner_type),
        territories: sorted(&request.territories),
        specialisations: sorted(&request.specialisations),
    };
    to(fields, &request.name, PartnerCommand::Enroll(enrolled))
}

/// `ActivatePartner`.
pub(super) fn activate(
    request: proto::ActivatePartnerRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, PartnerCommand::Activate)
}

/// `SuspendPartner`.
pub(super) fn suspend(request: proto::SuspendPartnerRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, PartnerCommand::Suspend { reason: request.reason })
}

/// `ReinstatePartner`.
pub(super) fn reinstate(
    request: proto::ReinstatePartnerRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, PartnerCommand::Reinstate { reason: request.reason })
}

/// `TerminatePartner`.
pub(super) fn terminate(
    request: proto::TerminatePartnerRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, PartnerCommand::Terminate { reason: request.reason })
}

/// `AssignPartnerManager`.
pub(super) fn assign_manager(
    request: proto::AssignPartnerManagerRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, PartnerCommand::AssignManager { manager: SmolStr::new(&request.manager) })
}

/// A list as the domain keeps it: sorted, each once.
pub(super) fn sorted(list: &[String]) -> Vec<SmolStr> {
    let mut list = texts(list);
    list.sort_unstable();
    list.dedup();
    list
}
