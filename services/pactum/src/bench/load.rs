//! A closed loop: so many callers, each asking again as soon as it is answered.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use serde::Serialize;
use tonic::transport::{Channel, Endpoint};

/// Connections the callers share: one, as a gRPC client has.
const CONNECTIONS: usize = 1;

/// What a load came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figures {
    pub(super) in_flight: usize,
    pub(super) requests: u64,
    pub(super) per_second: f64,
    pub(super) p50_us: u64,
    pub(super) p99_us: u64,
    /// Processor time of the whole process, callers and server alike, by request: what a rate divides into, and steadier
    /// than it on a machine that others use too. `None` where the server was another process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cpu_us: Option<f64>,
}

/// Opens the connections for a load.
pub(super) async fn channels(address: std::net::SocketAddr, in_flight: usize) -> anyhow::Result<Vec<Channel>> {
    let mut channels = Vec::new();
    for _ in 0..CONNECTIONS.min(in_flight) {
        channels.push(Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).connect().await?);
    }
    Ok(channels)
}

/// Puts `in_flight` callers on the channels for a warm-up and then for `seconds`. `call` gets its caller's channel and a
/// number that is never given twice.
pub(super) async fn measure<C, F>(
    channels: &[Channel],
    in_flight: usize,
    seconds: f64,
    numbers: &Arc<AtomicU64>,
    call: C,
) -> anyhow::Result<Figures>
where
    C: Fn(Channel, u64) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    round(channels, in_flight, Duration::from_secs_f64(seconds / 5.0), numbers, call.clone()).await?;
    let (started, cpu) = (Instant::now(), processor_time());
    let latencies = round(channels, in_flight, Duration::from_secs_f64(seconds), numbers, call).await?;
    let cpu_us =
        processor_time().zip(cpu).map(|(after, before)| (after - before).as_micros() as f64 / latencies.len() as f64);
    Ok(Figures { cpu_us, ..Figures::of(in_flight, &latencies, started.elapsed()) })
}

impl Figures {
    /// What latencies in microseconds, taken within `length`, come to.
    pub(super) fn of(in_flight: usize, latencies: &Histogram<u64>, length: Duration) -> Self {
        Self {
            in_flight,
            requests: latencies.len(),
            per_second: latencies.len() as f64 / length.as_secs_f64(),
            p50_us: latencies.value_at_quantile(0.5),
            p99_us: latencies.value_at_quantile(0.99),
            cpu_us: None,
        }
    }
}

/// What this process has used of the processors, to a hundredth of a second.
pub(super) fn processor_time() -> Option<Duration> {
    /// Linux tells it in these, whatever the kernel's own ticks are.
    const TICKS_PER_SECOND: u64 = 100;
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name may hold anything; what follows its closing bracket does not.
    let fields = text.rsplit_once(')')?.1.split_whitespace().collect::<Vec<_>>();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

async fn round<C, F>(
    channels: &[Channel],
    in_flight: usize,
    length: Duration,
    numbers: &Arc<AtomicU64>,
    call: C,
) -> anyhow::Result<Histogram<u64>>
where
    C: Fn(Channel, u64) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let until = Instant::now() + length;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..in_flight {
        let channel = channels[caller % channels.len()].clone();
        let (numbers, call) = (Arc::clone(numbers), call.clone());
        callers.spawn(async move {
            let mut latencies = Histogram::<u64>::new(3)?;
            while Instant::now() < until {
                let asked = Instant::now();
                call(channel.clone(), numbers.fetch_add(1, Ordering::Relaxed)).await?;
                latencies.record(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX).max(1))?;
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Histogram::<u64>::new(3)?;
    while let Some(caller) = callers.join_next().await {
        all.add(caller.context("a caller panicked")??)?;
    }
    anyhow::ensure!(!all.is_empty(), "no request was answered in {length:?}");
    Ok(all)
}
