//! `pactum serve`: all roles in one process on the embedded log.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::TryStreamExt;
use pactum_api::AccessTable;
use pactum_api::proto::DESCRIPTOR_SET;
use pactum_command::{CommandOptions, CommandRole};
use pactum_journal::JournalOptions;
use pactum_log::Log;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions, Identity, OpenError};
use pactum_projector::{Projector, ProjectorOptions};
use pactum_runtime::access::Access;
use pactum_runtime::config::Settings;
use pactum_runtime::health::{Condition, Health};
use pactum_runtime::io::Coalesced;
use pactum_runtime::supervise::{OnExit, Tasks, stop_on_signals};
use pactum_runtime::token::TokenKey;
use pactum_runtime::{http, telemetry};
use pactum_store::{Shared, SharedOptions};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;

use crate::cli::ServeArgs;
use crate::output;

/// Which roles a process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roles {
    /// Commands and queries.
    All,
    /// Commands alone.
    Command,
}

/// A running system.
pub(crate) struct System {
    pub(crate) grpc: SocketAddr,
    pub(crate) http: SocketAddr,
    pub(crate) key: TokenKey,
    pub(crate) health: Health,
    tasks: Tasks,
    stop: CancellationToken,
    grace: Duration,
}

pub(crate) async fn run(arguments: ServeArgs) -> anyhow::Result<()> {
    let settings = arguments.settings.load()?;
    if arguments.settings.print_config {
        return output::text(&settings.to_toml());
    }
    let system = start(&settings).await?;
    tracing::info!(grpc = %system.grpc, http = %system.http, data = %settings.data.display(), "listening");
    system.finish().await
}

/// RocksDB's cache, shared by all databases of the process.
pub(crate) fn shared(settings: &Settings) -> Shared {
    Shared::new(SharedOptions { block_cache_bytes: settings.memory.block_cache_mib << 20 })
}

/// Opens the embedded log below the data directory. A log that is there keeps its number of partitions.
pub(crate) fn open_log(settings: &Settings, shared: &Shared, create: bool) -> Result<EmbeddedLog, OpenError> {
    let path = settings.data.join("log");
    let kept = Identity::read(&path)?.map(|identity| identity.partitions);
    let options = EmbeddedOptions {
        partitions: kept.unwrap_or(settings.log.partitions),
        create,
        reserve_bytes: settings.log.reserve_mib << 20,
        shared: shared.clone(),
        ..EmbeddedOptions::default()
    };
    EmbeddedLog::open(path, options)
}

/// Starts everything that `serve` is: log, roles, gRPC, metrics and health; it stops on SIGTERM.
pub(crate) async fn start(settings: &Settings) -> anyhow::Result<System> {
    telemetry::start_logging(&settings.telemetry)?;
    let metrics = telemetry::start_metrics()?;
    std::fs::create_dir_all(&settings.data)
        .with_context(|| format!("the data directory {} cannot be made", settings.data.display()))?;
    let key = TokenKey::path(&settings.data);
    let (served, kept) = (TokenKey::read_or_create(&key)?, TokenKey::read(&key)?);
    let shared = shared(settings);
    let log = Arc::new(open_log(settings, &shared, true).context("the log cannot be opened")?);
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;

    let operators = listen(settings.http.listen, "http.listen").await?;
    let callers = listen(settings.grpc.listen, "grpc.listen").await?;
    let (http_address, grpc_address) = (operators.local_addr()?, callers.local_addr()?);
    let health = Health::default();
    let mut tasks = Tasks::new(stop.clone());
    tasks.spawn("http", OnExit::StopProcess, http::serve(operators, health.clone(), metrics, stop.clone()));
    let parts = Parts {
        settings,
        shared,
        log_id: Some(log.identity().id),
        log: Arc::clone(&log) as Arc<dyn Log>,
        roles: Roles::All,
        health: health.clone(),
    };
    assemble(&mut tasks, parts, callers, served, &stop).await?;
    tasks.spawn("log health", OnExit::StopProcess, watch_log(log, health.clone(), stop.clone()));
    let grace = settings.grace();
    Ok(System { grpc: grpc_address, http: http_address, key: kept, health, tasks, stop, grace })
}

/// Starts roles over a log that is given, on a free port, with a key of their own: for measuring.
pub(crate) async fn start_roles(
    log: Arc<dyn Log>,
    roles: Roles,
    data: &Path,
    stop: CancellationToken,
) -> anyhow::Result<System> {
    let settings = Settings { data: data.to_owned(), ..Settings::default() };
    let secret: [u8; 32] = rand::random();
    let callers = listen(SocketAddr::from(([127, 0, 0, 1], 0)), "grpc.listen").await?;
    let grpc = callers.local_addr()?;
    let health = Health::default();
    let mut tasks = Tasks::new(stop.clone());
    let shared = shared(&settings);
    let parts = Parts { settings: &settings, shared, log_id: None, log, roles, health: health.clone() };
    assemble(&mut tasks, parts, callers, TokenKey::from_secret(&secret), &stop).await?;
    let system =
        System { grpc, http: grpc, key: TokenKey::from_secret(&secret), health, tasks, stop, grace: settings.grace() };
    system.ready(Duration::from_secs(30)).await?;
    Ok(system)
}

