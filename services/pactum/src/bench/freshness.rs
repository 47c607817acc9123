//! From a command's answer until a query shows its effect, while commands come at half of the rate that the system can take.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use pactum_api::proto::deal::v1::GetDealRequest;
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_log::Log;
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_runtime::config::Settings;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;

use super::commands::{self, PROGRAM};
use super::kafka::Topic;
use super::load::{self, Figures, processor_time};
use super::program;
use crate::client::{Authorize, Connection};
use crate::serve::{self, Roles};

/// Of so many commands one is followed by queries: enough to measure, too few to be a load of their own.
const SAMPLE: u64 = 16;

/// Commands under way at which it is clear that the rate cannot be kept.
const TOO_MANY: usize = 20_000;

/// How long the views may take to come up to the commands of the full load.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(
    kafka: Option<KafkaOptions>,
    in_flight: usize,
    seconds: f64,
) -> anyhow::Result<Vec<(String, Figures)>> {
    let scratch = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(".")?;
    let Some(kafka) = kafka else {
        let settings = Settings { data: scratch.path().to_owned(), ..Settings::default() };
        let log = serve::open_log(&settings, &serve::shared(&settings), true)?;
        return on(Arc::new(log), "embedded", scratch.path(), in_flight, seconds).await;
    };
    let topic = Topic::make(&kafka, "log", 1).await?;
    let log = KafkaLog::connect(topic.0.clone()).await?;
    let rows = on(Arc::new(log), "Kafka", scratch.path(), in_flight, seconds).await;
    topic.remove().await?;
    rows
}

async fn on(
    log: Arc<dyn Log>,
    name: &str,
    data: &Path,
    in_flight: usize,
    seconds: f64,
) -> anyhow::Result<Vec<(String, Figures)>> {
    let stop = CancellationToken::new();
    let system = serve::start_roles(log, Roles::All, data, stop.clone()).await?;
    let token = program::make(system.grpc, &system.key, PROGRAM).await?;
    let channel = load::channels(system.grpc, 1).await?.remove(0);
    let connection = InterceptedService::new(channel, Authorize::bearer(&token)?);
    let numbers = Arc::new(AtomicU64::new(0));
    let full = commands::register(system.grpc, &token, in_flight, seconds, &numbers).await?;
    let behind = Instant::now();
    ask(&connection, numbers.fetch_add(1, Ordering::Relaxed), true).await?;
    ensure!(behind.elapsed() < PATIENCE, "the views took {:?} to come up to the full load", behind.elapsed());
    let rate = full.per_second / 2.0;
    let half = |seconds| at_rate(connection.clone(), rate, Duration::from_secs_f64(seconds), Arc::clone(&numbers));
    half(seconds / 5.0).await?;
    let (started, cpu) = (Instant::now(), processor_time());
    let measured = half(seconds).await?;
    let length = started.elapsed();
    let cpu_us = processor_time()
        .zip(cpu)
        .map(|(after, before)| (after - before).as_micros() as f64 / measured.commands.len() as f64);
    let of = |latencies| Figures::of(0, latencies, length);
    let rows = vec![
        (format!("RegisterDeal, {name} log, full load"), full),
        ("RegisterDeal at half of that rate".to_owned(), Figures { cpu_us, ..of(&measured.commands) }),
        ("GetDeal after it, until it shows the deal".to_owned(), of(&measured.fresh)),
        ("GetDeal again, nothing to wait for".to_owned(), of(&measured.again)),
    ];
    stop.cancel();
    system.finish().await?;
    Ok(rows)
}

/// Times in microseconds.
struct Measured {
    /// From when a command was due until its answer.
    commands: Histogram<u64>,
    /// From a command's answer until the answer of a query that asks for its sequence.
    fresh: Histogram<u64>,
    /// The same query once more: what asking costs.
    again: Histogram<u64>,
}

impl Measured {
    fn none() -> anyhow::Result<Self> {
        Ok(Self { commands: Histogram::new(3)?, fresh: Histogram::new(3)?, again: Histogram::new(3)? })
    }

    fn add(&mut self, asked: &Asked) -> anyhow::Result<()> {
        let micros = |length: Duration| u64::try_from(length.as_micros()).unwrap_or(u64::MAX).max(1);
        self.commands.record(micros(asked.command))?;
        if let Some((fresh, again)) = asked.queries {
            self.fresh.record(micros(fresh))?;
            self.again.record(micros(again))?;
        }
        Ok(())
    }
}

/// Sends so many commands a second, whether or not those before were answered: a load that does not wait for the system.
async fn at_rate(
    connection: Connection,
    rate: f64,
    length: Duration,
    numbers: Arc<AtomicU64>,
) -> anyhow::Result<Measured> {
    let mut measured = Measured::none()?;
    let mut under_way = JoinSet::new();
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (started, mut sent) = (Instant::now(), 0_u64);
    while started.elapsed() < length {
        tick.tick().await;
        while (sent as f64) < started.elapsed().as_secs_f64() * rate {
            let due = started + Duration::from_secs_f64(sent as f64 / rate);
            let (connection, number) = (connection.clone(), numbers.fetch_add(1, Ordering::Relaxed));
            under_way.spawn(async move {
                let queried = number % SAMPLE == 0;
                let asked = ask(&connection, number, queried).await?;
                anyhow::Ok(Asked { command: asked.answered.duration_since(due), ..asked })
            });
            sent += 1;
        }
        while let Some(asked) = under_way.try_join_next() {
            measured.add(&asked.context("a caller panicked")??)?;
        }
        ensure!(under_way.len() < TOO_MANY, "half of the full rate, {rate:.0} a second, cannot be kept");
    }
    while let Some(asked) = under_way.join_next().await {
        measured.add(&asked.context("a caller panicked")??)?;
    }
    ensure!(!measured.fresh.is_empty(), "no command was followed by a query in {length:?}");
    Ok(measured)
}

/// What a command, and the queries after it, took.
struct Asked {
    command: Duration,
    answered: Instant,
    queries: Option<(Duration, Duration)>,
}

/// Registers a deal; where `queried`, asks for it with the answer's sequence, and once more without.
async fn ask(connection: &Connection, number: u64, queried: bool) -> anyhow::Result<Asked> {
    let asked = Instant::now();
    let answer = DealServiceClient::new(connection.clone()).register_deal(commands::request(PROGRAM, number)).await?;
    let answered = Instant::now();
    let command = answered.duration_since(asked);
    if !queried {
        return Ok(Asked { command, answered, queries: None });
    }
    let answer = answer.into_inner();
    let name = answer.deal.context("the answer holds no deal")?.name;
    let mut deals = DealQueryServiceClient::new(connection.clone());
    let mut get = async |min_sequence: u64| {
        let asked = Instant::now();
        let request = GetDealRequest { name: name.clone(), min_sequence, ..Default::default() };
        let shown = deals.get_deal(request).await?.into_inner();
        ensure!(shown.sequence >= min_sequence, "the query shows less than it was asked for");
        anyhow::Ok(asked.elapsed())
    };
    let fresh = get(answer.sequence).await?;
    let again = get(0).await?;
    Ok(Asked { command, answered, queries: Some((fresh, again)) })
}
