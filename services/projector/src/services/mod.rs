//! The contract's query services.

pub(crate) mod cache;
mod deal;
mod export;
mod ownership;
mod partner;
mod pipeline;
mod program;
mod replay;
pub(crate) mod views;

use std::sync::Arc;

use pactum_api::proto::audit::v1::ownership_query_service_server::OwnershipQueryServiceServer;
use pactum_api::proto::deal::v1::deal_query_service_server::DealQueryServiceServer;
use pactum_api::proto::partner::v1::partner_query_service_server::PartnerQueryServiceServer;
use pactum_api::proto::program::v1::program_query_service_server::ProgramQueryServiceServer;
use pactum_api::proto::replay::v1::replay_service_server::ReplayServiceServer;
use pactum_runtime::encoded::EncodedServer;
use pactum_runtime::refine::Refined;
use tonic::service::RoutesBuilder;

use crate::options::ProjectorOptions;
use crate::queries::Queries;

/// Adds every service. A new one needs its line here.
pub(crate) fn add(queries: &Arc<Queries>, options: &ProjectorOptions, routes: &mut RoutesBuilder) {
    macro_rules! add {
        ($($server:ident($service:path);)*) => {$(
            let service = $service(Arc::clone(queries));
            let server = $server::new(service).max_decoding_message_size(options.max_message_bytes);
            routes.add_service(Refined(server));
        )*};
    }
    add! {
        ProgramQueryServiceServer(program::Programs);
        PartnerQueryServiceServer(partner::Partners);
        DealQueryServiceServer(deal::Deals);
        EncodedServer(pipeline::Pipelines);
        OwnershipQueryServiceServer(ownership::Ownerships);
        ReplayServiceServer(replay::Replay);
    }
}
