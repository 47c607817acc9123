//! Reads of a program through gRPC.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use pactum_api::proto::deal::v1::GetDealRequest;
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::pipeline::v1::pipeline_query_service_client::PipelineQueryServiceClient;
use pactum_api::proto::pipeline::v1::{PipelineDimension, QueryPipelineRequest};
use pactum_log::Log;
use pactum_log::memory::{MemoryLog, MemoryOptions};
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;

use super::echo::{self, Sizes};
use super::load::{self, Figures};
use crate::client::Authorize;
use crate::demo;
use crate::serve::{self, Roles};

pub(super) async fn run(in_flight: &[usize], deals: u32, seconds: f64) -> anyhow::Result<Vec<(String, Figures)>> {
    let scratch = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(".")?;
    let stop = CancellationToken::new();
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(&MemoryOptions::default()));
    let sequence = demo::generate(&log, None, "memory", demo::size(200, deals, 3, 7)).await?;
    let system = serve::start_roles(log, Roles::All, scratch.path(), stop.clone()).await?;
    let token = demo::admin(&system.key, demo::PROGRAM)?;
    demo::wait_for(&demo::connect(system.grpc, &token).await?, sequence).await?;
    let authorize = Authorize::bearer(&token)?;

    let channel = InterceptedService::new(load::channels(system.grpc, 1).await?.remove(0), authorize.clone());
    let answer = DealQueryServiceClient::new(channel.clone()).get_deal(deal_of(0, deals)).await?.into_inner();
    let one_deal = Sizes::of(&deal_of(0, deals), &answer);
    let answer = PipelineQueryServiceClient::new(channel).query_pipeline(by_tier_and_stage()).await?.into_inner();
    let groups = Sizes::of(&by_tier_and_stage(), &answer);
    let same_groups = Sizes::with(&by_tier_and_stage(), &answer);

    let mut rows = Vec::new();
    let numbers = Arc::new(AtomicU64::new(0));
    for &callers in in_flight {
        rows.push(echo::measure(&one_deal, callers, seconds).await?);
        let channels = load::channels(system.grpc, callers).await?;
        let header = authorize.clone();
        let point = load::measure(&channels, callers, seconds, &numbers, move |channel, number| {
            let header = header.clone();
            async move {
                let mut client = DealQueryServiceClient::new(InterceptedService::new(channel, header));
                client.get_deal(deal_of(number, deals)).await?;
                Ok(())
            }
        });
        rows.push(("GetDeal".to_owned(), point.await?));
        rows.push(echo::measure(&groups, callers, seconds).await?);
        let (same, figures) = echo::measure(&same_groups, callers, seconds).await?;
        rows.push((format!("{same}, groups to its caller too"), figures));
        let header = authorize.clone();
        let grouped = load::measure(&channels, callers, seconds, &numbers, move |channel, _| {
            let header = header.clone();
            async move {
                let mut client = PipelineQueryServiceClient::new(InterceptedService::new(channel, header));
                client.query_pipeline(by_tier_and_stage()).await?;
                Ok(())
            }
        });
        rows.push(("QueryPipeline by tier and stage".to_owned(), grouped.await?));
    }
    stop.cancel();
    system.finish().await?;
    Ok(rows)
}

/// Asks for one deal after another, in a stride that visits every one before it visits one again.
fn deal_of(number: u64, deals: u32) -> GetDealRequest {
    let deal = (number * 7919) % u64::from(deals);
    GetDealRequest { name: format!("programs/{}/deals/d{deal:06}", demo::PROGRAM), ..Default::default() }
}

fn by_tier_and_stage() -> QueryPipelineRequest {
    QueryPipelineRequest {
        parent: format!("programs/{}", demo::PROGRAM),
        group_by: vec![PipelineDimension::Tier.into(), PipelineDimension::Stage.into()],
        ..Default::default()
    }
}
