//! Programs.

use pactum_domain::program::{Program, ProgramState};
use pactum_domain::time::Timestamp;

use super::value::states;
use super::{etag, program_name, timestamp_to_proto};
use crate::proto::program::v1 as proto;

states!(
    ProgramState,
    proto::ProgramState,
    program_state,
    program_state_name,
    "PROGRAM_STATE_",
    [Draft, Active, Archived,]
);

/// A program as it stands at a moment, which says which policy is in force. The policy's document is not part of the state
/// that decides; where it is shown, the caller of this puts it in.
#[must_use]
pub fn program_to_proto(program: &Program, at: Timestamp) -> proto::Program {
    let in_force = program.policies.iter().rev().find(|published| published.effective_from <= at);
    let texts = |ids: &[pactum_ids::ImportId]| ids.iter().map(ToString::to_string).collect();
    proto::Program {
        name: program_name(&program.id),
        etag: etag(program.version),
        state: program_state(program.state).into(),
        display_name: program.display_name.clone(),
        currency_code: program.currency.as_str().to_owned(),
        policy_version: in_force.map_or(0, |published| published.version),
        policy_document: String::new(),
        policies: program
            .policies
            .iter()
            .map(|published| proto::PolicyVersion {
                version: published.version,
                effective_from: Some(timestamp_to_proto(published.effective_from)),
            })
            .collect(),
        open_imports: texts(&program.open_imports),
        completed_imports: texts(&program.completed_imports),
    }
}
