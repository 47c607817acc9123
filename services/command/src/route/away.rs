//! Choosing whom to ask, waiting for somebody to ask, asking again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response};
use pactum_api::{Caller, error};
use pactum_journal::Status as JournalStatus;
use pactum_log::Partition;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Extensions, Status};
use tower::Service;

use super::call::{Call, NOT_OWNER, certain, hops, says_nothing_appended};
use super::forward::{Answered, Forwarded, forward};
use super::target::{Missed, Target, choose};
use super::{Attempt, meters};
use crate::edge::patience_of;
use crate::peers::pool::{Pool, Purpose};

/// How long an owner that could not be asked is left alone, unless its term ends before.
const PAUSE: Duration = Duration::from_millis(100);

/// Between a refusal here and the next try here: the journal's status is a moment behind its refusals.
const STEP: Duration = Duration::from_millis(2);

/// How this instance finds owners.
#[derive(Clone, Debug)]
pub(crate) struct Routes {
    /// Each partition's journal, by number.
    pub(crate) partitions: Vec<watch::Receiver<JournalStatus>>,
    /// This instance's address, as it stands in its claims.
    pub(crate) address: String,
    pub(crate) pool: Arc<Pool>,
    /// The largest message taken.
    pub(crate) max_message_bytes: usize,
    /// How many requests may be away at once.
    pub(crate) away: usize,
}

/// What requests that cannot be decided here do.
#[derive(Debug)]
pub(crate) struct Away {
    pub(super) routes: Routes,
    room: Semaphore,
}

/// What became of a request that went away.
#[derive(Debug)]
pub(crate) enum Sent {
    /// The owner's answer.
    Answered(Box<Answered>),
    /// This instance is, or is about to be, the owner.
    Here,
    /// There is none, and why; certainly nothing was appended unless that says so.
    Failed(Status),
    /// Too many are away already. Nothing was appended.
    NoRoom,
}

impl Away {
    pub(crate) fn new(routes: Routes) -> Self {
        meters::describe();
        Self { room: Semaphore::new(routes.away.max(1)), routes }
    }

    /// Answers a request here, or has it answered.
    pub(super) async fn unary<S>(
        self: Arc<Self>,
        mut service: S,
        request: Request<Body>,
    ) -> Result<Response<Body>, Infallible>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let Some(partition) = self.partition(request.extensions()) else { return service.call(request).await };
        let deadline = Instant::now() + patience_of(request.headers());
        let mut call = match Call::read(request, deadline, self.routes.max_message_bytes).await {
            Ok(call) => call,
            Err(status) => return Ok(status.into_http()),
        };
        loop {
            let attempt = Attempt::default();
            let mut response = service.call(call.here(&attempt)).await?;
            let Some(found) = attempt.found() else { return Ok(call.certain_response(response)) };
            if call.hops() > 0 {
                response.headers_mut().insert(NOT_OWNER, HeaderValue::from_static("1"));
                return Ok(response);
            }
            match self.send(&mut call, partition, found.repeatable).await {
                Sent::Answered(answered) => return Ok(answered.response()),
                Sent::Failed(status) => return Ok(status.into_http()),
                Sent::NoRoom => return Ok(call.certain_response(response)),
                Sent::Here => tokio::time::sleep(STEP).await,
            }
            if Instant::now() >= call.deadline {
                return Ok(call.certain_response(response));
            }
        }
    }

    /// Sends a request to the owner, waiting for one if need be, until it has an answer.
    pub(super) async fn send(&self, call: &mut Call, partition: Partition, repeatable: bool) -> Sent {
        let Ok(_permit) = self.room.try_acquire() else {
            metrics::counter!("pactum_away_refused_total").increment(1);
            return Sent::NoRoom;
        };
        let mut missed = None;
        loop {
            let Some(target) = self.target(partition, missed.as_ref(), call.deadline).await else {
                return Sent::Failed(certain(self.nobody(partition), call.doubtful));
            };
            let Target::Owner { address, term } = target else { return Sent::Here };
            let channel = match self.routes.pool.channel(&address, Purpose::Forward) {
                Ok(channel) => channel,
                Err(bad) => return Sent::Failed(certain(error::not_serving(&bad.to_string()), call.doubtful)),
            };
            let status = self.status(partition);
            match forward(channel, call, status, term, repeatable).await {
                Forwarded::Answered(answered) => {
                    let uncertain = answered.status().filter(|failure| call.doubtful && says_nothing_appended(failure));
                    return if uncertain.is_some() {
                        Sent::Failed(error::outcome_unknown())
                    } else {
                        Sent::Answered(answered)
                    };
                }
                Forwarded::Broken if !repeatable || Instant::now() >= call.deadline => {
                    return Sent::Failed(error::outcome_unknown());
                }
                sent @ (Forwarded::Broken | Forwarded::Undelivered) => {
                    call.doubtful |= matches!(sent, Forwarded::Broken);
                    tracing::debug!(partition, address, "the owner could not be asked");
                    missed = Some(Missed { term, until: Instant::now() + PAUSE });
                }
            }
        }
    }

    /// Why nobody could be asked. Nothing was appended.
    fn nobody(&self, partition: Partition) -> Status {
        let status = self.status(partition);
        let status = status.borrow();
        match status.log_error.as_ref().or(status.read_error.as_ref()) {
            Some(log) => error::log_unavailable(&log.to_string()),
            None => error::not_decided(),
        }
    }

    /// Waits until somebody can be asked; `None` at the deadline.
    pub(super) async fn target(
        &self,
        partition: Partition,
        missed: Option<&Missed>,
        deadline: Instant,
    ) -> Option<Target> {
        let mut status = self.status(partition);
        loop {
            if Instant::now() >= deadline {
                return None;
            }
            let target = choose(&status.borrow_and_update(), &self.routes.address, missed);
            if target != Target::Nobody {
                return Some(target);
            }
            let again = missed.map(|missed| missed.until).filter(|until| *until > Instant::now());
            let wake = again.map_or(deadline, |again| again.min(deadline));
            tokio::select! {
                changed = status.changed() => changed.ok()?,
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// The partition of the caller's program, which is the only one that it has business in.
    pub(super) fn partition(&self, extensions: &Extensions) -> Option<Partition> {
        let caller = extensions.get::<Arc<Caller>>()?;
        let partitions = u32::try_from(self.routes.partitions.len()).expect("a log numbers its partitions by u32");
        Some(pactum_events::partition_of(&caller.program, partitions))
    }

    pub(super) fn status(&self, partition: Partition) -> watch::Receiver<JournalStatus> {
        self.routes.partitions[partition as usize].clone()
    }

    /// Whether a stream that came with these headers was sent on by another instance.
    pub(super) fn was_sent_on(headers: &http::HeaderMap) -> bool {
        hops(headers) > 0
    }
}
