//! `pactum view import`.

use anyhow::Context as _;
use pactum_log::embedded::Identity;
use pactum_log::kafka::KafkaLog;
use pactum_projector::{Imported, Importing, ProjectorOptions};
use pactum_runtime::config::{LogKind, Settings};
use serde_json::json as object;

use super::arguments::ImportArgs;
use super::progress;
use crate::cli::ConnectArgs;
use crate::output;
use crate::topics::{first_entries, log_id};

pub(super) async fn run(arguments: ImportArgs, connect: &ConnectArgs, json: bool) -> anyhow::Result<()> {
    let log = log_here(&arguments, connect).await?;
    let ImportArgs { from, chosen, replace, .. } = arguments;
    let (data, bar) = (connect.data.join("views"), progress(json)?);
    let copied = bar.clone();
    let importing = tokio::task::spawn_blocking(move || {
        let importing = Importing {
            from: &from,
            data: &data,
            views: ProjectorOptions::default().views,
            named: &chosen.view,
            partition: chosen.partition,
            replace,
            log,
        };
        pactum_projector::import(&importing, &mut |done, more| {
            copied.inc_length(more);
            copied.inc(done);
        })
    });
    let imported = importing.await??;
    bar.finish_and_clear();
    if json {
        let views = imported.iter().map(|one| {
            object!({
                "partition": one.partition,
                "view": one.view,
                "build": one.build,
                "offset": one.offset,
                "bytes": one.bytes,
                "was_there": one.was_there,
            })
        });
        return output::json(&object!({ "views": views.collect::<Vec<_>>() }));
    }
    let line = |one: &Imported| {
        let Imported { partition, build, offset, was_there, .. } = one;
        let how = if *was_there { "was imported before" } else { "is in place" };
        format!("{build} of partition {partition} {how}; its projector goes on from offset {offset}\n")
    };
    output::text(&imported.iter().map(line).collect::<String>())
}

/// The log that the projector of the data directory folds, with its number of partitions, as far as that can be told: the
/// embedded one in the directory, or the one on Kafka that was named.
async fn log_here(arguments: &ImportArgs, connect: &ConnectArgs) -> anyhow::Result<Option<(u128, u32)>> {
    if let Some(Identity { id, partitions }) = Identity::read(&connect.data.join("log"))? {
        return Ok(Some((id, partitions)));
    }
    let mut given = serde_json::Map::new();
    if let Some(brokers) = &arguments.kafka_brokers {
        given.insert("log".into(), object!({ "kind": "kafka" }));
        let mut kafka = object!({ "brokers": brokers });
        if let Some(topic) = &arguments.kafka_topic {
            kafka["topic"] = topic.as_str().into();
        }
        given.insert("kafka".into(), kafka);
    }
    let settings = Settings::load(arguments.config.as_deref(), &serde_json::Value::Object(given))?;
    if settings.log.kind != LogKind::Kafka {
        return Ok(None);
    }
    let log = KafkaLog::connect(settings.kafka.clone()).await.context("the log on Kafka cannot be opened")?;
    let entries = first_entries(&log).await.context("the log on Kafka cannot be read")?;
    let partitions = u32::try_from(entries.len()).context("a log has fewer partitions")?;
    Ok(log_id(&entries).map(|id| (id, partitions)))
}
