//! The roles of a process, and the gRPC listener in front of them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::TryStreamExt;
use pactum_api::AccessTable;
use pactum_api::proto::DESCRIPTOR_SET;
use pactum_command::{CommandOptions, CommandRole};
use pactum_journal::JournalOptions;
use pactum_log::Log;
use pactum_projector::{AsOfOptions, Projector, ProjectorOptions};
use pactum_runtime::access::Access;
use pactum_runtime::config::{AsOf, Settings};
use pactum_runtime::health::{Condition, Health};
use pactum_runtime::io::Coalesced;
use pactum_runtime::supervise::{OnExit, Tasks};
use pactum_runtime::token::TokenKey;
use pactum_store::Shared;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::peering::{self, Membership};
use super::watch::{Conditions, watch_roles};

/// Calls under way on one connection: other instances send all they forward over one.
const STREAMS: u32 = 4096;

/// Which roles a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roles {
    /// Commands and queries.
    All,
    /// Commands alone.
    Command,
    /// Queries alone.
    Projector,
}

impl Roles {
    fn command(self) -> bool {
        self != Self::Projector
    }

    fn projector(self) -> bool {
        self != Self::Command
    }

    /// Names the parts that are to come. Before anything else says that it is ready: until every part has spoken, the parts
    /// that have would be taken for all.
    pub(super) fn announce(self, health: &Health) {
        for (part, is_there) in [("command", self.command()), ("projector", self.projector())] {
            if is_there {
                health.set(part, Condition::Starting("starting".into()));
            }
        }
    }
}

/// What roles are made of.
pub(super) struct Parts<'a> {
    pub(super) settings: &'a Settings,
    pub(super) shared: Shared,
    pub(super) log_id: Option<u128>,
    pub(super) log: Arc<dyn Log>,
    pub(super) roles: Roles,
    /// Whether other processes may use the log, too.
    pub(super) among: bool,
    pub(super) health: Health,
}

pub(super) async fn assemble(
    tasks: &mut Tasks,
    parts: Parts<'_>,
    callers: TcpListener,
    key: TokenKey,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (reporter, health_service) = tonic_health::server::health_reporter();
    reporter.set_service_status("", ServingStatus::NotServing).await;
    let mut routes = RoutesBuilder::default();
    routes.add_service(health_service);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    routes.add_service(reflection().build_v1()?);
    routes.add_service(reflection().build_v1alpha()?);

    let mut conditions: Conditions = Vec::new();
    let mut halt = stop.clone();
    if parts.roles.command() {
        let role = command(tasks, &parts, &callers, &reporter, stop)?;
        role.add_services(&mut routes);
        let commands = role.status();
        conditions.push(("command", Box::new(move || commands.condition())));
        halt = role.halt();
        tasks.spawn("command", OnExit::StopProcess, async move { role.stopped().await.map(drop) });
    }
    if parts.roles.projector() {
        let options = ProjectorOptions {
            data: parts.settings.data.join("views"),
            shared: parts.shared,
            pipeline_bytes: parts.settings.memory.pipeline_mib << 20,
            as_of: as_of(&parts.settings.as_of),
            max_message_bytes: parts.settings.grpc.max_message_bytes,
            ..ProjectorOptions::default()
        };
        let projector = Projector::open(parts.log, options).context("the views cannot be opened")?;
        projector.add_services(&mut routes);
        let views = projector.status();
        conditions.push(("projector", Box::new(move || views.condition())));
        tasks.spawn("projector", OnExit::StopProcess, projector.run(halt.clone()));
    }
    let watching = watch_roles(conditions, parts.health, reporter, stop.clone(), halt.clone());
    tasks.spawn("health", OnExit::StopProcess, watching);

    let incoming = TcpIncoming::from(callers).with_nodelay(Some(true)).with_keepalive(Some(Duration::from_secs(60)));
    let incoming = incoming.map_ok(Coalesced::from);
    let server = Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .max_concurrent_streams(STREAMS)
        .layer(Access::new(AccessTable::load(), key))
        .add_routes(routes.routes())
        .serve_with_incoming_shutdown(incoming, halt.cancelled_owned());
    tasks.spawn("grpc", OnExit::StopProcess, server);
    Ok(())
}

/// Starts the command role: alone, or as one of those that share the log.
fn command(
    tasks: &mut Tasks,
    parts: &Parts<'_>,
    callers: &TcpListener,
    reporter: &HealthReporter,
    stop: &CancellationToken,
) -> anyhow::Result<CommandRole> {
    let settings = parts.settings;
    let listening = callers.local_addr()?;
    let owner = if parts.among { peering::address(settings, listening)? } else { listening.to_string() };
    let options = CommandOptions {
        journal: JournalOptions {
            owner: owner.clone(),
            log_id: parts.log_id,
            queue: settings.command.queue,
            window: settings.command.window,
            ..JournalOptions::default()
        },
        max_message_bytes: settings.grpc.max_message_bytes,
        ..CommandOptions::default()
    };
    let log = Arc::clone(&parts.log);
    if !parts.among {
        return Ok(CommandRole::start(log, options, stop));
    }
    let joined = Membership::join(settings, &owner, reporter.clone());
    let (membership, peers) = joined.context("the group of the command instances cannot be joined")?;
    let role = CommandRole::start_among(log, options, peers, stop);
    tasks.spawn("group", OnExit::StopProcess, membership.keep(role.halt()));
    tracing::info!(address = owner, group = settings.command.group, "one of several");
    Ok(role)
}

fn as_of(settings: &AsOf) -> AsOfOptions {
    AsOfOptions {
        every_records: settings.every_records,
        every: Duration::from_secs(settings.every_s),
        keep: settings.keep,
        disk_percent: settings.disk_percent,
        at_once: settings.at_once,
        queue: settings.queue,
        scratches: settings.restored,
    }
}
