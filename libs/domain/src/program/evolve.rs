//! What an event makes of a program.

use std::sync::Arc;

use pactum_ids::ProgramId;

use super::{Event, Program, ProgramState, PublishedPolicy};
use crate::event::EvolveError;
use crate::policy::Policy;

/// The program after an event, from the program before it; `None` before its first.
///
/// # Errors
/// [`EvolveError`] where a program that was never created is changed, one is created twice, or a policy cannot be read.
pub fn evolve(before: Option<&Program>, id: &ProgramId, event: &Event) -> Result<Program, EvolveError> {
    let mut program = match (event, before) {
        (Event::Created { .. }, Some(_)) => {
            return Err(EvolveError::Twice { kind: "program", id: id.as_str().into() });
        }
        (Event::Created { display_name, currency }, None) => Program {
            id: id.clone(),
            version: 0,
            state: ProgramState::Draft,
            display_name: display_name.clone(),
            currency: *currency,
            policies: Vec::new(),
            open_imports: Vec::new(),
            completed_imports: Vec::new(),
        },
        (_, Some(before)) => before.clone(),
        (_, None) => return Err(EvolveError::Unknown { kind: "program", id: id.as_str().into() }),
    };
    program.version += 1;
    match event {
        Event::Created { .. } => {}
        Event::PolicyPublished { version, effective_from, document } => {
            let policy = Arc::new(Policy::parse(document)?);
            program.policies.push(PublishedPolicy { version: *version, effective_from: *effective_from, policy });
            program.state = ProgramState::Active;
        }
        Event::HistoryImportStarted { import, .. } => program.open_imports.push(import.clone()),
        Event::HistoryImportCompleted { import } => {
            program.open_imports.retain(|open| open != import);
            program.completed_imports.push(import.clone());
        }
        Event::Archived { .. } => program.state = ProgramState::Archived,
    }
    Ok(program)
}
