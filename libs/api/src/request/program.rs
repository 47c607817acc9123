//! Requests about programs.

use pactum_domain::command::{Command, ProgramCommand};
use pactum_ids::{ImportId, ProgramId};

use super::fields::Fields;
use crate::proto::program::v1 as proto;

fn to(fields: &mut Fields<'_>, name: &str, command: Option<ProgramCommand>) -> Option<(ProgramId, Command)> {
    let program = fields.program("name", name)?;
    Some((program, Command::Program(command?)))
}

/// `CreateProgram`.
pub(super) fn create(request: proto::CreateProgramRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    let id = fields.program_id("program_id", &request.program_id);
    let program = fields.required("program", request.program)?;
    let currency = fields.currency("program.currency_code", &program.currency_code);
    let command = ProgramCommand::Create {
        display_name: program.display_name,
        currency: currency?,
        policy: (!request.policy_document.is_empty()).then_some(request.policy_document),
    };
    Some((id?, Command::Program(command)))
}

/// `PublishPolicy`.
pub(super) fn publish(request: proto::PublishPolicyRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    let effective_from = match request.effective_from {
        None => Some(None),
        Some(time) => fields.timestamp("effective_from", time).map(Some),
    };
    let document = request.policy_document;
    let command = effective_from.map(|effective_from| ProgramCommand::PublishPolicy { document, effective_from });
    to(fields, &request.name, command)
}

/// `StartHistoryImport`.
pub(super) fn start_import(
    request: proto::StartHistoryImportRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let import = fields.take("import_id", ImportId::new(&request.import_id));
    let source = request.source;
    to(fields, &request.name, import.map(|import| ProgramCommand::StartHistoryImport { import, source }))
}

/// `CompleteHistoryImport`.
pub(super) fn complete_import(
    request: proto::CompleteHistoryImportRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let import = fields.take("import_id", ImportId::new(&request.import_id));
    to(fields, &request.name, import.map(|import| ProgramCommand::CompleteHistoryImport { import }))
}

/// `ArchiveProgram`.
pub(super) fn archive(request: proto::ArchiveProgramRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, Some(ProgramCommand::Archive { reason: request.reason }))
}
