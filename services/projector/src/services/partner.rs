//! Reads partners. A caller of a partner sees its own only.

use std::sync::Arc;

use pactum_api::convert::partner_to_proto;
use pactum_api::proto::partner::v1 as proto;
use pactum_api::proto::partner::v1::partner_query_service_server::PartnerQueryService;
use pactum_api::{error, query};
use pactum_views::partners::{self, ListError, Query};
use tonic::{Request, Response, Status};

use crate::queries::{Queries, When, blocking, sequence_of, unreadable};

/// `pactum.partner.v1.PartnerQueryService`.
pub(crate) struct Partners(pub(crate) Arc<Queries>);

#[tonic::async_trait]
impl PartnerQueryService for Partners {
    async fn get_partner(
        &self,
        request: Request<proto::GetPartnerRequest>,
    ) -> Result<Response<proto::GetPartnerResponse>, Status> {
        let _timer = self.0.meters.get_partner();
        let asked = self.0.admit(&request)?;
        let id = query::partner(&asked.caller, "name", &request.get_ref().name)?;
        let (asks, program) = (request.get_ref(), asked.program());
        let when = When { min_sequence: asks.min_sequence, as_of: asks.as_of.as_ref(), page: 0 };
        let held = asked.rows(&asked.views.partners, when).await?;
        let row = partners::get(held.store(), program, &id).map_err(|error| unreadable(&error))?;
        let row = row.filter(|row| asked.caller.sees(&row.partner.id));
        let row = row.ok_or_else(|| error::not_found("partner", id.as_str()))?;
        let partner = Some(partner_to_proto(program, &row.partner));
        Ok(Response::new(proto::GetPartnerResponse { partner, sequence: held.sequence }))
    }

    async fn list_partners(
        &self,
        request: Request<proto::ListPartnersRequest>,
    ) -> Result<Response<proto::ListPartnersResponse>, Status> {
        let _timer = self.0.meters.list_partners();
        let asked = self.0.admit(&request)?;
        let asks = request.get_ref();
        let program = query::program(&asked.caller, "parent", &asks.parent)?;
        let (own, size) = (asked.scope()?, query::page_size(asks.page_size)?);
        let query = Query::new(program.clone(), own, &asks.filter, &asks.order_by, size, &asks.page_token)
            .map_err(|error| refused(&error))?;
        let when = When { min_sequence: asks.min_sequence, as_of: asks.as_of.as_ref(), page: query.min_sequence() };
        let held = asked.rows(&asked.views.partners, when).await?;
        let answer = blocking(move || {
            let rows = held.store().snapshot();
            let sequence = sequence_of(&rows, &program)?;
            let page = partners::list(&rows, &query, sequence).map_err(|error| refused(&error))?;
            Ok(proto::ListPartnersResponse {
                partners: page.partners.iter().map(|row| partner_to_proto(&program, &row.partner)).collect(),
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
        ListError::Order(_) => error::invalid_field("order_by", list_error.to_string()),
        ListError::Token(invalid) => error::invalid_page_token(&invalid.to_string()),
        ListError::Rows(error) => unreadable(error),
    }
}
