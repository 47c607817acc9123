//! `pactum view export`.

use anyhow::{Context as _, bail};
use pactum_api::proto::projector::v1 as proto;
use pactum_api::proto::projector::v1::export_view_response::Part;
use pactum_projector::{Decision, ExportedFile, ExportedView, Manifest, ProjectorOptions, Writing};
use serde_json::json as object;

use super::arguments::{ChosenArgs, ExportArgs};
use super::{Client, answered, list, progress};
use crate::cli::ConnectArgs;
use crate::client::explain;
use crate::output;

/// From a projector that runs.
pub(super) async fn from_projector(arguments: ExportArgs, client: &mut Client, json: bool) -> anyhow::Result<()> {
    let ExportArgs { chosen: ChosenArgs { view, partition }, to, .. } = arguments;
    let views = list(client).await?;
    let chosen: Vec<_> = views
        .iter()
        .filter(|one| view.is_empty() || view.contains(&one.view))
        .filter(|one| partition.is_none_or(|partition| partition == one.partition))
        .collect();
    let unknown = view.iter().find(|name| !views.iter().any(|one| one.view == **name));
    if chosen.is_empty() || unknown.is_some() {
        bail!("there is no such view; `pactum view list` names them");
    }
    let mut writing = Writing::begin(&to)?;
    let bar = progress(json)?;
    let mut any = false;
    // One without entries is built in no time.
    for one in chosen.into_iter().filter(|one| one.offset > 0) {
        bar.set_message(format!("{} of partition {}", one.view, one.partition));
        export_one(client, one, &mut writing, &bar).await?;
        any = true;
    }
    bar.finish_and_clear();
    if !any {
        bail!("the views hold nothing yet");
    }
    told(&writing.finish()?, &to, json)
}

async fn export_one(
    client: &mut Client,
    one: &proto::View,
    writing: &mut Writing,
    bar: &indicatif::ProgressBar,
) -> anyhow::Result<()> {
    let request = proto::ExportViewRequest { view: one.view.clone(), partition: one.partition };
    let mut parts = answered(client.export_view(request).await)?;
    let mut next = async || match parts.message().await {
        Ok(part) => Ok(part.and_then(|part| part.part)),
        Err(status) => Err(anyhow::anyhow!(explain(&status))),
    };
    let Some(Part::View(view)) = next().await? else { bail!("the projector did not say what it exports") };
    let view = described(view)?;
    bar.inc_length(view.bytes());
    let mut files = writing.view(view)?;
    while let Some(part) = next().await? {
        match part {
            Part::Data(data) => {
                files.write(&data)?;
                bar.inc(data.len() as u64);
            }
            Part::End(proto::ExportEnd { sha256 }) => {
                let digests = sha256.iter().map(|digest| digest.as_slice().try_into());
                let digests: Vec<[u8; 32]> = digests.collect::<Result<_, _>>().context("a digest has 32 bytes")?;
                return Ok(files.end(&digests)?);
            }
            Part::View(_) => bail!("the projector said twice what it exports"),
        }
    }
    bail!("the export was cut off; try again")
}

fn described(view: proto::ExportedView) -> anyhow::Result<ExportedView> {
    let decision = |one: proto::Quarantine| {
        let at = one.at.map_or(0, |at| at.seconds.saturating_mul(1_000_000) + i64::from(at.nanos) / 1_000);
        Decision { offset: one.offset, by: one.by, at, reason: one.reason }
    };
    let file = |one: proto::ExportedFile| ExportedFile { name: one.name, bytes: one.bytes, sha256: String::new() };
    Ok(ExportedView {
        log_id: view.log_id,
        partitions: view.partitions,
        log_format: u16::try_from(view.log_format).context("the projector names no format of a log")?,
        partition: view.partition,
        view: view.view,
        version: view.version,
        offset: view.offset,
        term: view.term,
        next: view.next,
        owner: view.owner,
        passed_over: view.passed_over.into_iter().map(decision).collect(),
        files: view.files.into_iter().map(file).collect(),
    })
}

/// From the files of one that does not.
pub(super) async fn from_directory(arguments: ExportArgs, connect: &ConnectArgs, json: bool) -> anyhow::Result<()> {
    let ExportArgs { chosen: ChosenArgs { view, partition }, to, .. } = arguments;
    let (data, bar, directory) = (connect.data.join("views"), progress(json)?, to.clone());
    let written = bar.clone();
    let exporting = tokio::task::spawn_blocking(move || {
        let views = ProjectorOptions::default().views;
        pactum_projector::export(&data, views, &view, partition, &directory, &mut |done, more| {
            written.inc_length(more);
            written.inc(done);
        })
    });
    let manifest = exporting.await??;
    bar.finish_and_clear();
    told(&manifest, &to, json)
}

fn told(manifest: &Manifest, to: &std::path::Path, json: bool) -> anyhow::Result<()> {
    if json {
        let views = manifest.views.iter().map(|view| {
            object!({
                "partition": view.partition,
                "view": view.view,
                "version": view.version,
                "offset": view.offset,
                "bytes": view.bytes(),
                "files": view.files.len(),
                "passed_over": view.passed_over.iter().map(|one| one.offset).collect::<Vec<_>>(),
            })
        });
        return output::json(&object!({ "directory": to, "views": views.collect::<Vec<_>>() }));
    }
    let line = |view: &ExportedView| {
        let mib = view.bytes() as f64 / f64::from(1 << 20);
        format!("{} of partition {} at offset {}, {mib:.1} MiB\n", view.name(), view.partition, view.offset)
    };
    let lines: String = manifest.views.iter().map(line).collect();
    output::text(&format!(
        "{lines}exported to {}; `pactum view import` puts them into a data directory\n",
        to.display()
    ))
}
