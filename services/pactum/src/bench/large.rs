//! Reads, through gRPC, of a program that `pactum generate` made: also of one with a million deals, and while commands are taken.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_api::proto::deal::v1::{ChangeDealStageRequest, Deal, GetDealRequest, ListDealsRequest};
use pactum_api::proto::pipeline::v1::pipeline_query_service_client::PipelineQueryServiceClient;
use pactum_api::proto::pipeline::v1::{PipelineDimension, PipelineFilter, QueryPipelineRequest, QueryPipelineResponse};
use pactum_runtime::config::Settings;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use super::echo::{self, Sizes};
use super::load::{self, Figures};
use crate::client::{self, Authorize, Connection, MAX_ANSWER};
use crate::{demo, serve};

/// How long the first fold of the log may take.
const FOLDING: Duration = Duration::from_secs(3_600);

/// A log that has not grown for so long is taken for quiet: what fell due before the start has then lapsed.
const QUIET: Duration = Duration::from_secs(2);

/// Deals whose stage is changed, in turn.
const CHANGED: i32 = 200;

/// Between two commands: each empties the kept answers, and more would only be a load of their own.
const PAUSE: Duration = Duration::from_millis(3);

/// What is asked: groups by these.
const QUESTIONS: [(&str, &[PipelineDimension]); 4] = [
    ("tier and stage", &[PipelineDimension::Tier, PipelineDimension::Stage]),
    ("partner", &[PipelineDimension::Partner]),
    (
        "territory, product and currency",
        &[PipelineDimension::Territory, PipelineDimension::Product, PipelineDimension::Currency],
    ),
    ("partner and close month", &[PipelineDimension::Partner, PipelineDimension::CloseMonth]),
];

pub(super) async fn run(
    data: &Path,
    program: &str,
    in_flight: &[usize],
    seconds: f64,
) -> anyhow::Result<Vec<(String, Figures)>> {
    ensure!(data.join("log").is_dir(), "{} holds no log; `pactum generate` makes one", data.display());
    // As `serve` would have it here, but for its addresses, and quiet.
    let flags = std::collections::BTreeMap::from([("data", data)]);
    let mut settings = Settings::load(None, &flags)?;
    settings.grpc.listen.set_port(0);
    settings.http.listen.set_port(0);
    settings.telemetry.filter = "warn".into();
    let system = serve::start(&settings).await?;
    system.ready(FOLDING).await?;
    let token = demo::admin(&system.key, client::program_id(program)?.as_str())?;
    let (large, first) = Large::find(program, system.grpc, Authorize::bearer(&token)?).await?;
    let mut rows = vec![first];
    rows.extend(large.measure(in_flight, seconds).await?);
    system.stop();
    system.finish().await?;
    Ok(rows)
}

/// The program, and how it is reached.
#[derive(Clone)]
struct Large {
    program: String,
    grpc: SocketAddr,
    authorize: Authorize,
    connection: Connection,
    deals: u64,
}

