//! One request of a client, sent as often as a good client sends it: while nothing was appended, and while the outcome is not
//! known, always with the same request id.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::{Caller, Reason};
use prost::Message as _;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use tokio_util::sync::CancellationToken;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Status};

use super::endpoints::Endpoints;
use crate::check::decide::refused;
use crate::history::{Clock, CommandCall, Outcome};
use crate::wire::{self, Answer};

/// Who asks, with the token that says so.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) caller: Arc<Caller>,
    pub(super) authorization: MetadataValue<Ascii>,
}

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one attempt.
    pub attempt: Duration,
    /// For a request, over all of its attempts.
    pub request: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { attempt: Duration::from_secs(2), request: Duration::from_secs(15) }
    }
}

/// What an attempt came to.
enum Attempt {
    Final(Outcome),
    /// Nothing was appended, certainly.
    NotTaken(String),
    Unknown(String),
}

/// Everything a call needs besides what it asks.
pub(super) struct Sender<'a> {
    pub(super) client: u32,
    pub(super) clock: Clock,
    pub(super) endpoints: &'a Endpoints,
    pub(super) patience: Patience,
    /// Cancelled when no attempt more is to be made.
    pub(super) stop: &'a CancellationToken,
}

impl Sender<'_> {
    /// Sends a command until its outcome is known or patience ends. `forgetful`: gives up at the first attempt whose outcome
    /// is not known, as a client does that crashes.
    pub(super) async fn command(
        &self,
        identity: &Identity,
        request: Arc<Request>,
        forgetful: bool,
        rng: &mut ChaCha8Rng,
    ) -> CommandCall {
        let body = Bytes::from(request.content());
        let first_invoked = self.clock.now();
        let give_up = tokio::time::Instant::now() + self.patience.request;
        let (mut attempts, mut doubtful) = (0_u32, false);
        loop {
            attempts += 1;
            let invoked = self.clock.now();
            let place = self.endpoints.choose(rng);
            let attempt = self.attempt(place, &request, identity, body.clone()).await;
            let (outcome, stop) = match attempt {
                Attempt::Final(outcome) => (outcome, true),
                Attempt::NotTaken(reason) => (Outcome::NotTaken { reason }, false),
                Attempt::Unknown(why) => (Outcome::Unknown { why }, forgetful),
            };
            let returned = self.clock.now();
            let pause = Duration::from_millis(rng.random_range(10..10 + 20 * u64::from(attempts.min(10))));
            if stop || self.stop.is_cancelled() || tokio::time::Instant::now() + pause >= give_up {
                let outcome = match outcome {
                    // The last attempt left nothing, but one before it may have.
                    Outcome::NotTaken { reason } if doubtful => Outcome::Unknown { why: reason },
                    outcome => outcome,
                };
                let (client, caller) = (self.client, Arc::clone(&identity.caller));
                return CommandCall {
                    client,
                    caller,
                    request,
                    first_invoked,
                    invoked,
                    returned,
                    attempts,
                    doubtful,
                    outcome,
                };
            }
            doubtful |= matches!(outcome, Outcome::Unknown { .. });
            let _ = self.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn attempt(&self, place: usize, request: &Request, identity: &Identity, body: Bytes) -> Attempt {
        let channel = match self.endpoints.channel(place).await {
            Ok(channel) => channel,
            Err(error) => {
                self.endpoints.failed(place);
                return Attempt::NotTaken(format!("no connection: {error}"));
            }
        };
        let path = request.path();
        let answer = wire::call(channel, path, &identity.authorization, body, self.patience.attempt).await;
        match answer.and_then(|bytes| Answer::decode(bytes).map_err(|error| Status::internal(error.to_string()))) {
            Ok(Answer { resource, sequence }) => Attempt::Final(Outcome::Answered { sequence, resource }),
            Err(status) => {
                self.note(place, &status).await;
                judge(&status)
            }
        }
    }

    /// Sends a read once to each address at most, until one answers. `NOT_FOUND` is an answer: the status.
    pub(super) async fn read(
        &self,
        identity: &Identity,
        path: &'static str,
        body: Bytes,
        rng: &mut ChaCha8Rng,
    ) -> Option<Result<Bytes, Status>> {
        let first = self.endpoints.choose(rng);
        for step in 0..self.endpoints.len() {
            let place = (first + step) % self.endpoints.len();
            let Ok(channel) = self.endpoints.channel(place).await else {
                self.endpoints.failed(place);
                continue;
            };
            match wire::call(channel, path, &identity.authorization, body.clone(), self.patience.attempt).await {
                Ok(bytes) => return Some(Ok(bytes)),
                Err(status) if status.code() == Code::NotFound => return Some(Err(status)),
                Err(status) => self.note(place, &status).await,
            }
        }
        None
    }

    /// Keeps in mind what a failure says about the address that was asked: nothing, where it was the command's.
    async fn note(&self, place: usize, status: &Status) {
        const CANNOT: [Reason; 2] = [Reason::LOG_UNAVAILABLE, Reason::NOT_DECIDED];
        let reason = refused(status).reason;
        if status.details().is_empty() || CANNOT.iter().any(|cannot| cannot.name == reason) {
            self.endpoints.failed(place);
        }
        if broke_off(status) {
            self.endpoints.forget(place).await;
        }
    }
}

/// Whether the status is the transport's: those of the API carry details always.
fn broke_off(status: &Status) -> bool {
    status.details().is_empty() && status.code() != Code::DeadlineExceeded
}

/// What a status says about the command's effect.
fn judge(status: &Status) -> Attempt {
    // A fault of the server is not tried again: the checker is to see it.
    const FAULTS: [Reason; 2] = [Reason::INTERNAL, Reason::DATA_CORRUPT];
    let refused = refused(status);
    let is = |reasons: &[Reason]| reasons.iter().any(|reason| reason.name == refused.reason);
    let words = || format!("{}: {}", refused.reason, refused.message);
    if Reason::says_nothing_appended(&refused.reason) {
        Attempt::NotTaken(words())
    } else if refused.reason.is_empty() {
        Attempt::Unknown(format!("{:?}: {}", status.code(), status.message()))
    } else if is(&[Reason::OUTCOME_UNKNOWN]) {
        Attempt::Unknown(words())
    } else if is(&FAULTS) {
        Attempt::Final(Outcome::Unknown { why: words() })
    } else {
        Attempt::Final(Outcome::Refused(refused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pactum_api::error;

    #[test]
    fn every_reason_is_a_refusal_or_says_what_became_of_the_command() {
        let none = [
            error::not_serving("x"),
            error::log_unavailable("x"),
            error::log_full("x"),
            error::queue_full(Duration::ZERO),
            error::not_decided(),
        ];
        assert!(none.iter().all(|status| matches!(judge(status), Attempt::NotTaken(_))));
        let unknown = [error::outcome_unknown(), Status::unavailable("reset"), Status::cancelled("gone")];
        assert!(unknown.iter().all(|status| matches!(judge(status), Attempt::Unknown(_))));
        let refused = error::not_found("deal", "d");
        assert!(matches!(judge(&refused), Attempt::Final(Outcome::Refused(_))));
        assert!(broke_off(&Status::unavailable("reset")) && !broke_off(&refused));
    }
}
