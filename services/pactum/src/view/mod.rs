//! `pactum view`: the views of a running projector, for its operator.

mod arguments;
mod export;
mod import;
mod text;

pub(crate) use arguments::ViewArgs;

use std::time::Duration;

use anyhow::{Context as _, bail};
use pactum_api::proto::projector::v1 as proto;
use pactum_api::proto::projector::v1::view_service_client::ViewServiceClient;
use pactum_domain::actor::Role;
use pactum_ids::ProgramId;
use tonic::Status;

use crate::client::{self, Connection, MAX_ANSWER, explain};
use crate::output;
use arguments::{BuildArgs, What};

/// A token names a program; an operator's may name any.
const ANY_PROGRAM: &str = "operator";

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(500);

type Client = ViewServiceClient<Connection>;

pub(crate) async fn run(arguments: ViewArgs) -> anyhow::Result<()> {
    let ViewArgs { connect, json, what } = arguments;
    // These two work on a directory and ask nobody.
    let what = match what {
        What::Export(export) if export.stopped => return export::from_directory(export, &connect, json).await,
        What::Import(import) => return import::run(import, &connect, json).await,
        what => what,
    };
    let program = ProgramId::new(ANY_PROGRAM).context("no operator's token can be made")?;
    let connection = client::connect(&connect, &program, Role::Operator).await?;
    let mut client = Client::new(connection).max_decoding_message_size(MAX_ANSWER);
    match what {
        What::Export(export) => export::from_projector(export, &mut client, json).await,
        What::Import(_) => unreachable!("it asks nobody, and was answered above"),
        What::List => {
            let views = list(&mut client).await?;
            if json { output::json(&text::json(&views)) } else { output::text(&text::list(&views)) }
        }
        What::Stats => {
            let views = list(&mut client).await?;
            if json { output::json(&text::json(&views)) } else { output::text(&text::stats(&views)) }
        }
        What::Rebuild { view, partition, wait } => {
            let request = proto::RebuildViewRequest { view: view.clone(), partition };
            let builds = answered(client.rebuild_view(request).await)?.builds;
            if wait {
                until_built(&mut client, &view, json).await?;
            }
            if json {
                output::json(&serde_json::json!({ "builds": builds }))
            } else {
                let done = if wait { "answers" } else { "is being built; `pactum view list` shows how far it is" };
                output::text(&builds.iter().map(|build| format!("{build} {done}\n")).collect::<String>())
            }
        }
        What::Rollback { view, build: BuildArgs { partition, build } } => {
            let request = proto::RollBackViewRequest { view, partition, build: build.clone() };
            answered(client.roll_back_view(request).await)?;
            said(json, &format!("{build} answers again once it has caught up"))
        }
        What::Verify { view, partition } => verify(&mut client, &view, partition, json).await,
        What::Drop { view, build: BuildArgs { partition, build } } => {
            let request = proto::DropBuildRequest { view, partition, build: build.clone() };
            answered(client.drop_build(request).await)?;
            said(json, &format!("{build} is gone"))
        }
        What::Retry { view, partition } => {
            let request = proto::RetryViewRequest { view, partition };
            let retried = answered(client.retry_view(request).await)?.retried;
            said(json, &format!("{retried} had stopped and try again"))
        }
        What::Quarantine { view, partition, offset, reason } => {
            let request = proto::QuarantineRecordRequest { view: view.clone(), partition, offset, reason };
            answered(client.quarantine_record(request).await)?;
            said(json, &format!("{view} passes over the record at offset {offset}"))
        }
    }
}

fn answered<T>(answer: Result<tonic::Response<T>, Status>) -> anyhow::Result<T> {
    match answer {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => bail!(explain(&status)),
    }
}

fn said(json: bool, what: &str) -> anyhow::Result<()> {
    if json { output::json(&serde_json::json!({ "done": what })) } else { output::text(&format!("{what}\n")) }
}

async fn list(client: &mut Client) -> anyhow::Result<Vec<proto::View>> {
    Ok(answered(client.list_views(proto::ListViewsRequest {}).await)?.views)
}

/// Shows how far the builds of a view are until none is being made.
async fn until_built(client: &mut Client, view: &str, json: bool) -> anyhow::Result<()> {
    let bar = indicatif::ProgressBar::new(0);
    if json {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    bar.set_style(indicatif::ProgressStyle::with_template("{wide_bar} {pos}/{len} entries, {msg}")?);
    loop {
        let views = list(client).await?;
        let builds = views.iter().filter(|one| one.view == view).flat_map(|one| &one.builds);
        let under_way: Vec<_> = builds.filter_map(|build| Some((build, build.progress.as_ref()?))).collect();
        if let Some((build, why)) =
            under_way.iter().find_map(|(build, at)| Some((build, Some(&at.error).filter(|e| !e.is_empty())?)))
        {
            bar.finish_and_clear();
            bail!("{} does not go on: {why}", build.name);
        }
        if under_way.is_empty() {
            bar.finish_and_clear();
            return Ok(());
        }
        let sum = |of: fn(&proto::Progress) -> u64| under_way.iter().map(|(_, progress)| of(progress)).sum();
        bar.set_length(sum(|progress| progress.end));
        bar.set_position(sum(|progress| progress.offset));
        let rate: f64 = under_way.iter().map(|(_, progress)| progress.entries_per_second).sum();
        let left = under_way.iter().map(|(_, progress)| progress.seconds_left).fold(0.0, f64::max);
        bar.set_message(format!("{rate:.0}/s, {left:.0} s left"));
        tokio::time::sleep(LOOK).await;
    }
}

async fn verify(client: &mut Client, view: &str, partition: Option<u32>, json: bool) -> anyhow::Result<()> {
    let views = list(client).await?;
    let mut found = Vec::new();
    for one in views.iter().filter(|one| one.view == view && partition.is_none_or(|wanted| wanted == one.partition)) {
        let request = proto::VerifyViewRequest { view: view.to_owned(), partition: one.partition };
        found.push((one.partition, answered(client.verify_view(request).await)?));
    }
    if found.is_empty() {
        bail!("there is no such view; `pactum view list` names them");
    }
    if json {
        output::json(
            &found.iter().map(|(partition, verified)| text::verified(*partition, verified)).collect::<Vec<_>>(),
        )?;
    } else {
        for (partition, verified) in &found {
            let how = if verified.agrees { "agrees with" } else { "DIFFERS from" };
            let proto::VerifyViewResponse { offset, rows, live_digest, .. } = verified;
            output::text(&format!(
                "{view} of partition {partition} {how} a fold from zero: {rows} rows at offset {offset}, {live_digest}\n"
            ))?;
        }
    }
    if found.iter().any(|(_, verified)| !verified.agrees) {
        bail!("{view} is not what a fold from zero makes; `pactum view rebuild {view}` makes it anew");
    }
    Ok(())
}

/// Bytes so far; of none that is shown, where a program reads what is printed.
fn progress(json: bool) -> anyhow::Result<indicatif::ProgressBar> {
    let bar = indicatif::ProgressBar::new(0);
    if json {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let style = indicatif::ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec} {msg}")?;
    Ok(bar.with_style(style))
}