impl Large {
    /// Also asks the first question about it, and says how long that took.
    async fn find(program: &str, grpc: SocketAddr, authorize: Authorize) -> anyhow::Result<(Self, (String, Figures))> {
        let channel = load::channels(grpc, 1).await?.remove(0);
        let connection = InterceptedService::new(channel, authorize.clone());
        let mut found = Self { program: program.to_owned(), grpc, authorize, connection, deals: 0 };
        let all = found.question(&[], true);
        let started = Instant::now();
        found.ask(&all).await.with_context(|| format!("{program} cannot be asked about"))?;
        let first = ("QueryPipeline, the first after the start".to_owned(), once(started.elapsed())?);
        let (mut since, mut last) = (Instant::now(), 0);
        while since.elapsed() < QUIET {
            let answer = found.ask(&all).await?;
            if answer.sequence > last {
                (since, last) = (Instant::now(), answer.sequence);
            }
            found.deals = answer.totals.map_or(0, |totals| totals.deals);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        ensure!(found.deals > 0, "{program} has no deals");
        Ok((found, first))
    }

    async fn measure(&self, in_flight: &[usize], seconds: f64) -> anyhow::Result<Vec<(String, Figures)>> {
        let mut rows = Vec::new();
        let deals = self.deals;
        let one = DealQueryServiceClient::new(self.connection.clone()).get_deal(self.deal(1)).await?.into_inner();
        let one = Sizes::of(&self.deal(1), &one);
        for &callers in in_flight {
            rows.push(echo::measure(&one, callers, seconds).await?);
            rows.push((format!("GetDeal of {deals} deals"), self.get_deal(callers, seconds).await?));
            let commands = Commands::start(self).await?;
            let figures = self.get_deal(callers, seconds).await?;
            rows.push((format!("GetDeal of {deals} deals, {}", commands.stop().await?), figures));
            for ((by, dimensions), all) in QUESTIONS.iter().flat_map(|question| [(question, false), (question, true)]) {
                let asked = self.question(dimensions, all);
                let answer = self.ask(&asked).await?;
                let (counted, groups) = (answer.totals.as_ref().map_or(0, |totals| totals.deals), answer.groups.len());
                let what = format!("QueryPipeline by {by}, {counted} of {deals} deals, {groups} groups");
                rows.push(echo::measure(&Sizes::with(&asked, &answer), callers, seconds).await?);
                rows.push((format!("{what}, kept"), self.query(&asked, callers, seconds).await?));
                if callers == 1 {
                    rows.push((format!("{what}, after a command"), self.query_changed(&asked, seconds).await?));
                }
                let commands = Commands::start(self).await?;
                let figures = self.query(&asked, callers, seconds).await?;
                rows.push((format!("{what}, {}", commands.stop().await?), figures));
            }
        }
        Ok(rows)
    }

    /// Asks for one deal after another, in a stride that visits nearly every one before it visits one again.
    fn deal(&self, number: u64) -> GetDealRequest {
        let deal = (number * 611_953) % self.deals;
        GetDealRequest { name: format!("{}/deals/d{deal:06}", self.program), ..Default::default() }
    }

    async fn get_deal(&self, callers: usize, seconds: f64) -> anyhow::Result<Figures> {
        let channels = load::channels(self.grpc, callers).await?;
        let this = Arc::new(self.clone());
        load::measure(&channels, callers, seconds, &Arc::new(AtomicU64::new(0)), move |channel, number| {
            let this = Arc::clone(&this);
            async move {
                let connection = InterceptedService::new(channel, this.authorize.clone());
                DealQueryServiceClient::new(connection).get_deal(this.deal(number)).await?;
                Ok(())
            }
        })
        .await
    }

    fn question(&self, by: &[PipelineDimension], all_states: bool) -> QueryPipelineRequest {
        QueryPipelineRequest {
            parent: self.program.clone(),
            filter: Some(PipelineFilter { all_states, ..Default::default() }),
            group_by: by.iter().map(|dimension| (*dimension).into()).collect(),
            ..Default::default()
        }
    }

    async fn ask(&self, question: &QueryPipelineRequest) -> anyhow::Result<QueryPipelineResponse> {
        Ok(pipelines(self.connection.clone()).query_pipeline(question.clone()).await?.into_inner())
    }

    async fn query(&self, asked: &QueryPipelineRequest, callers: usize, seconds: f64) -> anyhow::Result<Figures> {
        let channels = load::channels(self.grpc, callers).await?;
        let (asked, authorize) = (asked.clone(), self.authorize.clone());
        load::measure(&channels, callers, seconds, &Arc::default(), move |channel, _| {
            let connection = InterceptedService::new(channel, authorize.clone());
            let asked = asked.clone();
            async move {
                pipelines(connection).query_pipeline(asked).await?;
                Ok(())
            }
        })
        .await
    }

    /// Asks after each command for what holds it, so that no answer is a kept one: from the question, which may have to wait
    /// for the fold, to its answer.
    async fn query_changed(&self, asked: &QueryPipelineRequest, seconds: f64) -> anyhow::Result<Figures> {
        let mut changes = Changes::find(self).await?;
        let mut commands = DealServiceClient::new(self.connection.clone());
        let mut pipeline = pipelines(self.connection.clone());
        let (mut latencies, started) = (Histogram::new(3)?, Instant::now());
        while started.elapsed().as_secs_f64() < seconds {
            let min_sequence = commands.change_deal_stage(changes.next()).await?.into_inner().sequence;
            let asking = Instant::now();
            pipeline.query_pipeline(QueryPipelineRequest { min_sequence, ..asked.clone() }).await?;
            latencies.record(u64::try_from(asking.elapsed().as_micros())?.max(1))?;
        }
        Ok(Figures::of(1, &latencies, started.elapsed()))
    }
}

/// The deals whose stages are changed, and the stages they may have.
struct Changes {
    deals: Vec<Deal>,
    stages: Vec<String>,
    number: usize,
}

impl Changes {
    async fn find(large: &Large) -> anyhow::Result<Self> {
        let request = ListDealsRequest {
            parent: large.program.clone(),
            page_size: CHANGED,
            filter: "deal.state == 'APPROVED'".into(),
            order_by: "sequence desc".into(),
            ..Default::default()
        };
        let deals = DealQueryServiceClient::new(large.connection.clone()).list_deals(request).await?.into_inner().deals;
        let mut stages: Vec<_> = deals.iter().map(|deal| deal.stage.clone()).collect();
        stages.sort_unstable();
        stages.dedup();
        ensure!(stages.len() > 1, "the commands that are taken meanwhile need open deals in two stages");
        Ok(Self { deals, stages, number: 0 })
    }

