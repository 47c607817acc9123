//! Several command roles over one log, each with a thread of its own, which can die or stall as a process does.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use pactum_command::{CommandOptions, CommandRole, CommandStatus, Detection, Peers};
use pactum_ids::ProgramId;
use pactum_journal::Role;
use pactum_log::Log;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::{InterceptorLayer, RoutesBuilder};

use crate::server::{Client, admit, connect};

/// Long, for machines that do other things: what is fast is measured elsewhere.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What all instances share.
pub(crate) struct Cluster {
    pub(crate) log: Arc<dyn Log>,
    members: watch::Sender<Vec<String>>,
    pub(crate) detection: Detection,
}

/// One of several.
pub(crate) struct Instance {
    pub(crate) address: SocketAddr,
    pub(crate) status: CommandStatus,
    assigned: watch::Sender<BTreeSet<u32>>,
    stop: CancellationToken,
    dead: CancellationToken,
    stall: tokio::sync::mpsc::UnboundedSender<mpsc::Receiver<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Cluster {
    pub(crate) fn over(log: Arc<dyn Log>) -> Self {
        Self { log, members: watch::Sender::new(Vec::new()), detection: Detection::default() }
    }

    /// Starts an instance; `assigned` is what it is told to own.
    pub(crate) async fn start(&self, assigned: impl IntoIterator<Item = u32>) -> Instance {
        let assigned = watch::Sender::new(assigned.into_iter().collect());
        let (stop, dead) = (CancellationToken::new(), CancellationToken::new());
        let (stall, mut stalls) = tokio::sync::mpsc::unbounded_channel::<mpsc::Receiver<()>>();
        let (started, on_start) = oneshot::channel();
        let (log, members, detection) = (Arc::clone(&self.log), self.members.subscribe(), self.detection);
        let (told, stopping, dying) = (assigned.subscribe(), stop.clone(), dead.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            // Everything in here goes with the runtime, connections included, as with a process.
            runtime.block_on(async move {
                let work = run(log, Peering { told, members, detection }, stopping, started);
                let stalled = async {
                    while let Some(until) = stalls.recv().await {
                        // Blocks the only thread: the kernel goes on answering for its sockets, nobody else does.
                        let _ = until.recv();
                    }
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = dying.cancelled() => {}
                    () = stalled => {}
                    () = work => {}
                }
            });
        });
        let (address, status) = on_start.await.unwrap();
        self.members.send_modify(|members| members.push(address.to_string()));
        Instance { address, status, assigned, stop, dead, stall, thread: Some(thread) }
    }

    /// Takes an instance out of the members, as a group does when one is gone for long.
    pub(crate) fn forget(&self, address: SocketAddr) {
        self.members.send_modify(|members| members.retain(|member| *member != address.to_string()));
    }

    pub(crate) fn partition(&self, program: &str) -> u32 {
        pactum_events::partition_of(&ProgramId::new(program).unwrap(), self.log.partitions())
    }
}

struct Peering {
    told: watch::Receiver<BTreeSet<u32>>,
    members: watch::Receiver<Vec<String>>,
    detection: Detection,
}

async fn run(
    log: Arc<dyn Log>,
    peering: Peering,
    stop: CancellationToken,
    started: oneshot::Sender<(SocketAddr, CommandStatus)>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut options = CommandOptions::default();
    options.journal.owner = address.to_string();
    let (reporter, health) = tonic_health::server::health_reporter();
    let Peering { told, members, detection } = peering;
    let peers = Peers { assigned: told, members, health: reporter.clone(), detection };
    let role = CommandRole::start_among(log, options, peers, &stop);
    let mut routes = RoutesBuilder::default();
    routes.add_service(health);
    role.add_services(&mut routes);
    let serving = tonic::transport::Server::builder()
        .layer(InterceptorLayer::new(admit))
        .add_routes(routes.routes())
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), role.halt().cancelled_owned());
    started.send((address, role.status())).unwrap();
    let (served, stopped) = tokio::join!(serving, role.stopped());
    served.unwrap();
    stopped.unwrap();
}

impl Instance {
    pub(crate) async fn by(&self, caller: &str) -> Client {
        Client::new(connect(self.address).await, caller)
    }

    pub(crate) fn assign(&self, partitions: impl IntoIterator<Item = u32>) {
        self.assigned.send_replace(partitions.into_iter().collect());
    }

    /// Waits until it owns the partition.
    pub(crate) async fn owns(&self, partition: u32) {
        self.is(partition, Role::Owner).await;
    }

    pub(crate) async fn is(&self, partition: u32, role: Role) {
        let mut watched = self.status.watch(partition);
        let reached = tokio::time::timeout(PATIENCE, watched.wait_for(|status| status.role == role)).await;
        assert!(reached.is_ok(), "{} is not {role:?} of {partition}: {:?}", self.address, self.status.partitions());
    }

    /// SIGTERM.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits for the end after a stop.
    pub(crate) async fn ended(mut self) {
        let thread = self.thread.take().unwrap();
        let ended = tokio::task::spawn_blocking(move || thread.join().is_ok());
        assert!(tokio::time::timeout(PATIENCE, ended).await.expect("the instance stops").unwrap());
    }

    /// `kill -9`.
    pub(crate) async fn kill(self) {
        self.dead.cancel();
        self.ended().await;
    }

    /// SIGSTOP until the sender is dropped.
    pub(crate) fn stall(&self) -> mpsc::Sender<()> {
        let (resume, until) = mpsc::channel();
        self.stall.send(until).unwrap();
        resume
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.dead.cancel();
    }
}