async fn listen(address: SocketAddr, setting: &'static str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{setting} {address} cannot be listened on; is another pactum running there?"))
}

struct Parts<'a> {
    settings: &'a Settings,
    shared: Shared,
    log_id: Option<u128>,
    log: Arc<dyn Log>,
    roles: Roles,
    health: Health,
}

async fn assemble(
    tasks: &mut Tasks,
    parts: Parts<'_>,
    callers: TcpListener,
    key: TokenKey,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Parts { settings, shared, log_id, log, roles, health } = parts;
    health.set("command", Condition::Starting("starting".into()));
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

    let options = CommandOptions {
        journal: JournalOptions {
            owner: callers.local_addr()?.to_string(),
            log_id,
            queue: settings.command.queue,
            window: settings.command.window,
            ..JournalOptions::default()
        },
        max_message_bytes: settings.grpc.max_message_bytes,
        ..CommandOptions::default()
    };
    let command = CommandRole::start(Arc::clone(&log), options, stop);
    command.add_services(&mut routes);
    let commands = command.status();
    let mut conditions: Conditions = vec![("command", Box::new(move || commands.condition()))];
    if roles == Roles::All {
        health.set("projector", Condition::Starting("starting".into()));
        let options = ProjectorOptions {
            data: settings.data.join("views"),
            shared,
            max_message_bytes: settings.grpc.max_message_bytes,
            ..ProjectorOptions::default()
        };
        let projector = Projector::open(log, options).context("the views cannot be opened")?;
        projector.add_services(&mut routes);
        let views = projector.status();
        conditions.push(("projector", Box::new(move || views.condition())));
        tasks.spawn("projector", OnExit::StopProcess, projector.run(stop.clone()));
    }
    tasks.spawn("command", OnExit::StopProcess, async move { command.stopped().await.map(drop) });
    tasks.spawn("health", OnExit::StopProcess, watch_roles(conditions, health, reporter, stop.clone()));

    let incoming = TcpIncoming::from(callers).with_nodelay(Some(true)).with_keepalive(Some(Duration::from_secs(60)));
    let incoming = incoming.map_ok(Coalesced::from);
    let server = Server::builder()
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .layer(Access::new(AccessTable::load(), key))
        .add_routes(routes.routes())
        .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
    tasks.spawn("grpc", OnExit::StopProcess, server);
    Ok(())
}

/// Each role by name, and how to ask it how it does.
type Conditions = Vec<(&'static str, Box<dyn Fn() -> Condition + Send>)>;

/// Keeps the register of health, and through it the gRPC health service, at what the roles say.
async fn watch_roles(
    conditions: Conditions,
    health: Health,
    reporter: tonic_health::server::HealthReporter,
    stop: CancellationToken,
) -> Result<(), Infallible> {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let mut serving = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = look.tick() => {}
        }
        for (part, condition) in &conditions {
            health.set(part, condition());
        }
        if health.ready() != serving {
            serving = !serving;
            let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
            reporter.set_service_status("", status).await;
            if serving {
                // Ready: from now on only trouble changes anything.
                look = tokio::time::interval(Duration::from_millis(250));
            }
        }
    }
    reporter.set_service_status("", ServingStatus::NotServing).await;
    Ok(())
}

/// Tells the log's health and its size.
async fn watch_log(log: Arc<EmbeddedLog>, health: Health, stop: CancellationToken) -> Result<(), Infallible> {
    let mut look = tokio::time::interval(Duration::from_secs(1));
    loop {
        let found = log.health();
        let trouble = found.damage.or(found.appends);
        health.set("log", trouble.map_or(Condition::Ready, |error| Condition::Failed(error.to_string())));
        if let Some(store) = log.statistics().store {
            store.publish("log");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = look.tick() => {}
        }
    }
}

impl System {
    /// Waits until every role serves.
    pub(crate) async fn ready(&self, patience: Duration) -> anyhow::Result<()> {
        let mut changes = self.health.watch();
        let waiting = async {
            while !self.health.ready() {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        tokio::time::timeout(patience, waiting)
            .await
            .with_context(|| format!("not ready after {patience:?}: {:?}", self.health.snapshot()))
    }

    /// Begins the stop.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Runs until the stop, and through it.
    pub(crate) async fn finish(self) -> anyhow::Result<()> {
        self.tasks.run(self.grace).await?;
        tracing::info!("stopped");
        Ok(())
    }
}
