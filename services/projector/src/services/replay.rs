//! A program's history, event by event, straight from the log.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use futures::stream::try_unfold;
use pactum_api::convert::{actor_to_proto, program_name, timestamp_to_proto};
use pactum_api::proto::replay::v1 as proto;
use pactum_api::proto::replay::v1::replay_service_server::ReplayService;
use pactum_api::{error, query};
use pactum_domain::event::Moment;
use pactum_events::{Record, Recorded, data, decode, event_type, event_version, program_of, resource_name};
use pactum_ids::ProgramId;
use pactum_journal::{Follower, Position};
use pactum_views::event_filter::EventFilter;
use pactum_views::programs;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::fold::chain;
use crate::past::unreadable_log;
use crate::queries::{Queries, unreadable};

/// How many entries are read at once.
const BATCH: usize = 256;

/// `pactum.replay.v1.ReplayService`.
pub(crate) struct Replay(pub(crate) Arc<Queries>);

type Events = Pin<Box<dyn Stream<Item = Result<proto::ReadEventsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl ReplayService for Replay {
    type ReadEventsStream = Events;

    async fn read_events(&self, request: Request<proto::ReadEventsRequest>) -> Result<Response<Events>, Status> {
        let _timer = self.0.meters.read_events();
        let asked = self.0.admit(&request)?;
        let asks = request.get_ref();
        let program = query::program(&asked.caller, "parent", &asks.parent)?;
        let view = &asked.views.programs;
        let sequence = asked.reach(view, asks.min_sequence).await?;
        let from = asks.from_sequence.max(1);
        let filter = (!asks.filter.trim().is_empty()).then(|| EventFilter::compile(&asks.filter)).transpose();
        let filter = filter.map_err(|invalid| error::invalid_filter(&invalid.to_string()))?;
        // The view knows a record at or before the sequence, so that the log is not read from its beginning.
        let store = view.store();
        let place = programs::place_before(&*store, &program, from).map_err(|error| unreadable(&error))?;
        let position = match place {
            None => Position::default(),
            Some((_, place)) => {
                let here = store.position().map_err(|error| error::internal(&chain(&error)))?;
                Position { offset: place.offset, term: Some(place.term), next: place.n, ..here }
            }
        };
        let follower = Follower::open(Arc::clone(&self.0.log), view.partition, position).await;
        let replayed = Replayed {
            follower: follower.map_err(|error| unreadable_log(&error))?,
            program,
            next: from,
            end: if asks.follow { None } else { Some(sequence) },
            filter,
            ready: VecDeque::new(),
            stop: self.0.stop.clone(),
        };
        let events = try_unfold(replayed, |mut replayed| async move {
            let event = replayed.next_event().await?;
            Ok(event.map(|event| (proto::ReadEventsResponse { event: Some(event) }, replayed)))
        });
        Ok(Response::new(Box::pin(events)))
    }
}

/// A history that is being read.
struct Replayed {
    follower: Follower,
    program: ProgramId,
    /// The sequence to be sent next.
    next: u64,
    /// The last sequence to send; none: go on with what comes.
    end: Option<u64>,
    /// Which events are sent; none: all.
    filter: Option<EventFilter>,
    ready: VecDeque<proto::RecordedEvent>,
    stop: CancellationToken,
}

impl Replayed {
    async fn next_event(&mut self) -> Result<Option<proto::RecordedEvent>, Status> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            if self.end.is_some_and(|end| self.next > end) {
                return Ok(None);
            }
            let batch = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Err(error::not_serving("the server stops; go on from where you are")),
                batch = self.follower.next(BATCH) => batch.map_err(|error| unreadable_log(&error))?,
            };
            for valid in &batch.records {
                let undecodable = |error| {
                    let why = format!("the record at offset {} cannot be read: {error}", valid.offset);
                    error::data_corrupt(&why)
                };
                if program_of(&valid.body).map_err(undecodable)? == self.program.as_str() {
                    let record = decode(&valid.body).map_err(undecodable)?;
                    self.take(&record)?;
                }
            }
        }
    }

    fn take(&mut self, record: &Record) -> Result<(), Status> {
        for (moment, recorded) in record.moments() {
            if moment.sequence < self.next || self.end.is_some_and(|end| moment.sequence > end) {
                continue;
            }
            self.next = moment.sequence + 1;
            if let Some(filter) = &self.filter {
                let event = EventFields::of(&self.program, record, moment, recorded);
                match filter.admits(&event) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(invalid) => {
                        let why = format!("at sequence {}: {invalid}", moment.sequence);
                        return Err(error::invalid_filter(&why));
                    }
                }
            }
            let text = |text: &Option<smol_str::SmolStr>| text.as_ref().map(ToString::to_string).unwrap_or_default();
            self.ready.push_back(proto::RecordedEvent {
                name: format!("programs/{}/events/{}", self.program, moment.sequence),
                program: program_name(&self.program),
                sequence: moment.sequence,
                r#type: event_type(&recorded.event).to_owned(),
                type_version: event_version(&recorded.event),
                resource: resource_name(&self.program, &recorded.event),
                resource_version: recorded.aggregate_version,
                occurred_at: Some(timestamp_to_proto(moment.occurred_at)),
                recorded_at: Some(timestamp_to_proto(moment.recorded_at)),
                actor: Some(actor_to_proto(&self.program, &record.actor)),
                request_id: record.request.as_ref().map(|request| request.id.to_string()).unwrap_or_default(),
                correlation_id: text(&record.correlation_id),
                causation_id: text(&record.causation_id),
                policy_version: record.policy_version,
                data_json: data(&recorded.event).to_string(),
            });
        }
        Ok(())
    }
}

/// An event as filters see it.
#[derive(Serialize)]
struct EventFields<'a> {
    sequence: u64,
    r#type: &'static str,
    resource: String,
    occurred_at: String,
    recorded_at: String,
    actor: ActorFields<'a>,
    request_id: &'a str,
    correlation_id: &'a str,
    causation_id: &'a str,
    policy_version: u32,
    data: serde_json::Value,
}

#[derive(Serialize)]
struct ActorFields<'a> {
    subject: &'a str,
    role: &'static str,
    partner: &'a str,
}

impl<'a> EventFields<'a> {
    fn of(program: &ProgramId, record: &'a Record, moment: Moment, recorded: &'a Recorded) -> Self {
        let actor = &record.actor;
        Self {
            sequence: moment.sequence,
            r#type: event_type(&recorded.event),
            resource: resource_name(program, &recorded.event),
            occurred_at: moment.occurred_at.to_string(),
            recorded_at: moment.recorded_at.to_string(),
            actor: ActorFields {
                subject: &actor.subject,
                role: actor.role.as_str(),
                partner: actor.partner.as_ref().map_or("", |partner| partner.as_str()),
            },
            request_id: record.request.as_ref().map_or("", |request| request.id.as_str()),
            correlation_id: record.correlation_id.as_deref().unwrap_or_default(),
            causation_id: record.causation_id.as_deref().unwrap_or_default(),
            policy_version: record.policy_version,
            data: data(&recorded.event),
        }
    }
}
