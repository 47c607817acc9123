//! Reads of a program through gRPC.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use pactum_api::proto::deal::v1::GetDealRequest;
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::pipeline::v1::pipeline_query_service_client::PipelineQueryServiceClient;
use pactum_api::proto::pipeline::v1::{PipelineDimension, QueryPipelineRequest};
use pactum_log::memory::{MemoryLog, MemoryOptions};
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;

use super::echo;
use super::load::{self, Figures};
use crate::client::Authorize;
use crate::demo::{self, generator::Size};
use crate::serve::{self, Roles};

/// About what a deal has on the wire, so that the echo moves as much.
const ANSWER_BYTES: usize = 400;

pub(super) async fn run(in_flight: &[usize], deals: u32, seconds: f64) -> anyhow::Result<Vec<(String, Figures)>> {
    let scratch = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(".")?;
    let stop = CancellationToken::new();
    let echo = echo::start(stop.clone()).await?;
    let log = Arc::new(MemoryLog::new(&MemoryOptions::default()));
    let system = serve::start_roles(log, Roles::All, scratch.path(), stop.clone()).await?;
    let token = demo::fill(system.grpc, &system.key, Size { partners: 200, deals, years: 3, seed: 7 }).await?;
    let authorize = Authorize::bearer(&token)?;

    let mut rows = Vec::new();
    let numbers = Arc::new(AtomicU64::new(0));
    for &callers in in_flight {
        rows.push((echo::NAME.to_owned(), echo::measure(echo, ANSWER_BYTES, callers, seconds).await?));
        let channels = load::channels(system.grpc, callers).await?;
        let header = authorize.clone();
        let point = load::measure(&channels, callers, seconds, &numbers, move |channel, number| {
            let header = header.clone();
            async move {
                // A stride that visits every deal before it visits one again.
                let deal = (number * 7919) % u64::from(deals);
                let name = format!("programs/{}/deals/d{deal:06}", demo::PROGRAM);
                let mut client = DealQueryServiceClient::new(InterceptedService::new(channel, header));
                client.get_deal(GetDealRequest { name, min_sequence: 0 }).await?;
                Ok(())
            }
        });
        rows.push(("GetDeal".to_owned(), point.await?));
        let header = authorize.clone();
        let grouped = load::measure(&channels, callers, seconds, &numbers, move |channel, _| {
            let header = header.clone();
            async move {
                let mut client = PipelineQueryServiceClient::new(InterceptedService::new(channel, header));
                let request = QueryPipelineRequest {
                    parent: format!("programs/{}", demo::PROGRAM),
                    group_by: vec![PipelineDimension::Tier.into(), PipelineDimension::Stage.into()],
                    ..Default::default()
                };
                client.query_pipeline(request).await?;
                Ok(())
            }
        });
        rows.push(("QueryPipeline by tier and stage".to_owned(), grouped.await?));
    }
    stop.cancel();
    system.finish().await?;
    Ok(rows)
}
