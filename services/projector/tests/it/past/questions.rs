//! A question for every method of every view, asked now or as of a moment.

use pactum_api::proto::audit::v1::ListOwnershipHistoryRequest;
use pactum_api::proto::audit::v1::list_ownership_history_request::Subject;
use pactum_api::proto::common::v1::AsOf;
use pactum_api::proto::common::v1::as_of::Moment;
use pactum_api::proto::deal::v1::{GetDealRequest, ListDealsRequest};
use pactum_api::proto::partner::v1::{GetPartnerRequest, ListPartnersRequest};
use pactum_api::proto::pipeline::v1::{PipelineDimension, PipelineFilter, QueryPipelineRequest};
use pactum_api::proto::program::v1::GetProgramRequest;
use prost::Message;
use tonic::{Code, Status};

use super::happenings::{DEALS, DOMAINS, PARTNERS, customer};
use crate::system::{Client, deal_name, reason};

/// An answer as its bytes, those of all its pages; or why there is none.
pub(crate) type Answer = Result<Vec<u8>, (Code, String, String)>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    Program,
    Partner(&'static str),
    Partners { order_by: &'static str },
    Deal(u64),
    Deals { filter: &'static str, order_by: &'static str },
    Pipeline { all: bool, by: Vec<PipelineDimension> },
    OwnershipOf { domain: &'static str },
    OwnershipOfDeal(u64),
}

pub(crate) fn every_question() -> Vec<Question> {
    let mut every = vec![
        Question::Program,
        Question::Partners { order_by: "" },
        Question::Partners { order_by: "display_name desc" },
        Question::Deals { filter: "", order_by: "" },
        Question::Deals { filter: "deal.state == 'APPROVED'", order_by: "close_date desc" },
        Question::Deals { filter: "", order_by: "update_sequence desc" },
        Question::Pipeline { all: false, by: vec![PipelineDimension::Partner] },
        Question::Pipeline { all: true, by: vec![PipelineDimension::State, PipelineDimension::CloseMonth] },
    ];
    every.extend(PARTNERS.map(Question::Partner));
    every.extend((0..DEALS).map(Question::Deal));
    every.extend(DOMAINS.map(|domain| Question::OwnershipOf { domain }));
    every.extend((0..DEALS).map(Question::OwnershipOfDeal));
    every
}

pub(crate) fn at_sequence(sequence: u64) -> Option<AsOf> {
    Some(AsOf { moment: Some(Moment::Sequence(sequence)) })
}

pub(crate) fn at_time(time: prost_types::Timestamp) -> Option<AsOf> {
    Some(AsOf { moment: Some(Moment::Time(time)) })
}

/// Asks for all pages of what has pages.
macro_rules! pages {
    ($client:expr, $service:ident.$method:ident, $request:expr) => {{
        let mut bytes = Vec::new();
        let mut page_token = String::new();
        loop {
            let mut request = $request;
            request.page_token = page_token;
            let answer = $client.$service().$method($client.request(request)).await?.into_inner();
            page_token = answer.next_page_token.clone();
            bytes.extend(answer.encode_to_vec());
            if page_token.is_empty() {
                break bytes;
            }
        }
    }};
}

pub(crate) async fn ask(client: &Client, question: &Question, as_of: Option<AsOf>, min_sequence: u64) -> Answer {
    let answer = answer(client, question, as_of, min_sequence).await;
    answer.map_err(|status| (status.code(), reason(&status), status.message().to_owned()))
}

pub(crate) async fn answer(
    client: &Client,
    question: &Question,
    as_of: Option<AsOf>,
    min_sequence: u64,
) -> Result<Vec<u8>, Status> {
    let parent = || "programs/acme".to_owned();
    Ok(match question {
        Question::Program => {
            let request = GetProgramRequest { name: parent(), min_sequence, as_of };
            client.program_queries().get_program(client.request(request)).await?.into_inner().encode_to_vec()
        }
        Question::Partner(id) => {
            let name = format!("programs/acme/partners/{id}");
            let request = GetPartnerRequest { name, min_sequence, as_of };
            client.partner_queries().get_partner(client.request(request)).await?.into_inner().encode_to_vec()
        }
        Question::Partners { order_by } => {
            let order_by = (*order_by).to_owned();
            let request = ListPartnersRequest {
                parent: parent(),
                min_sequence,
                as_of,
                page_size: 1,
                order_by,
                ..Default::default()
            };
            pages!(client, partner_queries.list_partners, request.clone())
        }
        Question::Deal(number) => {
            let request = GetDealRequest { name: deal_name(&format!("d-{number}")), min_sequence, as_of };
            client.deal_queries().get_deal(client.request(request)).await?.into_inner().encode_to_vec()
        }
        Question::Deals { filter, order_by } => {
            let (filter, order_by) = ((*filter).to_owned(), (*order_by).to_owned());
            let request = ListDealsRequest {
                parent: parent(),
                min_sequence,
                as_of,
                page_size: 2,
                filter,
                order_by,
                ..Default::default()
            };
            pages!(client, deal_queries.list_deals, request.clone())
        }
        Question::Pipeline { all, by } => {
            let request = QueryPipelineRequest {
                parent: parent(),
                min_sequence,
                as_of,
                filter: Some(PipelineFilter { all_states: *all, ..Default::default() }),
                group_by: by.iter().map(|dimension| (*dimension).into()).collect(),
            };
            client.pipeline().query_pipeline(client.request(request)).await?.into_inner().encode_to_vec()
        }
        Question::OwnershipOf { domain } => {
            let subject = Subject::Customer(customer(domain));
            pages!(client, ownership.list_ownership_history, ownership(subject.clone(), as_of, min_sequence))
        }
        Question::OwnershipOfDeal(number) => {
            let subject = Subject::Deal(deal_name(&format!("d-{number}")));
            pages!(client, ownership.list_ownership_history, ownership(subject.clone(), as_of, min_sequence))
        }
    })
}

fn ownership(subject: Subject, as_of: Option<AsOf>, min_sequence: u64) -> ListOwnershipHistoryRequest {
    let (parent, subject) = ("programs/acme".to_owned(), Some(subject));
    ListOwnershipHistoryRequest { parent, min_sequence, as_of, page_size: 2, subject, ..Default::default() }
}
