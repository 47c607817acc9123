//! A system in the test's own process: command roles over one log, a projector, the access layer, real sockets.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pactum_api::AccessTable;
use pactum_chaos::{History, Load, LoadOptions, LogContents};
use pactum_command::{CommandOptions, CommandRole};
use pactum_journal::JournalOptions;
use pactum_log::Log;
use pactum_projector::{Projector, ProjectorOptions};
use pactum_runtime::access::Access;
use pactum_runtime::token::TokenKey;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;
use tonic::transport::Server;

const SECRET: [u8; 32] = [7; 32];

/// How long anything may take before a test gives up: long, for machines that do other things.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Local {
    log: Arc<dyn Log>,
    commands: Vec<String>,
    queries: Vec<String>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
}

impl Local {
    /// Starts a command role in front of each handle of a log, all of them on the whole log, and one projector.
    pub(crate) async fn start(logs: &[Arc<dyn Log>], journal: JournalOptions, views: &Path) -> Self {
        let mut local = Self {
            log: Arc::clone(&logs[0]),
            commands: Vec::new(),
            queries: Vec::new(),
            tasks: JoinSet::new(),
            stop: CancellationToken::new(),
        };
        for log in logs {
            let options = CommandOptions { journal: journal.clone(), ..CommandOptions::default() };
            let role = CommandRole::start(Arc::clone(log), options, &local.stop);
            let mut routes = RoutesBuilder::default();
            role.add_services(&mut routes);
            let address = local.serve(routes).await;
            local.commands.push(address);
            local.tasks.spawn(async move { drop(role.stopped().await.unwrap()) });
        }
        let options = ProjectorOptions { data: views.to_owned(), ..ProjectorOptions::default() };
        let projector = Projector::open(Arc::clone(&local.log), options).unwrap();
        let mut routes = RoutesBuilder::default();
        projector.add_services(&mut routes);
        let address = local.serve(routes).await;
        local.queries.push(address);
        let stop = local.stop.clone();
        local.tasks.spawn(async move { projector.run(stop).await.unwrap() });
        local
    }

    async fn serve(&mut self, routes: RoutesBuilder) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder()
            .layer(Access::new(AccessTable::load(), TokenKey::from_secret(&SECRET)))
            .add_routes(routes.routes())
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), self.stop.clone().cancelled_owned());
        self.tasks.spawn(async move { server.await.unwrap() });
        format!("http://{address}")
    }

    pub(crate) async fn load(&self, options: LoadOptions) -> Load {
        let options = LoadOptions { commands: self.commands.clone(), queries: self.queries.clone(), ..options };
        Load::start(options, &TokenKey::from_secret(&SECRET)).await.unwrap()
    }

    /// Ends everything and gives the log.
    pub(crate) async fn finish(mut self) -> Arc<dyn Log> {
        self.stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        self.log
    }
}

/// A load on a system until every program has had so many answers, and the log after it.
pub(crate) async fn run(local: Local, options: LoadOptions, answers: u64) -> (History, Arc<dyn Log>) {
    let load = local.load(options).await;
    load.answered(answers, PATIENCE).await.unwrap();
    let history = load.stop().await;
    (history, local.finish().await)
}

/// What took effect.
pub(crate) async fn contents(log: &Arc<dyn Log>) -> LogContents {
    LogContents::read(log, PATIENCE).await.unwrap()
}