    /// Another stage for the next of the deals.
    fn next(&mut self) -> ChangeDealStageRequest {
        let deal = self.number % self.deals.len();
        self.number += 1;
        let Deal { name, stage, .. } = &mut self.deals[deal];
        let at = self.stages.iter().position(|known| known == stage).unwrap_or(0);
        stage.clone_from(&self.stages[(at + 1) % self.stages.len()]);
        ChangeDealStageRequest { name: name.clone(), stage: stage.clone(), ..Default::default() }
    }
}

fn pipelines(connection: Connection) -> PipelineQueryServiceClient<InterceptedService<Channel, Authorize>> {
    PipelineQueryServiceClient::new(connection).max_decoding_message_size(MAX_ANSWER)
}

/// A row of a single request.
fn once(took: Duration) -> anyhow::Result<Figures> {
    let mut histogram = Histogram::new(3)?;
    histogram.record(u64::try_from(took.as_micros())?.max(1))?;
    Ok(Figures::of(1, &histogram, took))
}

/// Changes the stages of some deals, one after another, until it is stopped.
struct Commands {
    changing: JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
    taken: Arc<AtomicU64>,
    started: Instant,
}

impl Commands {
    async fn start(large: &Large) -> anyhow::Result<Self> {
        let mut changes = Changes::find(large).await?;
        let (stop, taken) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (stop.clone(), Arc::clone(&taken));
        let mut commands = DealServiceClient::new(large.connection.clone());
        let changing = tokio::spawn(async move {
            while !stopped.is_cancelled() {
                commands.change_deal_stage(changes.next()).await?;
                count.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(PAUSE).await;
            }
            Ok(())
        });
        Ok(Self { changing, stop, taken, started: Instant::now() })
    }

    /// Stops, and says how many there were.
    async fn stop(self) -> anyhow::Result<String> {
        let rate = self.taken.load(Ordering::Relaxed) as f64 / self.started.elapsed().as_secs_f64();
        self.stop.cancel();
        self.changing.await.context("the commands ended in a panic")??;
        ensure!(rate >= 1.0, "hardly a command was taken meanwhile");
        Ok(format!("with {rate:.0} commands a second"))
    }
}
