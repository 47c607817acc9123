//! Questions to the pipeline. A caller of a partner sees its own deals only.

mod encode;

use std::sync::Arc;

use bytes::Bytes;
use pactum_api::convert::deal_state_of;
use pactum_api::proto::deal::v1::DealState as ProtoState;
use pactum_api::proto::pipeline::v1 as proto;
use pactum_api::proto::pipeline::v1::pipeline_query_service_server::SERVICE_NAME;
use pactum_api::{Caller, error, query};
use pactum_domain::deal::DealState;
use pactum_domain::money::Currency;
use pactum_domain::time::Month;
use pactum_ids::PartnerId;
use pactum_runtime::encoded::Method;
use pactum_views::pipeline::{self, Dimension, Filter, QueryError};
use prost::Message;
use smol_str::SmolStr;
use tonic::{Request, Status};

use self::encode::encode;
use super::cache::CacheKey;
use crate::columns::Question;
use crate::queries::{Queries, When, blocking, sequence_of, unreadable};

/// The longest list of a filter.
const MAX_VALUES: usize = 100;

/// `pactum.pipeline.v1.PipelineQueryService`.
pub(crate) struct Pipelines(pub(crate) Arc<Queries>);

impl Method for Pipelines {
    const SERVICE: &'static str = SERVICE_NAME;
    const PATH: &'static str = "/pactum.pipeline.v1.PipelineQueryService/QueryPipeline";
    type Request = proto::QueryPipelineRequest;

    async fn answer(self: Arc<Self>, request: Request<proto::QueryPipelineRequest>) -> Result<Bytes, Status> {
        let _timer = self.0.meters.query_pipeline();
        let asked = self.0.admit(&request)?;
        let asks = request.get_ref();
        let program = query::program(&asked.caller, "parent", &asks.parent)?;
        let scope = asked.scope()?;
        let when = When { min_sequence: asks.min_sequence, as_of: asks.as_of.as_ref(), page: 0 };
        let held = asked.rows(&asked.views.pipeline, when).await?;
        let past = held.past();
        let key = CacheKey { program: program.clone(), scope: scope.clone(), past, question: question(asks) };
        if let Some(answer) = self.0.pipelines.get(&key, held.sequence) {
            return Ok(answer);
        }
        let filter = filter(&asked.caller, asks.filter.as_ref())?;
        let question = Question { program, scope, filter, group_by: dimensions(&asks.group_by)? };
        let queries = Arc::clone(&self.0);
        let answer = blocking(move || {
            let held_in_memory = held.now().and_then(|store| queries.columns.answer(store, &question));
            let Question { program, scope, filter, group_by } = question;
            let (sequence, answer) = match held_in_memory {
                Some(answered) => answered,
                None => {
                    let rows = held.store().snapshot();
                    let sequence = sequence_of(&rows, &program)?;
                    (sequence, pipeline::query(&rows, &program, scope.as_ref(), &filter, &group_by))
                }
            };
            let answer = answer.map_err(|error| refused(&error))?;
            Ok((sequence, encode(&program, &answer, sequence)))
        });
        let (sequence, answer) = answer.await?;
        self.0.pipelines.put(key, sequence, answer.clone());
        Ok(answer)
    }
}

/// The question as bytes: two that are the same have the same. Only questions that could be answered are kept, so one that
/// is found need not be parsed.
fn question(asks: &proto::QueryPipelineRequest) -> Vec<u8> {
    let filter = asks.filter.as_ref();
    let mut bytes = filter.map_or_else(|| vec![0], Message::encode_length_delimited_to_vec);
    bytes.extend(asks.group_by.iter().flat_map(|dimension| dimension.to_be_bytes()));
    bytes
}

fn refused(query_error: &QueryError) -> Status {
    match query_error {
        QueryError::TooManyGroups => error::invalid_field("group_by", query_error.to_string()),
        QueryError::SumOutOfRange(currency) => error::total_overflow(currency.as_str()),
        QueryError::Rows(error) => unreadable(error),
    }
}

