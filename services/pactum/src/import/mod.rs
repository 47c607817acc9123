//! `pactum import crm`: another system's opportunities, through the same commands that callers use.

mod mapping;
mod plan;
mod report;
mod requests;
mod table;

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::Instant;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::common::v1::Error;
use pactum_api::proto::program::v1::GetProgramRequest;
use pactum_api::proto::program::v1::program_query_service_client::ProgramQueryServiceClient;
use pactum_domain::actor::Role;
use pactum_domain::money::Currency;
use tonic::Code;

use crate::cli::ImportCrmArgs;
use crate::client::{self, Connection, explain};
use crate::{bulk, output};
use mapping::Mapping;
use plan::{Files, Plan, Step};
use report::{ConflictRow, RejectedRow, Report};
use requests::{Requests, Sent};

/// Imports and prints the report.
pub(crate) async fn crm(arguments: ImportCrmArgs) -> anyhow::Result<()> {
    let started = Instant::now();
    let program = client::program_id(&arguments.program)?;
    let mapping = Mapping::load(arguments.mapping.as_deref())?;
    let currency = Currency::parse(&mapping.currency).context("the mapping's currency")?;
    let files = Files {
        pipeline: arguments.pipeline.clone(),
        accounts: arguments.accounts.clone(),
        products: arguments.products.clone(),
        teams: arguments.teams.clone(),
    };
    let plan = Plan::read(&files, &mapping, currency)?;
    let connection = client::connect(&arguments.connect, &program, Role::ProgramAdmin).await?;
    let before = sequence(&connection, &arguments.program, 0).await?;

    let requests = Requests::new(&plan, &mapping, &program);
    let progress = bar(plan.steps.len() as u64);
    let mut report = Report {
        program: arguments.program.clone(),
        rows: plan.rows,
        rejected: plan.rejected.clone(),
        ..Report::default()
    };
    let (sent, list) = requests.build(before.is_none());
    let mut refused: HashMap<u64, RejectedRow> = HashMap::new();
    let pipeline = table::file_name(&files.pipeline);
    bulk::execute(connection.clone(), list, |answer| {
        let index = usize::try_from(answer.index).unwrap_or(usize::MAX);
        let what = sent.get(index).context("the system answered a request that was not sent")?;
        match (what, answer.outcome) {
            (_, None) => bail!("the system sent an answer without an outcome"),
            (Sent::Setup(name), Some(Outcome::Error(error))) if !settled(&error) => {
                bail!("{name} was refused: {} ({})", error.message, error.reason)
            }
            (Sent::Setup(_), Some(Outcome::Error(_))) => {}
            (Sent::Setup(_), Some(Outcome::Result(result))) => report.sequence = report.sequence.max(result.sequence),
            (Sent::Step(place), Some(outcome)) => {
                progress.inc(1);
                let step = &plan.steps[*place];
                match outcome {
                    Outcome::Result(result) => {
                        report.sequence = report.sequence.max(result.sequence);
                        count(&mut report, step, !result.conflicts.is_empty());
                    }
                    Outcome::Error(error) => {
                        refused.entry(step.line()).or_insert_with(|| refusal(&pipeline, step, &error));
                    }
                }
            }
        }
        Ok(())
    })
    .await?;
    progress.finish_and_clear();

    report.accepted = plan.steps.iter().filter(|step| matches!(step, Step::Draft(_) | Step::Register(..))).count()
        as u64
        - refused.len() as u64;
    report.rejected.extend(refused.into_values());
    report.rejected.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let after = sequence(&connection, &arguments.program, report.sequence).await?.unwrap_or(0);
    // By the answers, not by where the program is now: lapses that the timer records afterwards are not this run's doing, and
    // repeated requests give their first answers.
    report.events_appended = report.sequence.saturating_sub(before.unwrap_or(0));
    report.sequence = after;
    report.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    report.write(&arguments.report).with_context(|| {
        format!("the import is done, but its report {} cannot be written", arguments.report.display())
    })?;
    if arguments.json { output::json(&report) } else { output::text(&report.summary(&arguments.report)) }
}

/// The program's sequence as the views have it, once they have `at_least`; nothing where there is no program yet.
async fn sequence(connection: &Connection, program: &str, at_least: u64) -> anyhow::Result<Option<u64>> {
    let request = GetProgramRequest { name: program.to_owned(), min_sequence: at_least, ..Default::default() };
    match ProgramQueryServiceClient::new(connection.clone()).get_program(request).await {
        Ok(answer) => Ok(Some(answer.into_inner().sequence)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => bail!(explain(&status)),
    }
}

/// What a run before this one did: a partner that is there, or has moved on since.
fn settled(error: &Error) -> bool {
    matches!(error.reason.as_str(), "ALREADY_EXISTS" | "REQUEST_ID_REUSED" | "INVALID_TRANSITION")
}

fn count(report: &mut Report, step: &Step, conflict: bool) {
    match step {
        Step::Draft(_) => report.drafts += 1,
        Step::Win { .. } => report.won += 1,
        Step::Lose { .. } => report.lost += 1,
        Step::Register(deal, _) if conflict => {
            report.conflicts += 1;
            *report.conflicts_by_partner.entry(deal.partner.clone()).or_default() += 1;
            report.conflict_rows.push(ConflictRow {
                line: deal.line,
                id: deal.id.clone(),
                partner: deal.partner.clone(),
            });
        }
        Step::Register(..) => {}
    }
}

fn refusal(file: &str, step: &Step, error: &Error) -> RejectedRow {
    let field = error.field_violations.first().map(|violation| violation.field.clone()).unwrap_or_default();
    let violations: Vec<_> = error.field_violations.iter().map(|violation| violation.description.as_str()).collect();
    let reason = match violations.is_empty() {
        true => format!("{} ({})", error.message, error.reason),
        false => format!("{} ({})", violations.join("; "), error.reason),
    };
    RejectedRow { file: file.to_owned(), line: step.line(), id: step.deal_id().to_owned(), field, reason }
}

fn bar(steps: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("importing {wide_bar} {pos}/{len} {per_sec} {eta} left")
        .expect("the template is fixed and valid: a test draws it");
    ProgressBar::new(steps).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_progress_template_is_valid() {
        assert!(ProgressStyle::with_template("importing {wide_bar} {pos}/{len} {per_sec} {eta} left").is_ok());
        assert_eq!(bar(3).length().unwrap_or(3), 3);
    }
}
