//! One request to one address.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Response};
use http_body_util::{BodyExt, Full, Limited};
use pactum_journal::Status as JournalStatus;
use pactum_log::Offset;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};

use super::body::Noted;
use super::call::{Call, NOT_OWNER};
use super::meters::{Outcome, forwarded};

/// An answer is larger than its request, but not by much.
const MAX_ANSWER: usize = 32 << 20;

/// How long an answer may still take after a claim that deposes the one who was asked was read here.
const LATE: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Debug)]
pub(crate) enum Forwarded {
    /// The owner's answer, whatever it says.
    Answered(Box<Answered>),
    /// Nothing was appended, certainly: it was not received, or whom it reached is not the owner.
    Undelivered,
    /// It was sent, and there is no answer.
    Broken,
}

/// Another instance's whole answer.
#[derive(Debug)]
pub(crate) struct Answered {
    head: http::response::Parts,
    pub(crate) message: Bytes,
    trailers: Option<HeaderMap>,
}

impl Answered {
    /// The answer as it came.
    pub(crate) fn response(self) -> Response<Body> {
        let body = Full::new(self.message).with_trailers(std::future::ready(self.trailers.map(Ok)));
        Response::from_parts(self.head, Body::new(body))
    }

    /// The status that it carries.
    pub(crate) fn status(&self) -> Option<tonic::Status> {
        let trailers = self.trailers.as_ref().and_then(tonic::Status::from_header_map);
        trailers.or_else(|| tonic::Status::from_header_map(&self.head.headers))
    }
}

/// Sends the request and waits for its answer: until the deadline, or, where sending it again is safe, until the term in
/// which the owner was asked is over.
pub(crate) async fn forward(
    mut channel: Channel,
    call: &Call,
    mut status: watch::Receiver<JournalStatus>,
    term: Option<Offset>,
    repeatable: bool,
) -> Forwarded {
    let started = Instant::now();
    let (body, taken) = Noted::new(call.message.clone());
    let request = call.elsewhere(Body::new(body), call.hops().saturating_add(1));
    let answer = async {
        let response = channel.ready().await.ok()?.call(request).await.ok()?;
        let (head, body) = response.into_parts();
        let whole = Limited::new(body, MAX_ANSWER).collect().await.ok()?;
        let trailers = whole.trailers().cloned();
        Some(Answered { head, message: whole.to_bytes(), trailers })
    };
    let superseded = async {
        if !repeatable || status.wait_for(|status| status.term != term).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(LATE).await;
    };
    let answered = tokio::select! {
        biased;
        answered = answer => answered,
        () = superseded => None,
        () = tokio::time::sleep_until(call.deadline) => None,
    };
    let (outcome, forward) = match answered {
        Some(answered) if answered.head.headers.contains_key(NOT_OWNER) => {
            (Outcome::Undelivered, Forwarded::Undelivered)
        }
        Some(answered) => (Outcome::Answered, Forwarded::Answered(Box::new(answered))),
        None if taken.load(Ordering::Acquire) => (Outcome::Broken, Forwarded::Broken),
        None => (Outcome::Undelivered, Forwarded::Undelivered),
    };
    forwarded(started, outcome);
    forward
}
