//! Many requests over one stream: decided in the order sent, pipelined, answered in that order.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::Either;
use futures::{Stream, StreamExt, future, stream};
use pactum_api::proto::bulk::v1::bulk_service_server::BulkService;
use pactum_api::proto::bulk::v1::execute_request::Request as Item;
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::bulk::v1::{ExecuteRequest, ExecuteResponse, ExecuteResult};
use pactum_api::{Caller, error};
use pactum_ids::ProgramId;
use tonic::{Request, Response, Status, Streaming};

use crate::answer::{Done, Resource};
use crate::edge::{Edge, Pending, refine, trace};
use crate::envelope::Trace;

/// How long one item may take once it is in the queue. Generous: whoever sends in bulk would only send it again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Many requests over one stream.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    edge: Edge,
    window: usize,
}

/// An item on its way.
struct Sent {
    index: u64,
    /// `None` where the item holds no request that this build knows.
    path: Option<&'static str>,
    started: Instant,
    taken: Result<Pending, Status>,
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
        let caller = Arc::clone(Caller::of(request.extensions())?);
        let trace = trace(request.metadata());
        let stop = self.edge.stop().clone();
        let edge = self.edge.clone();
        let sent = request
            .into_inner()
            .take_until(stop.clone().cancelled_owned())
            .zip(stream::iter(0_u64..))
            .then(move |(item, index)| send(edge.clone(), Arc::clone(&caller), trace.clone(), index, item));
        let edge = self.edge.clone();
        let answers = sent.map(move |sent| answer(edge.clone(), sent)).buffered(self.window);
        // A stream that merely ended would look as if everything was answered.
        let cut_off = stream::once(future::lazy(move |_| stop.is_cancelled()))
            .filter_map(|stopped| future::ready(stopped.then(|| Err(error::not_serving("this process is stopping")))));
        Ok(Response::new(Box::pin(answers.chain(cut_off))))
    }
}

/// Reads one item and puts it into its partition's queue, waiting for room. Only a broken stream is an error here; a refused
/// item is an answer.
async fn send(
    edge: Edge,
    caller: Arc<Caller>,
    trace: Trace,
    index: u64,
    item: Result<ExecuteRequest, Status>,
) -> Result<Sent, Status> {
    let item = item.map_err(refine)?.request;
    let (started, path) = (Instant::now(), item.as_ref().map(Item::path));
    let taken = match item {
        Some(item) => edge.submit(item, &caller, trace, PATIENCE).await,
        None => Err(error::invalid_field("request", "one of the requests must be set")),
    };
    Ok(Sent { index, path, started, taken })
}

/// Waits for an item's answer.
fn answer(edge: Edge, sent: Result<Sent, Status>) -> impl Future<Output = Result<ExecuteResponse, Status>> + Send {
    let Sent { index, path, started, taken } = match sent {
        Ok(sent) => sent,
        Err(broken) => return Either::Left(future::ready(Err(broken))),
    };
    Either::Right(async move {
        let outcome = match taken {
            Ok(pending) => pending.answered().await,
            Err(refused) => Err(refused),
        };
        if let Some(path) = path {
            edge.observe(path, started, outcome.as_ref().err());
        }
        let outcome = match outcome {
            Ok((program, done)) => Outcome::Result(result(&program, &done)),
            Err(status) => Outcome::Error(error::item(&status)),
        };
        Ok(ExecuteResponse { index, outcome: Some(outcome) })
    })
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
