//! `pactum events`.

use std::io::IsTerminal as _;

use anyhow::bail;
use pactum_api::proto::common::v1::Role as ProtoRole;
use pactum_api::proto::replay::v1::replay_service_client::ReplayServiceClient;
use pactum_api::proto::replay::v1::{ReadEventsRequest, RecordedEvent};
use pactum_domain::actor::Role;
use pactum_domain::time::Timestamp;
use tokio_stream::StreamExt as _;

use crate::cli::EventsArgs;
use crate::client::{self, MAX_ANSWER, explain};
use crate::output;

pub(crate) async fn print(arguments: EventsArgs) -> anyhow::Result<()> {
    let program = client::program_id(&arguments.program)?;
    let connection = client::connect(&arguments.connect, &program, Role::Auditor).await?;
    let mut client = ReplayServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER);
    let request = ReadEventsRequest {
        parent: arguments.program.clone(),
        from_sequence: arguments.from,
        follow: arguments.follow,
        filter: arguments.filter.clone().unwrap_or_default(),
        ..Default::default()
    };
    let mut events = match client.read_events(request).await {
        Ok(events) => events.into_inner(),
        Err(status) => bail!(explain(&status)),
    };
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    while let Some(answer) = events.next().await {
        let event = match answer {
            Ok(answer) => answer.event.unwrap_or_default(),
            Err(status) => bail!(explain(&status)),
        };
        let line = if arguments.json { json(&event)? } else { text(&event, colour) };
        if let Err(error) = output::line(&line) {
            return output::written(Err(error));
        }
    }
    Ok(())
}

/// A moment as the contract has it, in RFC 3339.
fn moment(time: Option<prost_types::Timestamp>) -> String {
    time.map_or_else(String::new, |time| {
        Timestamp(time.seconds.saturating_mul(1_000_000) + i64::from(time.nanos) / 1_000).to_string()
    })
}

fn text(event: &RecordedEvent, colour: bool) -> String {
    let (bold, dim, plain) = if colour { ("\x1b[1m", "\x1b[2m", "\x1b[0m") } else { ("", "", "") };
    let resource = event
        .resource
        .strip_prefix(&event.program)
        .map_or(event.resource.as_str(), |rest| rest.trim_start_matches('/'));
    format!(
        "{:>8}  {dim}{}{plain}  {bold}{}{plain}  {resource}  {dim}{}{plain}",
        event.sequence,
        moment(event.occurred_at),
        event.r#type,
        event.data_json
    )
}

fn json(event: &RecordedEvent) -> anyhow::Result<String> {
    let data: serde_json::Value = serde_json::from_str(&event.data_json)?;
    let actor = event.actor.clone().unwrap_or_default();
    let role = ProtoRole::try_from(actor.role).unwrap_or_default().as_str_name();
    Ok(serde_json::json!({
        "sequence": event.sequence,
        "program": event.program,
        "type": event.r#type,
        "type_version": event.type_version,
        "resource": event.resource,
        "resource_version": event.resource_version,
        "occurred_at": moment(event.occurred_at),
        "recorded_at": moment(event.recorded_at),
        "actor": {
            "subject": actor.subject,
            "role": role.trim_start_matches("ROLE_").to_lowercase().replace('_', "-"),
            "partner": actor.partner,
        },
        "request_id": event.request_id,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "policy_version": event.policy_version,
        "data": data,
    })
    .to_string())
}
