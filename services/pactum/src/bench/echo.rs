//! A gRPC service that does nothing: takes a message and answers with one, each as large as those it is held against. What
//! tonic itself costs on this machine.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use super::load::{self, Figures};

/// What the names of its rows begin with.
pub(super) const NAME: &str = "no-op echo";

/// How large a request and its answer are, encoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) asked: usize,
    pub(super) answered: usize,
}

impl Sizes {
    pub(super) fn of(request: &impl Message, answer: &impl Message) -> Self {
        Self { asked: request.encoded_len(), answered: answer.encoded_len() }
    }
}

const PATH: &str = "/pactum.bench.Echo/Echo";

#[derive(Clone, PartialEq, Message)]
struct Payload {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

#[derive(Clone)]
struct Echo {
    answer: Bytes,
}

impl NamedService for Echo {
    const NAME: &'static str = "pactum.bench.Echo";
}

impl UnaryService<Payload> for Echo {
    type Response = Payload;
    type Future = Ready<Result<Response<Payload>, Status>>;
    fn call(&mut self, _: Request<Payload>) -> Self::Future {
        ready(Ok(Response::new(Payload { bytes: self.answer.clone() })))
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
        let echo = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Payload, Payload>::default());
            Ok(grpc.unary(echo, request).await)
        })
    }
}

/// Measures the echo with messages of these sizes, over a server of its own.
pub(super) async fn measure(sizes: Sizes, in_flight: usize, seconds: f64) -> anyhow::Result<(String, Figures)> {
    let stop = CancellationToken::new();
    let _stopped = stop.clone().drop_guard();
    let channels = load::channels(start(sizes.answered, stop).await?, in_flight).await?;
    let payload = Payload { bytes: Bytes::from(vec![7; sizes.asked]) };
    let numbers = Arc::default();
    let figures = load::measure(&channels, in_flight, seconds, &numbers, move |channel, _| {
        let payload = payload.clone();
        async move {
            let mut grpc = tonic::client::Grpc::new(channel);
            grpc.ready().await?;
            let codec = ProstCodec::<Payload, Payload>::default();
            grpc.unary(Request::new(payload), PathAndQuery::from_static(PATH), codec).await?;
            Ok(())
        }
    });
    Ok((format!("{NAME}, {} and {} bytes", sizes.asked, sizes.answered), figures.await?))
}

async fn start(answer: usize, stop: CancellationToken) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let echo = Echo { answer: Bytes::from(vec![7; answer]) };
    tokio::spawn(Server::builder().add_service(echo).serve_with_incoming_shutdown(incoming, stop.cancelled_owned()));
    Ok(address)
}
