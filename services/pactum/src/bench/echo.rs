//! A gRPC service that does nothing: takes a message and answers with one, each as large as those it is held against. What
//! tonic itself costs on this machine.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::uri::PathAndQuery;
use pactum_runtime::encoded::{EncodedServer, Method};
use prost::Message;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::load::{self, Figures};
use super::read_back::ReadBack;

/// What the names of its rows begin with.
pub(super) const NAME: &str = "no-op echo";

/// What an echo is asked with and answers.
#[derive(Clone, Debug)]
pub(super) struct Sizes<A = Payload> {
    /// How large a request is, encoded.
    pub(super) asked: usize,
    /// The answer, encoded: the same for everybody.
    answer: Bytes,
    /// What the caller decodes it as.
    decoded: PhantomData<fn() -> A>,
}

impl Sizes {
    /// Of these sizes, and bytes to whoever gets them.
    pub(super) fn of(request: &impl Message, answer: &impl Message) -> Self {
        Self::new(request.encoded_len(), &Payload { bytes: Bytes::from(vec![7; answer.encoded_len()]) })
    }
}

impl<A: Message> Sizes<A> {
    /// Of a request's size, and with the very answer: its caller then decodes what other callers decode.
    pub(super) fn with(request: &impl Message, answer: &A) -> Self {
        Self::new(request.encoded_len(), answer)
    }

    fn new(asked: usize, answer: &A) -> Self {
        Self { asked, answer: answer.encode_to_vec().into(), decoded: PhantomData }
    }
}

/// Bytes that mean nothing.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Payload {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

struct Echo {
    answer: Bytes,
    behind: Option<ReadBack>,
}

impl Method for Echo {
    const SERVICE: &'static str = "pactum.bench.Echo";
    const PATH: &'static str = "/pactum.bench.Echo/Echo";
    type Request = Payload;

    async fn answer(self: Arc<Self>, _: Request<Payload>) -> Result<Bytes, Status> {
        if let Some(behind) = &self.behind {
            behind.one().await?;
        }
        Ok(self.answer.clone())
    }
}

/// Measures the echo with messages of these sizes, over a server of its own.
pub(super) async fn measure<A: Message + Default + 'static>(
    sizes: &Sizes<A>,
    in_flight: usize,
    seconds: f64,
) -> anyhow::Result<(String, Figures)> {
    let figures = measure_over(None, sizes, in_flight, seconds).await?;
    Ok((format!("{NAME}, {} and {} bytes", sizes.asked, sizes.answer.len()), figures))
}

/// The same, with a log behind it.
pub(super) async fn measure_over<A: Message + Default + 'static>(
    behind: Option<ReadBack>,
    sizes: &Sizes<A>,
    in_flight: usize,
    seconds: f64,
) -> anyhow::Result<Figures> {
    let stop = CancellationToken::new();
    let _stopped = stop.clone().drop_guard();
    let echo = Echo { answer: sizes.answer.clone(), behind };
    let channels = load::channels(start(echo, stop).await?, in_flight).await?;
    let payload = Payload { bytes: Bytes::from(vec![7; sizes.asked]) };
    let numbers = Arc::default();
    let figures = load::measure(&channels, in_flight, seconds, &numbers, move |channel, _| {
        let payload = payload.clone();
        async move {
            let mut grpc = tonic::client::Grpc::new(channel);
            grpc.ready().await?;
            let codec = ProstCodec::<Payload, A>::default();
            grpc.unary(Request::new(payload), PathAndQuery::from_static(Echo::PATH), codec).await?;
            Ok(())
        }
    });
    figures.await
}

async fn start(echo: Echo, stop: CancellationToken) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let echo = EncodedServer::new(echo);
    tokio::spawn(Server::builder().add_service(echo).serve_with_incoming_shutdown(incoming, stop.cancelled_owned()));
    Ok(address)
}
