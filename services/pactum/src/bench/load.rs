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
    let started = Instant::now();
    let latencies = round(channels, in_flight, Duration::from_secs_f64(seconds), numbers, call).await?;
    Ok(Figures {
        in_flight,
        requests: latencies.len(),
        per_second: latencies.len() as f64 / started.elapsed().as_secs_f64(),
        p50_us: latencies.value_at_quantile(0.5),
        p99_us: latencies.value_at_quantile(0.99),
    })
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
