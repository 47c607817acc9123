//! `pactum topics`: the topic that is a log, made and checked.

mod arguments;
mod genesis;
mod report;

pub(crate) use arguments::TopicsCommand;
pub(crate) use genesis::{First, begin, first_entries, judge, log_id};

use anyhow::Context;
use pactum_log::kafka::KafkaLog;
use pactum_log::kafka::topics::{self, TopicSpec};
use pactum_runtime::config::Settings;

use arguments::{CheckArgs, EnsureArgs};
use report::Report;

use crate::output;

pub(crate) async fn run(command: TopicsCommand) -> anyhow::Result<()> {
    match command {
        TopicsCommand::Ensure(arguments) => ensure(arguments).await,
        TopicsCommand::Check(arguments) => check(arguments).await,
    }
}

async fn ensure(arguments: EnsureArgs) -> anyhow::Result<()> {
    let settings = arguments.settings.load()?;
    if arguments.settings.print_config {
        return output::text(&settings.to_toml());
    }
    let replication_factor = arguments.replication_factor;
    let spec = TopicSpec {
        partitions: arguments.partitions.unwrap_or(settings.log.partitions),
        replication_factor,
        min_insync_replicas: arguments.min_insync_replicas.unwrap_or((replication_factor - 1).max(1)),
    };
    let ensured = topics::ensure(&settings.kafka, spec).await?;
    let log = KafkaLog::connect(settings.kafka.clone()).await?;
    let entries = genesis::begin(&log).await.context("the log cannot be begun in the topic")?;
    let report = survey(&settings, &entries).await?;
    report.print(Some(ensured.created), arguments.json)
}

async fn check(arguments: CheckArgs) -> anyhow::Result<()> {
    let settings = arguments.settings.load()?;
    if arguments.settings.print_config {
        return output::text(&settings.to_toml());
    }
    let log = KafkaLog::connect(settings.kafka.clone()).await?;
    let entries = first_entries(&log).await.context("the log in the topic cannot be read")?;
    survey(&settings, &entries).await?.print(None, arguments.json)
}

async fn survey(settings: &Settings, entries: &[First]) -> anyhow::Result<Report> {
    let mut findings = topics::check(&settings.kafka).await?;
    findings.extend(judge(entries));
    let topic = topics::describe(&settings.kafka).await?;
    Ok(Report { name: settings.kafka.topic.clone(), topic, log_id: genesis::log_id(entries), findings })
}
