//! Command role and projector over one log, and callers of every kind.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pactum_api::Caller;
use pactum_api::proto::audit::v1::ListOwnershipHistoryRequest;
use pactum_api::proto::audit::v1::list_ownership_history_request::Subject;
use pactum_api::proto::audit::v1::ownership_query_service_client::OwnershipQueryServiceClient;
use pactum_api::proto::bulk::v1::bulk_service_client::BulkServiceClient;
use pactum_api::proto::common::v1::{Customer, Money, Scope};
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_api::proto::deal::v1::{Deal, ListDealsRequest, RegisterDealRequest};
use pactum_api::proto::partner::v1::partner_query_service_client::PartnerQueryServiceClient;
use pactum_api::proto::partner::v1::partner_service_client::PartnerServiceClient;
use pactum_api::proto::partner::v1::{
    ActivatePartnerRequest, ApprovePartnerRequest, CreatePartnerRequest, EnrollPartnerRequest, ListPartnersRequest,
    Partner,
};
use pactum_api::proto::pipeline::v1::QueryPipelineRequest;
use pactum_api::proto::pipeline::v1::pipeline_query_service_client::PipelineQueryServiceClient;
use pactum_api::proto::program::v1::program_query_service_client::ProgramQueryServiceClient;
use pactum_api::proto::program::v1::program_service_client::ProgramServiceClient;
use pactum_api::proto::program::v1::{CreateProgramRequest, GetProgramRequest, Program};
use pactum_api::proto::replay::v1::replay_service_client::ReplayServiceClient;
use pactum_command::{CommandOptions, CommandRole};
use pactum_domain::actor::{Actor, Role};
use pactum_ids::{PartnerId, ProgramId};
use pactum_log::Log;
use pactum_log::memory::{MemoryLog, MemoryOptions};
use pactum_projector::{Projector, ProjectorOptions, RunError, Status as Views};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::{InterceptorLayer, RoutesBuilder};
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};
use tonic_types::StatusExt;

/// Says who calls, as `role@program` or `role:partner@program`: stands in for the access layer and its tokens.
const CALLER: &str = "x-test-caller";

pub(crate) const ADMIN: &str = "program-admin@acme";
pub(crate) const NORTH: &str = "partner-sales:north@acme";
pub(crate) const SOUTH: &str = "partner-sales:south@acme";

pub(crate) const POLICY: &str = r#"
tiers:
  - id: gold
stages:
  - { id: new, probability: 10 }
  - { id: late, probability: 80 }
deal_registration:
  protection_days: 30
  max_extensions: 2
  max_extension_days: 10
  auto_approve: "true"
"#;

pub(crate) fn memory_log() -> Arc<dyn Log> {
    Arc::new(MemoryLog::new(&MemoryOptions { partitions: 2, ..MemoryOptions::default() }))
}

pub(crate) fn options(data: &Path) -> ProjectorOptions {
    ProjectorOptions { data: data.to_owned(), default_deadline: Duration::from_secs(5), ..Default::default() }
}

