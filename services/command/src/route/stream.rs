//! Bulk streams. All requests of one are for the caller's program, so a whole stream has one owner, and its order is kept by
//! sending it on whole. What lost its owner on the way is sent on item by item, each after the one before it is answered.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response};
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::bulk::v1::{ExecuteRequest, ExecuteResponse};
use pactum_api::{Reason, error};
use pactum_ids::ProgramId;
use prost::Message;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Service, ServiceExt};

use super::away::{Away, Sent};
use super::body::{Lent, Told};
use super::call::{Call, FORWARDED, certain, frame, hops, path_of, unframe};
use super::target::{Missed, Target};
use crate::edge::patience_of;
use crate::peers::pool::Purpose;

/// The stream's method, which single items are sent on to as well.
const EXECUTE: &str = "/pactum.bulk.v1.BulkService/Execute";

/// An item that was taken by an owner and then lost may be sent on once by that owner, so a stream's item goes at most this far.
const MAX_HOPS: u8 = 2;

/// How long an owner that could not be asked is left alone.
const PAUSE: Duration = Duration::from_millis(100);

impl Away {
    /// Takes a stream here, or sends it to the owner. Once taken, here or there, it stays.
    pub(super) async fn stream<S>(
        self: Arc<Self>,
        mut service: S,
        request: Request<Body>,
    ) -> Result<Response<Body>, Infallible>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let partition = match self.partition(request.extensions()) {
            Some(partition) if !Self::was_sent_on(request.headers()) => partition,
            _ => return service.call(request).await,
        };
        let deadline = Instant::now() + patience_of(request.headers());
        let (parts, mut body) = request.into_parts();
        let mut missed: Option<Missed> = None;
        loop {
            let (address, term) = match self.target(partition, missed.as_ref(), deadline).await {
                Some(Target::Owner { address, term }) => (address, term),
                Some(Target::Here | Target::Nobody) | None => {
                    return service.call(Request::from_parts(parts, body)).await;
                }
            };
            let Ok(mut channel) = self.routes.pool.channel(&address, Purpose::Forward) else {
                return Ok(error::not_serving("the owner's address cannot be connected to").into_http());
            };
            let lent = Lent::new(body);
            let mut there = Request::new(Body::new(lent.clone()));
            *there.method_mut() = Method::POST;
            *there.uri_mut() = path_of(&parts.uri);
            *there.headers_mut() = parts.headers.clone();
            there.headers_mut().remove(http::header::HOST);
            there.headers_mut().insert(FORWARDED, http::HeaderValue::from_static("1"));
            let answered = async { channel.ready().await?.call(there).await }.await;
            if let Ok(response) = answered {
                return Ok(response.map(|body| Body::new(Told::new(body))));
            }
            let Some(untouched) = lent.take_back() else {
                let why = "the owner of the program broke off; repeat with the same request ids";
                return Ok(error::not_serving(why).into_http());
            };
            body = untouched;
            missed = Some(Missed { term, until: Instant::now() + PAUSE });
        }
    }

    /// Whether an item of a stream with these headers may be sent on.
    pub(crate) fn may_send(headers: &HeaderMap) -> bool {
        hops(headers) < MAX_HOPS
    }

    /// Sends one item of a stream to the owner; `None` where it is to be decided here after all. `doubtful` is whether it may
    /// have taken effect before, and becomes so where an owner's answer does not come.
    pub(crate) async fn item(
        &self,
        program: &ProgramId,
        headers: &HeaderMap,
        item: &ExecuteRequest,
        repeatable: bool,
        doubtful: &mut bool,
        deadline: Instant,
    ) -> Option<Result<Outcome, Status>> {
        let partitions = u32::try_from(self.routes.partitions.len()).expect("a log numbers its partitions by u32");
        let partition = pactum_events::partition_of(program, partitions);
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = http::Uri::from_static(EXECUTE);
        *request.headers_mut() = headers.clone();
        let mut call = Call::new(request.into_parts().0, frame(&item.encode_to_vec()), deadline);
        call.doubtful = *doubtful;
        loop {
            let sent = self.send(&mut call, partition, repeatable).await;
            *doubtful = call.doubtful;
            let answered = match sent {
                Sent::Answered(answered) => answered,
                Sent::Here => return None,
                Sent::Failed(status) => return Some(Err(status)),
                Sent::NoRoom => {
                    let full = error::not_serving("too many requests wait for an owner");
                    return Some(Err(certain(full, call.doubtful)));
                }
            };
            let outcome = match unframe(&answered.message).map(ExecuteResponse::decode) {
                Some(Ok(ExecuteResponse { outcome: Some(outcome), .. })) => outcome,
                _ => {
                    let broken = || error::internal("the owner's answer to the item cannot be read");
                    let status = answered.status().filter(|status| status.code() != Code::Ok);
                    return Some(Err(status.unwrap_or_else(broken)));
                }
            };
            // The owner that was asked is none: nothing was appended.
            let not_there = matches!(&outcome, Outcome::Error(error) if error.reason == Reason::NOT_SERVING.name);
            if !not_there || Instant::now() >= deadline {
                return Some(match outcome {
                    Outcome::Error(said) if call.doubtful && Reason::says_nothing_appended(&said.reason) => {
                        Err(error::outcome_unknown())
                    }
                    outcome => Ok(outcome),
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
