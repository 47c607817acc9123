//! A command role behind a real server, and callers of every kind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pactum_api::Caller;
use pactum_api::proto::bulk::v1::bulk_service_client::BulkServiceClient;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_api::proto::deal::v1::opportunity_service_client::OpportunityServiceClient;
use pactum_api::proto::partner::v1::partner_service_client::PartnerServiceClient;
use pactum_api::proto::program::v1::program_service_client::ProgramServiceClient;
use pactum_command::{CommandOptions, CommandRole, ProgramsMachine};
use pactum_domain::actor::{Actor, Role};
use pactum_events::Record;
use pactum_ids::{PartnerId, ProgramId};
use pactum_journal::{Follower, Position};
use pactum_log::Log;
use pactum_log::memory::{MemoryLog, MemoryOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::{InterceptorLayer, RoutesBuilder};
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

/// Says who calls, as `role@program` or `role:partner@program`: stands in for the access layer and its tokens.
const CALLER: &str = "x-test-caller";

pub(crate) struct Server {
    pub(crate) channel: Channel,
    pub(crate) role: CommandRole,
    pub(crate) address: SocketAddr,
    listening: CancellationToken,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

pub(crate) fn memory_log() -> Arc<dyn Log> {
    Arc::new(MemoryLog::new(&MemoryOptions { partitions: 4, ..MemoryOptions::default() }))
}

impl Server {
    pub(crate) async fn start(log: Arc<dyn Log>, options: CommandOptions) -> Self {
        let stop = CancellationToken::new();
        let listening = stop.child_token();
        let role = CommandRole::start(log, options, &stop);
        assert!(role.status().ready().await);
        let mut routes = RoutesBuilder::default();
        role.add_services(&mut routes);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(
            tonic::transport::Server::builder()
                .layer(InterceptorLayer::new(admit))
                .add_routes(routes.routes())
                .serve_with_incoming_shutdown(TcpListenerStream::new(listener), listening.clone().cancelled_owned()),
        );
        let channel = connect(address).await;
        Self { channel, role, address, listening, stop, serving }
    }

    pub(crate) async fn over_memory() -> Self {
        Self::start(memory_log(), CommandOptions::default()).await
    }

    /// Stops everything and gives the machines back.
    pub(crate) async fn stop(self) -> Vec<ProgramsMachine> {
        let Self { channel, role, stop, serving, .. } = self;
        drop(channel);
        stop.cancel();
        serving.await.unwrap().unwrap();
        role.stopped().await.unwrap()
    }

    /// Stops listening, but not the role: returns once every call has ended.
    pub(crate) async fn hang_up(self) {
        let Self { channel, role: _role, listening, serving, stop: _stop, .. } = self;
        drop(channel);
        listening.cancel();
        serving.await.unwrap().unwrap();
    }

    pub(crate) fn by(&self, caller: &str) -> Client {
        Client::new(self.channel.clone(), caller)
    }
}

pub(crate) async fn connect(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

pub(crate) fn admit(mut request: Request<()>) -> Result<Request<()>, Status> {
    let Some(caller) = request.metadata().get(CALLER) else { return Ok(request) };
    let (who, program) = caller.to_str().unwrap().split_once('@').unwrap();
    let (role, partner) = who.split_once(':').map_or((who, None), |(role, partner)| (role, Some(partner)));
    let actor = Actor {
        subject: "tester".into(),
        role: Role::parse(role).unwrap(),
        partner: partner.map(|id| PartnerId::new(id).unwrap()),
    };
    let program = ProgramId::new(program).unwrap();
    request.extensions_mut().insert(Arc::new(Caller { actor, program }));
    Ok(request)
}

/// One caller.
#[derive(Clone)]
pub(crate) struct Client {
    channel: Channel,
    caller: String,
}

impl Client {
    pub(crate) fn new(channel: Channel, caller: &str) -> Self {
        Self { channel, caller: caller.to_owned() }
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert(CALLER, self.caller.parse().unwrap());
        request
    }

    pub(crate) fn patient<T>(&self, message: T, patience: Duration) -> Request<T> {
        let mut request = self.request(message);
        request.set_timeout(patience);
        request
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn programs(&self) -> ProgramServiceClient<Channel> {
        ProgramServiceClient::new(self.channel())
    }

    pub(crate) fn partners(&self) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(self.channel())
    }

    pub(crate) fn deals(&self) -> DealServiceClient<Channel> {
        DealServiceClient::new(self.channel())
    }

    pub(crate) fn opportunities(&self) -> OpportunityServiceClient<Channel> {
        OpportunityServiceClient::new(self.channel())
    }

    pub(crate) fn bulk(&self) -> BulkServiceClient<Channel> {
        BulkServiceClient::new(self.channel())
    }
}

/// The stable reason of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map_or_else(|| format!("none: {status:?}"), |info| info.reason)
}

/// The fields that a refusal names.
pub(crate) fn fields(status: &Status) -> Vec<String> {
    let bad = status.get_details_bad_request();
    bad.map_or_else(Vec::new, |bad| bad.field_violations.into_iter().map(|violation| violation.field).collect())
}

/// Every record that took effect, partition by partition.
pub(crate) async fn records(log: &Arc<dyn Log>) -> Vec<Record> {
    let mut records = Vec::new();
    for partition in 0..log.partitions() {
        let end = log.end(partition).await.unwrap();
        let mut follower = Follower::open(Arc::clone(log), partition, Position::default()).await.unwrap();
        while follower.position().offset < end {
            let batch = follower.next(1000).await.unwrap();
            records.extend(batch.records.iter().map(|valid| pactum_events::decode(&valid.body).unwrap()));
        }
    }
    records
}
