//! Messages that the transport refuses before a service sees them are answered in the words of this API, too.

use pactum_api::proto::deal::v1::{GetDealRequest, GetDealResponse};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use crate::system::{ADMIN, Client, System, acme, memory_log, options, reason};

/// `GetDealRequest`, whose name is any bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct AnyName {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
}

async fn get_deal(client: &Client, name: Vec<u8>) -> Status {
    let mut grpc = tonic::client::Grpc::new(client.channel());
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/pactum.deal.v1.DealQueryService/GetDeal");
    let codec = ProstCodec::<AnyName, GetDealResponse>::default();
    grpc.unary(client.request(AnyName { name }), path, codec).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_or_too_large_is_the_callers_fault() {
    let data = tempfile::tempdir().unwrap();
    let options = pactum_projector::ProjectorOptions { max_message_bytes: 4096, ..options(data.path()) };
    let system = System::start_with(memory_log(), options).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let not_text = get_deal(&admin, vec![0xC3, 0xFF]).await;
    assert_eq!((not_text.code(), reason(&not_text).as_str()), (Code::InvalidArgument, "MALFORMED_MESSAGE"));
    let too_large = GetDealRequest { name: "x".repeat(5_000), ..GetDealRequest::default() };
    let too_large = admin.deal_queries().get_deal(admin.request(too_large)).await.unwrap_err();
    assert_eq!((too_large.code(), reason(&too_large).as_str()), (Code::InvalidArgument, "TOO_LARGE"));
    system.stop().await;
}
