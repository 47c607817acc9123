//! Deciding a command to a program.

use pactum_ids::ImportId;

use super::{Event, Program, ProgramState};
use crate::command::{Context, ProgramCommand};
use crate::event::AnyEvent;
use crate::model::{Model, Setting, check_times, check_version, field};
use crate::money::Currency;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// Opens a program, with its first policy perhaps.
pub(crate) fn create(
    model: &Model,
    context: &Context,
    display_name: &str,
    currency: Currency,
    policy: Option<&str>,
) -> Result<Vec<AnyEvent>, Rejection> {
    check_times(context)?;
    if context.actor.role.is_partner() {
        return Err(Rejection::Forbidden("only the vendor may do this"));
    }
    if model.program().is_some() {
        return Err(Rejection::AlreadyExists { kind: "program", id: model.id().as_str().into() });
    }
    check_version(context, 0)?;
    field::required_line("program.display_name", display_name)?;
    let mut events = vec![AnyEvent::Program(Event::Created { display_name: display_name.to_owned(), currency })];
    if let Some(document) = policy {
        Policy::parse(document)?;
        let (effective_from, document) = (context.recorded_at, document.to_owned());
        events.push(AnyEvent::Program(Event::PolicyPublished { version: 1, effective_from, document }));
    }
    Ok(events)
}

/// Decides a command to a program that is there.
pub(crate) fn decide(setting: &Setting<'_>, command: &ProgramCommand) -> Result<Vec<AnyEvent>, Rejection> {
    setting.check_version(setting.program.version)?;
    setting.vendor_only()?;
    let event = match command {
        // A program that is there is not created again; `create` has decided it.
        ProgramCommand::Create { .. } => None,
        ProgramCommand::PublishPolicy { document, effective_from } => publish(setting, document, *effective_from)?,
        ProgramCommand::StartHistoryImport { import, source } => start_import(setting.program, import, source)?,
        ProgramCommand::CompleteHistoryImport { import } => complete_import(setting.program, import)?,
        ProgramCommand::Archive { reason } => {
            if setting.program.state == ProgramState::Archived {
                return Ok(Vec::new());
            }
            field::prose("reason", reason)?;
            Some(Event::Archived { reason: reason.clone() })
        }
    };
    Ok(event.map(AnyEvent::Program).into_iter().collect())
}

/// Publishes a policy, whole. The rules published last given again, with other comments perhaps, are no new version.
fn publish(
    setting: &Setting<'_>,
    document: &str,
    effective_from: Option<Timestamp>,
) -> Result<Option<Event>, Rejection> {
    const FIELD: &str = "effective_from";
    let now = setting.context.recorded_at;
    let policy = Policy::parse(document)?;
    let last = setting.program.policies.last();
    if let Some(last) = last {
        let same_moment = effective_from.is_none_or(|from| from == last.effective_from);
        if same_moment && *last.policy == policy {
            return Ok(None);
        }
        if last.effective_from > now {
            return Err(Rejection::InvalidTransition {
                kind: "program",
                state: "waiting for a published policy to come into force",
                verb: "given another",
                allowed: "one may wait at a time",
            });
        }
    }
    let effective_from = effective_from.unwrap_or(now);
    if effective_from < now {
        return Err(field::invalid(
            FIELD,
            format!("{effective_from} has gone by; a policy holds from now, {now}, at the earliest"),
        ));
    }
    if Timestamp::new(effective_from.0).is_err() {
        return Err(field::invalid(FIELD, "the time is outside 1900-01-01 to 2199-12-31"));
    }
    let version = last.map_or(1, |last| last.version.saturating_add(1));
    Ok(Some(Event::PolicyPublished { version, effective_from, document: document.to_owned() }))
}

fn start_import(program: &Program, import: &ImportId, source: &str) -> Result<Option<Event>, Rejection> {
    if program.open_imports.contains(import) || program.completed_imports.contains(import) {
        return Ok(None);
    }
    field::line("source", source)?;
    Ok(Some(Event::HistoryImportStarted { import: import.clone(), source: source.to_owned() }))
}

fn complete_import(program: &Program, import: &ImportId) -> Result<Option<Event>, Rejection> {
    if program.completed_imports.contains(import) {
        return Ok(None);
    }
    if !program.open_imports.contains(import) {
        return Err(Rejection::NotFound { kind: "import", id: import.as_str().into() });
    }
    Ok(Some(Event::HistoryImportCompleted { import: import.clone() }))
}
