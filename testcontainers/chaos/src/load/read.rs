//! What clients look at, and what they keep of the answers.

use std::sync::Arc;

use bytes::Bytes;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::pipeline::v1 as pipeline;
use pactum_ids::DealId;
use prost::{DecodeError, Message as _};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::call::{Identity, Sender};
use crate::content::seen;
use crate::history::{Group, ReadAnswer, ReadCall};

/// How many deals a list asks for.
const PAGE: usize = 8;

/// What is looked at.
#[derive(Clone, Debug)]
pub(super) enum Look {
    Deal(DealId),
    Newest,
    Pipeline,
}

impl Look {
    fn request(&self, program: &str, min_sequence: u64) -> (&'static str, Bytes) {
        let parent = format!("programs/{program}");
        match self {
            Self::Deal(id) => {
                let request =
                    deal::GetDealRequest { name: format!("{parent}/deals/{id}"), min_sequence, ..Default::default() };
                ("/pactum.deal.v1.DealQueryService/GetDeal", request.encode_to_vec().into())
            }
            Self::Newest => {
                let request = deal::ListDealsRequest {
                    parent,
                    page_size: i32::try_from(PAGE).unwrap_or(i32::MAX),
                    min_sequence,
                    order_by: "update_sequence desc".into(),
                    ..Default::default()
                };
                ("/pactum.deal.v1.DealQueryService/ListDeals", request.encode_to_vec().into())
            }
            Self::Pipeline => {
                let request = pipeline::QueryPipelineRequest {
                    parent,
                    min_sequence,
                    filter: Some(pipeline::PipelineFilter { all_states: true, ..Default::default() }),
                    group_by: vec![pipeline::PipelineDimension::State.into()],
                    ..Default::default()
                };
                ("/pactum.pipeline.v1.PipelineQueryService/QueryPipeline", request.encode_to_vec().into())
            }
        }
    }

    fn answer(&self, bytes: Bytes) -> Result<ReadAnswer, DecodeError> {
        Ok(match self {
            Self::Deal(id) => {
                let answer = deal::GetDealResponse::decode(bytes)?;
                let seen = answer.deal.as_ref().map(seen);
                ReadAnswer::Deal { id: id.clone(), sequence: answer.sequence, seen }
            }
            Self::Newest => {
                let answer = deal::ListDealsResponse::decode(bytes)?;
                ReadAnswer::Newest {
                    page: PAGE,
                    sequence: answer.sequence,
                    seen: answer.deals.iter().map(seen).collect(),
                }
            }
            Self::Pipeline => {
                let answer = pipeline::QueryPipelineResponse::decode(bytes)?;
                let mut groups: Vec<Group> = answer.groups.into_iter().map(group).collect();
                groups.sort_by_key(|group| group.state);
                ReadAnswer::Pipeline { sequence: answer.sequence, groups }
            }
        })
    }
}

fn group(row: pipeline::PipelineGroup) -> Group {
    let figures = row.figures.unwrap_or_default();
    let amount = |amount: pipeline::PipelineAmount| {
        let money = amount.amount.unwrap_or_default();
        (money.currency_code, amount.deals, money.minor)
    };
    Group {
        state: row.key.and_then(|key| key.state).unwrap_or_default(),
        deals: figures.deals,
        conflicted: figures.conflicted,
        amounts: figures.amounts.into_iter().map(amount).collect(),
    }
}

impl Sender<'_> {
    /// Looks at something; `None` where nobody answered.
    pub(super) async fn look(
        &self,
        identity: &Identity,
        look: &Look,
        floor: u64,
        rng: &mut ChaCha8Rng,
    ) -> Option<ReadCall> {
        // Mostly as a client does that has just been answered; now and then as one that does not care.
        let min_sequence = if rng.random_bool(0.8) { floor } else { 0 };
        let (path, body) = look.request(identity.caller.program.as_str(), min_sequence);
        let invoked = self.clock.now();
        let answer = match (self.read(identity, path, body, rng).await?, look) {
            (Ok(bytes), look) => look.answer(bytes).ok()?,
            (Err(_), Look::Deal(id)) => ReadAnswer::Deal { id: id.clone(), sequence: 0, seen: None },
            // The view does not know the program yet.
            (Err(_), Look::Newest | Look::Pipeline) => return None,
        };
        let (client, caller, returned) = (self.client, Arc::clone(&identity.caller), self.clock.now());
        Some(ReadCall { client, caller, min_sequence, invoked, returned, answer })
    }
}