fn dimensions(group_by: &[i32]) -> Result<Vec<Dimension>, Status> {
    let mut dimensions = Vec::new();
    for value in group_by {
        let dimension = match proto::PipelineDimension::try_from(*value) {
            Ok(proto::PipelineDimension::State) => Dimension::State,
            Ok(proto::PipelineDimension::Stage) => Dimension::Stage,
            Ok(proto::PipelineDimension::Partner) => Dimension::Partner,
            Ok(proto::PipelineDimension::Tier) => Dimension::Tier,
            Ok(proto::PipelineDimension::Territory) => Dimension::Territory,
            Ok(proto::PipelineDimension::Product) => Dimension::Product,
            Ok(proto::PipelineDimension::CloseMonth) => Dimension::CloseMonth,
            Ok(proto::PipelineDimension::Currency) => Dimension::Currency,
            Ok(proto::PipelineDimension::Conflict) => Dimension::Conflict,
            Ok(proto::PipelineDimension::Unspecified) | Err(_) => {
                return Err(error::invalid_field("group_by", format!("{value} is not a dimension")));
            }
        };
        if dimensions.contains(&dimension) {
            return Err(error::invalid_field("group_by", "a dimension is named twice"));
        }
        dimensions.push(dimension);
    }
    Ok(dimensions)
}

fn filter(caller: &Caller, given: Option<&proto::PipelineFilter>) -> Result<Filter, Status> {
    let default = proto::PipelineFilter::default();
    let given = given.unwrap_or(&default);
    for (field, length) in [
        ("filter.states", given.states.len()),
        ("filter.partners", given.partners.len()),
        ("filter.tiers", given.tiers.len()),
        ("filter.territories", given.territories.len()),
        ("filter.products", given.products.len()),
        ("filter.stages", given.stages.len()),
        ("filter.currencies", given.currencies.len()),
    ] {
        if length > MAX_VALUES {
            return Err(error::invalid_field(field, format!("{length} values; at most {MAX_VALUES} are allowed")));
        }
    }
    let texts = |texts: &[String]| texts.iter().map(SmolStr::new).collect();
    Ok(Filter {
        states: states(given)?,
        partners: given.partners.iter().map(|text| partner(caller, text)).collect::<Result<_, _>>()?,
        tiers: texts(&given.tiers),
        territories: texts(&given.territories),
        products: texts(&given.products),
        stages: texts(&given.stages),
        month_from: month("filter.close_month_from", &given.close_month_from)?,
        month_to: month("filter.close_month_to", &given.close_month_to)?,
        currencies: given.currencies.iter().map(|text| currency(text)).collect::<Result<_, _>>()?,
        conflicted: given.conflicted,
    })
}

/// The states asked for; what pipeline means where none is, and every state as an empty list.
fn states(given: &proto::PipelineFilter) -> Result<Vec<DealState>, Status> {
    match (given.all_states, given.states.as_slice()) {
        (true, []) => Ok(Vec::new()),
        (true, _) => Err(error::invalid_field("filter.states", "must be empty where all_states is set")),
        (false, []) => Ok(vec![DealState::Approved]),
        (false, states) => {
            let state = |value: &i32| ProtoState::try_from(*value).ok().and_then(deal_state_of);
            let named = |value| {
                state(value).ok_or_else(|| error::invalid_field("filter.states", format!("{value} is not a state")))
            };
            states.iter().map(named).collect()
        }
    }
}

fn partner(caller: &Caller, text: &str) -> Result<PartnerId, Status> {
    if text.contains('/') {
        return query::partner(caller, "filter.partners", text);
    }
    PartnerId::new(text).map_err(|invalid| error::invalid_field("filter.partners", invalid.to_string()))
}

fn month(field: &str, text: &str) -> Result<Option<Month>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    Month::parse(text).map(Some).map_err(|invalid| error::invalid_field(field, invalid.to_string()))
}

fn currency(text: &str) -> Result<Option<Currency>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    Currency::parse(text).map(Some).map_err(|invalid| error::invalid_field("filter.currencies", invalid.to_string()))
}