/// Everything that `serve` has, in one test.
pub(crate) struct System {
    pub(crate) channel: Channel,
    pub(crate) views: Views,
    command: CommandRole,
    stop: CancellationToken,
    projecting: JoinHandle<Result<(), RunError>>,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl System {
    pub(crate) async fn start(log: Arc<dyn Log>, data: &Path) -> Self {
        Self::start_with(log, options(data)).await
    }

    pub(crate) async fn start_with(log: Arc<dyn Log>, options: ProjectorOptions) -> Self {
        let stop = CancellationToken::new();
        let command = CommandRole::start(Arc::clone(&log), CommandOptions::default(), &stop);
        assert!(command.status().ready().await);
        let projector = Projector::open(log, options).unwrap();
        let mut routes = RoutesBuilder::default();
        command.add_services(&mut routes);
        projector.add_services(&mut routes);
        let views = projector.status();
        let projecting = tokio::spawn(projector.run(stop.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tonic::transport::Server::builder()
            .layer(InterceptorLayer::new(admit))
            .add_routes(routes.routes())
            // Without it every answer would wait for the other side's delayed acknowledgement.
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                stop.clone().cancelled_owned(),
            );
        let serving = tokio::spawn(server);
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { channel, views, command, stop, projecting, serving }
    }

    /// Stops everything as a process does on SIGTERM.
    pub(crate) async fn stop(self) {
        let Self { channel, command, stop, projecting, serving, views } = self;
        drop(channel);
        stop.cancel();
        serving.await.unwrap().unwrap();
        projecting.await.unwrap().unwrap();
        command.stopped().await.unwrap();
        drop(views);
    }

    pub(crate) fn by(&self, caller: &str) -> Client {
        Client { channel: self.channel.clone(), caller: caller.to_owned() }
    }
}

fn admit(mut request: Request<()>) -> Result<Request<()>, Status> {
    let Some(caller) = request.metadata().get(CALLER) else { return Ok(request) };
    let (who, program) = caller.to_str().unwrap().split_once('@').unwrap();
    let (role, partner) = who.split_once(':').map_or((who, None), |(role, partner)| (role, Some(partner)));
    let actor = Actor {
        subject: format!("user-of-{}", partner.unwrap_or("vendor")).into(),
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

macro_rules! services {
    ($($name:ident = $client:ident;)*) => {
        impl Client {
            $(pub(crate) fn $name(&self) -> $client<Channel> {
                $client::new(self.channel.clone())
            })*
        }
    };
}

services! {
    bulk = BulkServiceClient;
    programs = ProgramServiceClient;
    partners = PartnerServiceClient;
    deals = DealServiceClient;
    program_queries = ProgramQueryServiceClient;
    partner_queries = PartnerQueryServiceClient;
    deal_queries = DealQueryServiceClient;
    pipeline = PipelineQueryServiceClient;
    ownership = OwnershipQueryServiceClient;
    replay = ReplayServiceClient;
}

impl Client {
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
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

    /// Registers a deal of a partner, and returns its sequence.
    pub(crate) async fn register(&self, id: &str, partner: &str, domain: &str) -> u64 {
        let deal = deal_of(partner, domain);
        let register = RegisterDealRequest {
            parent: "programs/acme".into(),
            deal_id: id.into(),
            deal: Some(deal),
            request_id: format!("request-{id}"),
            ..Default::default()
        };
        self.deals().register_deal(self.request(register)).await.unwrap().into_inner().sequence
    }
}

pub(crate) fn deal_of(partner: &str, domain: &str) -> Deal {
    Deal {
        partner: format!("programs/acme/partners/{partner}"),
        title: format!("{partner} sells to {domain}"),
        customer: Some(Customer { domain: domain.into(), ..Default::default() }),
        scope: Some(Scope { products: vec![format!("{partner}-product")], ..Default::default() }),
        amount: Some(Money { currency_code: "USD".into(), minor: 7_777_777 }),
        close_date: "2199-03-31".into(),
        ..Default::default()
    }
}

pub(crate) fn deal_name(id: &str) -> String {
    format!("programs/acme/deals/{id}")
}

/// The program `acme` with its active partners `north` and `south`. Returns the last sequence.
pub(crate) async fn acme(system: &System) -> u64 {
    let admin = system.by(ADMIN);
    let create = CreateProgramRequest {
        program_id: "acme".into(),
        program: Some(Program { display_name: "Acme".into(), currency_code: "USD".into(), ..Default::default() }),
        policy_document: POLICY.into(),
        ..Default::default()
    };
    admin.programs().create_program(admin.request(create)).await.unwrap();
    let mut sequence = 0;
    for id in ["north", "south"] {
        let name = format!("programs/acme/partners/{id}");
        let partner = Partner { display_name: id.to_uppercase(), ..Default::default() };
        let create = CreatePartnerRequest {
            parent: "programs/acme".into(),
            partner_id: id.into(),
            partner: Some(partner),
            ..Default::default()
        };
        let mut partners = admin.partners();
        partners.create_partner(admin.request(create)).await.unwrap();
        let approve = ApprovePartnerRequest { name: name.clone(), ..Default::default() };
        partners.approve_partner(admin.request(approve)).await.unwrap();
        let enroll = EnrollPartnerRequest {
            name: name.clone(),
            tier: "gold".into(),
            partner_type: "reseller".into(),
            ..Default::default()
        };
        partners.enroll_partner(admin.request(enroll)).await.unwrap();
        let activate = ActivatePartnerRequest { name, ..Default::default() };
        sequence = partners.activate_partner(admin.request(activate)).await.unwrap().into_inner().sequence;
    }
    held_by_all(&admin, sequence).await;
    sequence
}

/// Waits until every view holds the sequence.
pub(crate) async fn held_by_all(admin: &Client, min_sequence: u64) {
    let parent = || "programs/acme".to_owned();
    let program = GetProgramRequest { name: parent(), min_sequence, ..Default::default() };
    admin.program_queries().get_program(admin.request(program)).await.unwrap();
    let partners = ListPartnersRequest { parent: parent(), min_sequence, ..Default::default() };
    admin.partner_queries().list_partners(admin.request(partners)).await.unwrap();
    let deals = ListDealsRequest { parent: parent(), min_sequence, ..Default::default() };
    admin.deal_queries().list_deals(admin.request(deals)).await.unwrap();
    let pipeline = QueryPipelineRequest { parent: parent(), min_sequence, ..Default::default() };
    admin.pipeline().query_pipeline(admin.request(pipeline)).await.unwrap();
    let subject = Subject::Customer(Customer { domain: "nobody.com".into(), ..Default::default() });
    let subject = Some(subject);
    let history = ListOwnershipHistoryRequest { parent: parent(), min_sequence, subject, ..Default::default() };
    admin.ownership().list_ownership_history(admin.request(history)).await.unwrap();
}

/// The stable reason of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map_or_else(|| format!("none: {status:?}"), |info| info.reason)
}
