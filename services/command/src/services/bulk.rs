//! Many requests over one stream: decided in the order sent, pipelined, answered in that order.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::Either;
use futures::{Stream, StreamExt, future, stream};
use http::HeaderMap;
use pactum_api::proto::bulk::v1::bulk_service_server::BulkService;
use pactum_api::proto::bulk::v1::execute_request::Request as Item;
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::bulk::v1::{ExecuteRequest, ExecuteResponse, ExecuteResult};
use pactum_api::{Caller, error};
use pactum_ids::ProgramId;
use pactum_runtime::refine::refine;
use tonic::{Request, Response, Status, Streaming};

use crate::answer::{Done, Resource};
use crate::edge::{Edge, NoAnswer, Pending, stopping, trace};
use crate::envelope::Trace;
use crate::route::{Away, certain};

/// How long one item may take once it is in the queue. Generous: whoever sends in bulk would only send it again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Many requests over one stream.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    edge: Edge,
    window: usize,
}

/// One stream.
struct Call {
    edge: Edge,
    caller: Arc<Caller>,
    trace: Trace,
    /// The way to another owner, and what to say there, where items may go there.
    away: Option<(Arc<Away>, HeaderMap)>,
    /// Items not answered yet that are for another owner. While there is one, none is decided here: it would overtake.
    lost: AtomicUsize,
}

/// An item on its way.
struct Sent {
    index: u64,
    /// `None` where the item holds no request that this build knows.
    path: Option<&'static str>,
    started: Instant,
    /// The item itself, where it may have to be sent on.
    kept: Option<Item>,
    taken: Result<Pending, NoAnswer>,
}

/// An item that was decided here, or was not and has to be sent on.
struct Settled {
    index: u64,
    path: Option<&'static str>,
    started: Instant,
    kept: Option<Item>,
    outcome: Result<(ProgramId, Done), NoAnswer>,
}

impl Bulk {
    pub(crate) fn new(edge: Edge, window: usize) -> Self {
        Self { edge, window: window.max(1) }
    }
}

#[tonic::async_trait]
impl BulkService for Bulk {
    type ExecuteStream = Pin<Box<dyn Stream<Item = Result<ExecuteResponse, Status>> + Send>>;

    /// Nothing is spawned: the answers' stream reads the requests itself, up to a window ahead. So a slow reader slows its
    /// own sending down, and a client that goes away takes everything with it but what is in the queue already.
    async fn execute(
        &self,
        request: Request<Streaming<ExecuteRequest>>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let stop = self.edge.stop().clone();
        let call = Arc::new(Call::of(self.edge.clone(), &request)?);
        let sending = Arc::clone(&call);
        let sent = request
            .into_inner()
            .take_until(stop.clone().cancelled_owned())
            .zip(stream::iter(0_u64..))
            .then(move |(item, index)| send(Arc::clone(&sending), index, item));
        let settling = Arc::clone(&call);
        let settled = sent.map(move |sent| settle(Arc::clone(&settling), sent)).buffered(self.window);
        // One after another: what is sent on keeps its order.
        let answers = settled.then(move |settled| answer(Arc::clone(&call), settled));
        // A stream that merely ended would look as if everything was answered.
        let cut_off = stream::once(future::lazy(move |_| stop.is_cancelled()))
            .filter_map(|stopped| future::ready(stopped.then(|| Err(stopping()))));
        Ok(Response::new(Box::pin(answers.chain(cut_off))))
    }
}

impl Call {
    fn of<T>(edge: Edge, request: &Request<T>) -> Result<Self, Status> {
        let caller = Arc::clone(Caller::of(request.extensions())?);
        let headers = request.metadata().as_ref();
        let away = edge.away().filter(|_| Away::may_send(headers)).map(|away| (Arc::clone(away), headers.clone()));
        Ok(Self { away, trace: trace(request.metadata()), caller, edge, lost: AtomicUsize::new(0) })
    }

    async fn submit(&self, item: Item) -> Result<Pending, NoAnswer> {
        self.edge.submit(item, &self.caller, self.trace.clone(), PATIENCE).await
    }

