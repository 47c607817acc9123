//! From a request to an envelope, and from an answer to a response: the same for every method.

mod content;
mod deadline;
mod show;
mod status;
mod trace;

pub(crate) use deadline::patience_of;
pub(crate) use status::{NoAnswer, stopping};
pub(crate) use trace::trace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pactum_api::proto::bulk::v1::execute_request::Request as Item;
use pactum_api::request::{self, Ulids, Write, WriteRequest};
use pactum_api::{AccessTable, Caller, error};
use pactum_ids::ProgramId;
use pactum_journal::{Handle, Reply};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::answer::{Answer, Done};
use crate::envelope::{Envelope, Trace};
use crate::machine::ProgramsMachine;
use crate::meters::Meters;
use crate::route::{Attempt, Away};
use show::Shown;

/// What every service holds. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Edge(Arc<Shared>);

struct Shared {
    /// By partition.
    journals: Vec<Handle<ProgramsMachine>>,
    access: AccessTable,
    meters: Meters,
    stop: CancellationToken,
    /// The way to other instances, where there may be some.
    away: Option<Arc<Away>>,
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge").field("partitions", &self.0.journals.len()).finish_non_exhaustive()
    }
}

/// A command that was taken, and waits for its answer.
pub(crate) struct Pending {
    program: ProgramId,
    reply: Reply<Answer>,
}

impl Edge {
    pub(crate) fn new(
        journals: Vec<Handle<ProgramsMachine>>,
        away: Option<Arc<Away>>,
        stop: CancellationToken,
    ) -> Self {
        let access = AccessTable::load();
        let meters = Meters::new(access.methods().into_iter().map(|(path, _)| path));
        Self(Arc::new(Shared { journals, access, meters, stop, away }))
    }

    /// By partition.
    pub(crate) fn journals(&self) -> &[Handle<ProgramsMachine>] {
        &self.0.journals
    }

    /// The way to other instances, where there may be some.
    pub(crate) fn away(&self) -> Option<&Arc<Away>> {
        self.0.away.as_ref()
    }

    /// Cancelled when the role stops.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// Answers one request.
    pub(crate) async fn unary<W>(&self, request: Request<W>) -> Result<Response<W::Response>, Status>
    where
        W: WriteRequest<Resource: Shown>,
    {
        let started = Instant::now();
        let caller = Arc::clone(Caller::of(request.extensions())?);
        let patience = deadline::patience(request.metadata());
        let trace = trace(request.metadata());
        let attempt = request.extensions().get::<Attempt>().cloned();
        let repeatable = attempt.is_some() && !request.get_ref().request_id().is_empty();
        // The request is parsed and gone before the wait: what waits is the reply alone.
        let outcome = match self.take(request.into_inner(), &caller, trace, started + patience.journal) {
            Ok(pending) => pending.answered_by(patience.edge.map(|edge| started + edge)).await,
            Err(missing) => Err(missing),
        };
        if let (Some(attempt), Err(NoAnswer::Elsewhere(_))) = (&attempt, &outcome) {
            // Counted where it is answered.
            attempt.elsewhere(repeatable);
        } else {
            self.observe(W::PATH, started, outcome.as_ref().err().map(NoAnswer::status));
        }
        let (program, done) = outcome.map_err(NoAnswer::into_status)?;
        let resource = W::Resource::show(&program, &done, &caller).ok_or_else(status::other_kind)?;
        Ok(Response::new(W::response(resource, done.sequence)))
    }

    fn take<W: WriteRequest>(
        &self,
        request: W,
        caller: &Caller,
        trace: Trace,
        deadline: Instant,
    ) -> Result<Pending, NoAnswer> {
        // Most requests that carry no id need no second encoding.
        let content = if request.request_id().is_empty() { Vec::new() } else { request.encode_to_vec() };
        let write = request.parse(request::Edge { caller, ids: &Ulids }).map_err(Status::from)?;
        let envelope = envelope(write, W::PATH, &content, caller, trace);
        let program = envelope.program.clone();
        let reply = self.journal(&program).try_submit(envelope, deadline).map_err(status::not_taken)?;
        Ok(Pending { program, reply })
    }

    /// Takes one item of a stream, whose sender waits for room rather than be refused. The caller's role is checked here: the
    /// layer in front has seen only the method of the stream.
    pub(crate) async fn submit(
        &self,
        item: Item,
        caller: &Caller,
        trace: Trace,
        patience: Duration,
    ) -> Result<Pending, NoAnswer> {
        let path = item.path();
        if !self.0.access.allows(path, caller.actor.role) {
            return Err(error::role_not_allowed(path, caller.actor.role).into());
        }
        let content = if item.request_id().is_empty() { Vec::new() } else { item.content() };
        let write = item.parse(request::Edge { caller, ids: &Ulids }).map_err(Status::from)?;
        let envelope = envelope(write, path, &content, caller, trace);
        let program = envelope.program.clone();
        let journal = self.journal(&program);
        let reply = journal.submit(envelope, Instant::now() + patience).await.map_err(status::not_taken)?;
        Ok(Pending { program, reply })
    }

    /// Counts a request that has its answer.
    pub(crate) fn observe(&self, path: &'static str, started: Instant, refusal: Option<&Status>) {
        self.0.meters.observe(path, started, refusal);
    }

    fn journal(&self, program: &ProgramId) -> &Handle<ProgramsMachine> {
        let journals = &self.0.journals;
        let partitions = u32::try_from(journals.len()).expect("a log numbers its partitions by u32");
        &journals[pactum_events::partition_of(program, partitions) as usize]
    }
}

fn envelope(write: Write, path: &str, content: &[u8], caller: &Caller, trace: Trace) -> Box<Envelope> {
    Box::new(Envelope {
        program: write.program,
        command: write.command,
        actor: caller.actor.clone(),
        occurred_at: write.occurred_at,
        expected_version: write.expected_version,
        request: write.request_id.map(|id| content::identify(id, path, content)),
        trace,
        validate_only: write.validate_only,
    })
}

impl Pending {
    /// What came of it, with the program that decided.
    pub(crate) async fn answered(self) -> Result<(ProgramId, Done), NoAnswer> {
        let answer = self.reply.await.map_err(status::no_answer)?;
        answer.map(|done| (self.program, done)).map_err(|refusal| status::refused(refusal).into())
    }

    /// The same, but no later than where the transport is about to hang up, if the caller gave a deadline.
    async fn answered_by(self, until: Option<Instant>) -> Result<(ProgramId, Done), NoAnswer> {
        match until {
            None => self.answered().await,
            Some(until) => tokio::time::timeout_at(until.into(), self.answered())
                .await
                .unwrap_or_else(|_| Err(error::outcome_unknown().into())),
        }
    }
}
