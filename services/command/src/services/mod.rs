//! The contract's services. Each method is a request that [`Edge`] answers; what differs is its parsing, in `pactum-api`.

mod bulk;
mod unary;

use pactum_api::proto::bulk::v1::bulk_service_server::BulkServiceServer;
use pactum_api::proto::deal::v1::deal_service_server::DealServiceServer;
use pactum_api::proto::deal::v1::opportunity_service_server::OpportunityServiceServer;
use pactum_api::proto::partner::v1::partner_service_server::PartnerServiceServer;
use pactum_api::proto::program::v1::program_service_server::ProgramServiceServer;
use pactum_runtime::refine::Refined;
use tonic::service::RoutesBuilder;

use crate::edge::Edge;
use crate::role::CommandOptions;
use crate::route::{Kind, Routed};

/// Adds every service. A new one needs its line here.
pub(crate) fn add(edge: &Edge, options: &CommandOptions, routes: &mut RoutesBuilder) {
    macro_rules! add {
        ($($kind:ident $server:ident($service:expr);)*) => {$(
            let service = Refined($server::new($service).max_decoding_message_size(options.max_message_bytes));
            routes.add_service(Routed::new(service, Kind::$kind, edge.away().cloned()));
        )*};
    }
    add! {
        Unary ProgramServiceServer(unary::Programs(edge.clone()));
        Unary PartnerServiceServer(unary::Partners(edge.clone()));
        Unary DealServiceServer(unary::Deals(edge.clone()));
        Unary OpportunityServiceServer(unary::Opportunities(edge.clone()));
        Stream BulkServiceServer(bulk::Bulk::new(edge.clone(), options.bulk_window));
    }
}
