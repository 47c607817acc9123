//! A unary method whose answers are kept encoded.
//!
//! The services that tonic generates encode an answer for each caller. Where the same answer of many nested groups goes out
//! over and over, that and the copy of the message that it takes are work done again for each; so it is encoded once.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut as _, Bytes};
use futures::future::BoxFuture;
use http::{Request, Response};
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic_prost::ProstCodec;
use tower::Service;

/// A service of the contract with one unary method, which answers with bytes.
pub trait Method: Send + Sync + 'static {
    /// The service's full name in the contract.
    const SERVICE: &'static str;
    /// The method's path: `/{service}/{method}`.
    const PATH: &'static str;
    /// What it is asked with.
    type Request: Message + Default + 'static;

    /// Answers with the response message, encoded.
    fn answer(
        self: Arc<Self>,
        request: tonic::Request<Self::Request>,
    ) -> impl Future<Output = Result<Bytes, Status>> + Send;
}

/// Serves a [`Method`].
#[derive(Debug)]
pub struct EncodedServer<M> {
    method: Arc<M>,
    max_request_bytes: usize,
}

impl<M> EncodedServer<M> {
    /// Serves it; requests of any size are taken.
    #[must_use]
    pub fn new(method: M) -> Self {
        Self { method: Arc::new(method), max_request_bytes: usize::MAX }
    }

    /// Sets the largest request taken, in bytes; named as the generated servers name it.
    #[must_use]
    pub fn max_decoding_message_size(self, max_request_bytes: usize) -> Self {
        Self { max_request_bytes, ..self }
    }
}

impl<M> Clone for EncodedServer<M> {
    fn clone(&self) -> Self {
        Self { method: Arc::clone(&self.method), max_request_bytes: self.max_request_bytes }
    }
}

impl<M: Method> NamedService for EncodedServer<M> {
    const NAME: &'static str = M::SERVICE;
}

impl<M: Method> Service<Request<Body>> for EncodedServer<M> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Self { method, max_request_bytes } = self.clone();
        Box::pin(async move {
            if request.uri().path() != M::PATH {
                return Ok(Status::unimplemented("").into_http());
            }
            let codec = EncodedCodec::<M::Request>(PhantomData);
            let mut grpc = Grpc::new(codec).apply_max_message_size_config(Some(max_request_bytes), None);
            Ok(grpc.unary(Unary(method), request).await)
        })
    }
}

struct Unary<M>(Arc<M>);

impl<M: Method> UnaryService<M::Request> for Unary<M> {
    type Response = Bytes;
    type Future = BoxFuture<'static, Result<tonic::Response<Bytes>, Status>>;

    fn call(&mut self, request: tonic::Request<M::Request>) -> Self::Future {
        let method = Arc::clone(&self.0);
        Box::pin(async move { method.answer(request).await.map(tonic::Response::new) })
    }
}

/// Decodes requests, and passes answers on as they are.
struct EncodedCodec<R>(PhantomData<fn() -> R>);

impl<R: Message + Default + 'static> Codec for EncodedCodec<R> {
    type Encode = Bytes;
    type Decode = R;
    type Encoder = AsItIs;
    type Decoder = <ProstCodec<R, R> as Codec>::Decoder;

    fn encoder(&mut self) -> AsItIs {
        AsItIs
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<R, R>::default().decoder()
    }
}

struct AsItIs;

impl Encoder for AsItIs {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}