    /// Notes that an item has to be sent on.
    fn note<T>(&self, outcome: &Result<T, NoAnswer>) {
        if matches!(outcome, Err(NoAnswer::Elsewhere(_))) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has an item decided by the owner.
    async fn send_on(&self, item: Item) -> Option<Result<Outcome, Status>> {
        let (away, headers) = self.away.as_ref()?;
        let repeatable = !item.request_id().is_empty();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let request = ExecuteRequest { request: Some(item.clone()) };
        let (program, mut doubtful) = (&self.caller.program, false);
        loop {
            let sent = away.item(program, headers, &request, repeatable, &mut doubtful, deadline).await;
            if sent.is_some() {
                return sent;
            }
            // This instance is the owner by now.
            let outcome = match self.submit(item.clone()).await {
                Ok(pending) => pending.answered().await,
                Err(missing) => Err(missing),
            };
            match outcome {
                Ok((program, done)) => return Some(Ok(Outcome::Result(result(&program, &done)))),
                Err(NoAnswer::Final(status)) => return Some(Err(certain(status, doubtful))),
                Err(NoAnswer::Elsewhere(status)) if tokio::time::Instant::now() >= deadline => {
                    return Some(Err(certain(status, doubtful)));
                }
                Err(NoAnswer::Elsewhere(_)) => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }
}

/// Reads one item and puts it into its partition's queue, waiting for room. Only a broken stream is an error here; a refused
/// item is an answer.
async fn send(call: Arc<Call>, index: u64, item: Result<ExecuteRequest, Status>) -> Result<Sent, Status> {
    let item = item.map_err(refine)?.request;
    let (started, path) = (Instant::now(), item.as_ref().map(Item::path));
    let Some(item) = item else {
        let taken = Err(error::invalid_field("request", "one of the requests must be set").into());
        return Ok(Sent { index, path, started, kept: None, taken });
    };
    let kept = call.away.is_some().then(|| item.clone());
    let taken = if call.lost.load(Ordering::Relaxed) > 0 {
        Err(NoAnswer::Elsewhere(error::not_serving("an earlier request of the stream waits for another owner")))
    } else {
        call.submit(item).await
    };
    call.note(&taken);
    Ok(Sent { index, path, started, kept, taken })
}

/// Waits for what became of an item here.
fn settle(call: Arc<Call>, sent: Result<Sent, Status>) -> impl Future<Output = Result<Settled, Status>> + Send {
    let Sent { index, path, started, kept, taken } = match sent {
        Ok(sent) => sent,
        Err(broken) => return Either::Left(future::ready(Err(broken))),
    };
    Either::Right(async move {
        let outcome = match taken {
            Ok(pending) => {
                let outcome = pending.answered().await;
                call.note(&outcome);
                outcome
            }
            Err(missing) => Err(missing),
        };
        Ok(Settled { index, path, started, kept, outcome })
    })
}

/// An item's answer, from another owner where it was not decided here.
async fn answer(call: Arc<Call>, settled: Result<Settled, Status>) -> Result<ExecuteResponse, Status> {
    let Settled { index, path, started, kept, outcome } = settled?;
    let sent_on = match (&outcome, kept) {
        (Err(NoAnswer::Elsewhere(_)), Some(item)) => call.send_on(item).await,
        _ => None,
    };
    if matches!(outcome, Err(NoAnswer::Elsewhere(_))) {
        call.lost.fetch_sub(1, Ordering::Relaxed);
    }
    let outcome = match sent_on {
        Some(Ok(outcome)) => outcome,
        Some(Err(status)) => Outcome::Error(error::item(&status)),
        None => {
            if let Some(path) = path {
                call.edge.observe(path, started, outcome.as_ref().err().map(NoAnswer::status));
            }
            match outcome {
                Ok((program, done)) => Outcome::Result(result(&program, &done)),
                Err(missing) => Outcome::Error(error::item(missing.status())),
            }
        }
    };
    Ok(ExecuteResponse { index, outcome: Some(outcome) })
}

fn result(program: &ProgramId, done: &Done) -> ExecuteResult {
    let sequence = done.sequence;
    match &done.resource {
        Resource::Program(program) => ExecuteResult::of_program(program, sequence),
        Resource::Partner(partner) => ExecuteResult::of_partner(program, partner, sequence),
        Resource::Deal(deal) => ExecuteResult::of_deal(program, deal, sequence),
        Resource::Opportunity(opportunity) => ExecuteResult::of_opportunity(program, opportunity, sequence),
    }
}
