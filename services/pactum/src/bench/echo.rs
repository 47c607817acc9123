//! A gRPC service that gives back what it gets: what tonic itself costs on this machine.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::load::{self, Figures};

/// The row's name.
pub(super) const NAME: &str = "no-op echo";

const PATH: &str = "/pactum.bench.Echo/Echo";

#[derive(Clone, PartialEq, prost::Message)]
struct Payload {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "pactum.bench.Echo";
}

impl UnaryService<Payload> for Echo {
    type Response = Payload;
    type Future = Ready<Result<Response<Payload>, Status>>;
    fn call(&mut self, request: Request<Payload>) -> Self::Future {
        ready(Ok(Response::new(request.into_inner())))
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Payload, Payload>::default());
            Ok(grpc.unary(Echo, request).await)
        })
    }
}

/// Starts the echo until the stop.
pub(super) async fn start(stop: CancellationToken) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(Server::builder().add_service(Echo).serve_with_incoming_shutdown(incoming, stop.cancelled_owned()));
    Ok(address)
}

/// Measures the echo with messages of `size` bytes.
pub(super) async fn measure(
    address: SocketAddr,
    size: usize,
    in_flight: usize,
    seconds: f64,
) -> anyhow::Result<Figures> {
    let channels = load::channels(address, in_flight).await?;
    let payload = Payload { bytes: Bytes::from(vec![7; size]) };
    load::measure(&channels, in_flight, seconds, &Arc::new(AtomicU64::new(0)), move |channel, _| {
        let payload = payload.clone();
        async move {
            let mut grpc = tonic::client::Grpc::new(channel);
            grpc.ready().await?;
            let codec = ProstCodec::<Payload, Payload>::default();
            grpc.unary(Request::new(payload), PathAndQuery::from_static(PATH), codec).await?;
            Ok(())
        }
    })
    .await
}
