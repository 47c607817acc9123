//! A running process: starting, being ready, stopping.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pactum_log::Log;
use pactum_runtime::config::{LogKind, Settings};
use pactum_runtime::health::{Condition, Health};
use pactum_runtime::supervise::{OnExit, Tasks, stop_on_signals};
use pactum_runtime::token::TokenKey;
use pactum_runtime::{http, telemetry};
use pactum_store::Shared;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::assemble::{Parts, Roles, assemble};
use super::embedded::{open_log, shared};
use super::kafka;
use super::watch::{topic_condition, watch_log};

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

/// Starts all roles, as [`start_as`].
pub(crate) async fn start(settings: &Settings) -> anyhow::Result<System> {
    start_as(settings, Roles::All).await?.context("told to stop before it was started")
}

/// Starts roles with all that they need: log, gRPC, metrics and health; they stop on SIGTERM. `None` where that came before
/// they were started.
pub(super) async fn start_as(settings: &Settings, roles: Roles) -> anyhow::Result<Option<System>> {
    let among = settings.log.kind == LogKind::Kafka;
    anyhow::ensure!(
        among || roles == Roles::All,
        "log.kind is embedded, a log for one process: run `pactum serve`, or set log.kind = \"kafka\" (--kafka-brokers)"
    );
    telemetry::start_logging(&settings.telemetry)?;
    let metrics = telemetry::start_metrics()?;
    std::fs::create_dir_all(&settings.data)
        .with_context(|| format!("the data directory {} cannot be made", settings.data.display()))?;
    let key = || {
        TokenKey::of(settings.token.key_file.as_deref(), &settings.data)
            .context("token.key_file, or else the data directory, must hold the key; `pactum token` makes one")
    };
    let (served, kept) = (key()?, key()?);
    let shared = shared(settings);
    let stop = CancellationToken::new();
    // Before anything listens: what is wrong with it is the first thing to know.
    let embedded = match settings.log.kind {
        LogKind::Embedded => Some(Arc::new(open_log(settings, &shared, true).context("the log cannot be opened")?)),
        LogKind::Kafka => None,
    };
    stop_on_signals(stop.clone())?;

    let operators = listen(settings.http.listen, "http.listen").await?;
    let callers = listen(settings.grpc.listen, "grpc.listen").await?;
    let (http, grpc) = (operators.local_addr()?, callers.local_addr()?);
    let health = Health::default();
    let mut tasks = Tasks::new(stop.clone());
    health.set("log", Condition::Starting("opening it".into()));
    roles.announce(&health);
    tasks.spawn("http", OnExit::StopProcess, http::serve(operators, health.clone(), metrics, stop.clone()));
    let (log, log_id): (Arc<dyn Log>, _) = match embedded {
        Some(log) => {
            let watching = watch_log(Arc::clone(&log), health.clone(), stop.clone());
            tasks.spawn("log health", OnExit::StopProcess, watching);
            let id = log.identity().id;
            (log, Some(id))
        }
        None => match kafka::open(&settings.kafka, &health, &stop).await? {
            Some(opened) => {
                health.set("log", topic_condition(&opened.warnings));
                (opened.log, None)
            }
            None => return Ok(None),
        },
    };
    let parts = Parts { settings, shared, log_id, log, roles, among, health: health.clone() };
    assemble(&mut tasks, parts, callers, served, &stop).await?;
    Ok(Some(System { grpc, http, key: kept, health, tasks, stop, grace: settings.grace() }))
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
    roles.announce(&health);
    let mut tasks = Tasks::new(stop.clone());
    let shared: Shared = shared(&settings);
    let parts = Parts { settings: &settings, shared, log_id: None, log, roles, among: false, health: health.clone() };
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
