//! Errors that the transport makes by itself, in the words of this API.
//!
//! Before a handler sees a request, tonic may have refused it: not valid Protobuf (which includes text that is not UTF-8),
//! or too large. It answers with a bare status, the first even with `INTERNAL`, which tells the caller that the service is
//! at fault. Statuses made by this API always carry details, so one without is the transport's.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::Map;
use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Code, Status};
use tower::Service;

/// A gRPC service whose transport errors are typed.
#[derive(Clone, Debug)]
pub struct Refined<S>(pub S);

impl<S: NamedService> NamedService for Refined<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Refined<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Map<S::Future, fn(Result<Response<Body>, Infallible>) -> Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.0.call(request).map(|response| {
            let mut response = response?;
            // A refusal before the first message leaves its status beside the headers.
            Ok(match response.extensions_mut().remove::<Status>() {
                Some(status) => refine(status).into_http(),
                None => response,
            })
        })
    }
}

/// Gives a status of the transport's its type; any other stays as it is.
#[must_use]
pub fn refine(status: Status) -> Status {
    if !status.details().is_empty() {
        return status;
    }
    match status.code() {
        Code::Internal => pactum_api::error::malformed_message(status.message()),
        Code::OutOfRange => pactum_api::error::message_too_large(status.message()),
        _ => status,
    }
}
