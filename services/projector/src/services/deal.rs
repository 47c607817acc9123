//! Reads deals. A caller of a partner sees its own only.

use std::sync::Arc;

use pactum_api::convert::deal_to_proto;
use pactum_api::proto::deal::v1 as proto;
use pactum_api::proto::deal::v1::deal_query_service_server::DealQueryService;
use pactum_api::{error, query};
use pactum_views::deals::{self, ListError, Query};
use tonic::{Request, Response, Status};

use crate::queries::{Queries, When, blocking, sequence_of, unreadable};

/// `pactum.deal.v1.DealQueryService`.
pub(crate) struct Deals(pub(crate) Arc<Queries>);

#[tonic::async_trait]
impl DealQueryService for Deals {
    async fn get_deal(
        &self,
        request: Request<proto::GetDealRequest>,
    ) -> Result<Response<proto::GetDealResponse>, Status> {
        let _timer = self.0.meters.get_deal();
        let asked = self.0.admit(&request)?;
        let id = query::deal(&asked.caller, "name", &request.get_ref().name)?;
        let (asks, program) = (request.get_ref(), asked.program());
        let when = When { min_sequence: asks.min_sequence, as_of: asks.as_of.as_ref(), page: 0 };
        let held = asked.rows(&asked.views.deals, when).await?;
        let row = deals::get(held.store(), program, &id).map_err(|error| unreadable(&error))?;
        let row = row.filter(|row| asked.caller.sees(&row.deal.partner));
        let row = row.ok_or_else(|| error::not_found("deal", id.as_str()))?;
        let deal = Some(deal_to_proto(program, &row.deal, &asked.caller));
        Ok(Response::new(proto::GetDealResponse { deal, sequence: held.sequence }))
    }

    async fn list_deals(
        &self,
        request: Request<proto::ListDealsRequest>,
    ) -> Result<Response<proto::ListDealsResponse>, Status> {
        let _timer = self.0.meters.list_deals();
        let asked = self.0.admit(&request)?;
        let asks = request.get_ref();
        let program = query::program(&asked.caller, "parent", &asks.parent)?;
        let (own, size) = (asked.scope()?, query::page_size(asks.page_size)?);
        let query = Query::new(program.clone(), own, &asks.filter, &asks.order_by, size, &asks.page_token)
            .map_err(|error| refused(&error))?;
        let when = When { min_sequence: asks.min_sequence, as_of: asks.as_of.as_ref(), page: query.min_sequence() };
        let held = asked.rows(&asked.views.deals, when).await?;
        let caller = Arc::clone(&asked.caller);
        let answer = blocking(move || {
            let rows = held.store().snapshot();
            let sequence = sequence_of(&rows, &program)?;
            let page = deals::list(&rows, &query, sequence).map_err(|error| refused(&error))?;
            Ok(proto::ListDealsResponse {
                deals: page.deals.iter().map(|row| deal_to_proto(&program, &row.deal, &caller)).collect(),
                next_page_token: page.next.unwrap_or_default(),
                sequence,
            })
        });
        answer.await.map(Response::new)
    }
}

fn refused(list_error: &ListError) -> Status {
    match list_error {
        ListError::Filter(invalid) => error::invalid_filter(&invalid.to_string()),
        ListError::Order(invalid) => error::invalid_field("order_by", invalid.to_string()),
        ListError::Token(invalid) => error::invalid_page_token(&invalid.to_string()),
        ListError::Rows(error) => unreadable(error),
    }
}
