//! How throughput moves with the partitions of a Kafka log and the command processes in front of it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_runtime::token::TokenKey;
use serde::Serialize;
use tonic::service::interceptor::InterceptedService;

use super::commands;
use super::kafka::Topic;
use super::load::{self, Figures};
use super::process::Process;
use super::program;
use crate::client::Authorize;
use crate::topics;

/// Programs that registrations go round: enough to lie in every one of twelve partitions.
const PROGRAMS: usize = 36;

/// How long the processes may take to share the partitions.
const SETTLING: Duration = Duration::from_secs(60);

/// One measured combination.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    pub(super) partitions: u32,
    pub(super) processes: usize,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

impl Point {
    pub(super) fn row(self) -> (String, Figures) {
        let plural = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let partitions = plural(self.partitions as usize, "partition", "partitions");
        (format!("{partitions}, {}", plural(self.processes, "process", "processes")), self.figures)
    }
}

pub(super) async fn run(
    kafka: &KafkaOptions,
    partitions: &[u32],
    processes: &[usize],
    in_flight: usize,
    seconds: f64,
) -> anyhow::Result<Vec<Point>> {
    let mut points = Vec::new();
    for &partitions in partitions {
        for &processes in processes {
            let figures = measure(kafka, partitions, processes, in_flight, seconds)
                .await
                .with_context(|| format!("{partitions} partitions, {processes} processes"))?;
            points.push(Point { partitions, processes, figures });
        }
    }
    Ok(points)
}

async fn measure(
    kafka: &KafkaOptions,
    partitions: u32,
    processes: usize,
    in_flight: usize,
    seconds: f64,
) -> anyhow::Result<Figures> {
    let scratch = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(".")?;
    let topic = Topic::make(kafka, "scaling", partitions).await?;
    topics::begin(&KafkaLog::connect(topic.0.clone()).await?).await?;
    let key = scratch.path().join("token.key");
    drop(TokenKey::read_or_create(&key)?);
    let mut started = Vec::new();
    for number in 0..processes {
        started.push(start(&topic.0, scratch.path(), &key, number)?);
    }
    for process in &mut started {
        process.ready().await?;
    }
    let key = TokenKey::read(&key)?;
    let mut tokens = Vec::new();
    for number in 0..PROGRAMS {
        tokens.push(Authorize::bearer(&made(started[number % processes].grpc, &key, number).await?)?);
    }
    let mut channels = Vec::new();
    for process in &started {
        channels.extend(load::channels(process.grpc, 1).await?);
    }
    let tokens = Arc::new(tokens);
    let figures = load::measure(&channels, in_flight, seconds, &Arc::new(AtomicU64::new(0)), move |channel, number| {
        let tokens = Arc::clone(&tokens);
        async move {
            let place = usize::try_from(number).unwrap_or(usize::MAX) % PROGRAMS;
            let channel = InterceptedService::new(channel, tokens[place].clone());
            let request = commands::request(&name(place), number / PROGRAMS as u64);
            DealServiceClient::new(channel).register_deal(request).await?;
            Ok(())
        }
    })
    .await?;
    for process in started {
        process.stop().await?;
    }
    topic.remove().await?;
    // The time is this process's alone, which only asks.
    Ok(Figures { cpu_us: None, ..figures })
}

/// Makes a program, trying again while the processes still settle who owns its partition.
async fn made(grpc: std::net::SocketAddr, key: &TokenKey, number: usize) -> anyhow::Result<String> {
    let started = Instant::now();
    loop {
        match program::make(grpc, key, &name(number)).await {
            Err(_) if started.elapsed() < SETTLING => tokio::time::sleep(Duration::from_millis(200)).await,
            made => return made,
        }
    }
}

fn name(number: usize) -> String {
    format!("bench-{number}")
}

fn start(topic: &KafkaOptions, scratch: &Path, key: &Path, number: usize) -> anyhow::Result<Process> {
    let data = scratch.join(number.to_string());
    std::fs::create_dir_all(&data)?;
    let environment = [
        ("PACTUM_LOG__KIND", "kafka"),
        ("PACTUM_KAFKA__BROKERS", &topic.brokers),
        ("PACTUM_KAFKA__TOPIC", &topic.topic),
        ("PACTUM_COMMAND__GROUP", &topic.topic),
        ("PACTUM_TOKEN__KEY_FILE", &key.to_string_lossy()),
    ];
    Process::start(&["command", "--data", &data.to_string_lossy()], &environment)
}
