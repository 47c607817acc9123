//! From any instance to the owner: a layer around each service that, where this instance cannot decide a command, sends the
//! same request to the owner named in the claim in force, or waits for one.
//!
//! Only what was certainly not appended is sent on, and what was sent on is sent on no further. So a command is decided
//! at most once per request id wherever it came in, and one without a request id is never sent twice.
//!
//! - [`attempt`]: how the handler says that another instance should answer.
//! - [`call`]: a request that can be made more than once, here or elsewhere.
//! - [`away`]: choosing whom to ask, waiting, asking again.
//! - [`forward`]: one request to one address, and what is known when it fails.
//! - [`stream`]: whole bulk streams to the owner, and single items that lost their owner on the way.
//! - [`body`]: bodies that know whether anything of them was sent.

mod attempt;
mod away;
mod body;
mod call;
mod forward;
mod meters;
mod stream;
mod target;

pub(crate) use attempt::Attempt;
pub(crate) use away::{Away, Routes};
pub(crate) use call::certain;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::{BoxFuture, Either};
use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// What a service's methods are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A request, an answer.
    Unary,
    /// A stream of requests for the caller's program.
    Stream,
}

/// A service whose requests find the owner. Without others there is nothing to find, and nothing is added to a request's way.
#[derive(Clone, Debug)]
pub(crate) struct Routed<S> {
    inner: S,
    kind: Kind,
    away: Option<Arc<Away>>,
}

impl<S> Routed<S> {
    pub(crate) fn new(inner: S, kind: Kind, away: Option<Arc<Away>>) -> Self {
        Self { inner, kind, away }
    }
}

impl<S: NamedService> NamedService for Routed<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Routed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let Some(away) = &self.away else { return Either::Left(self.inner.call(request)) };
        let (away, inner) = (Arc::clone(away), self.inner.clone());
        Either::Right(match self.kind {
            Kind::Unary => away.unary(inner, request).boxed(),
            Kind::Stream => away.stream(inner, request).boxed(),
        })
    }
}
