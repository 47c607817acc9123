//! Conditional appends of one 300-byte event a request to a UmaDB server in this process, over gRPC on loopback, as its own
//! documentation shows them. Prints one line of JSON.
//!
//! `umadb-load DIRECTORY IN_FLIGHT SECONDS`

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use tokio::sync::oneshot;
use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreAsync, DcbQuery, DcbQueryItem};

/// As many connections as the other side of the comparison opens.
const CONNECTIONS: usize = 1;
const EVENT_BYTES: usize = 300;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, in_flight, seconds] = arguments.as_slice() else {
        anyhow::bail!("usage: umadb-load DIRECTORY IN_FLIGHT SECONDS");
    };
    let in_flight: usize = in_flight.parse().context("IN_FLIGHT is a number")?;
    let length = Duration::from_secs_f64(seconds.parse().context("SECONDS is a number")?);

    let data = tempfile::Builder::new().prefix("umadb-").tempdir_in(Path::new(directory))?;
    // Take a free port, give it back, and let the server have it.
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let path = data.path().to_owned();
    let server = tokio::spawn(async move {
        umadb_server::start_server(path, &address.to_string(), stopped).await.map_err(|error| error.to_string())
    });

    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS.min(in_flight) {
        clients.push(Arc::new(UmaDbClient::new(format!("http://{address}")).connect_async().await?));
    }
    let number = Arc::new(AtomicU64::new(0));
    // A warm-up that does not count.
    load(&clients, in_flight, length.mul_f64(0.2), &number).await?;
    let started = Instant::now();
    let latencies = load(&clients, in_flight, length, &number).await?;
    let elapsed = started.elapsed();
    println!(
        "{}",
        serde_json::json!({
            "in_flight": in_flight,
            "requests": latencies.len(),
            "per_second": latencies.len() as f64 / elapsed.as_secs_f64(),
            "p50_us": latencies.value_at_quantile(0.5),
            "p99_us": latencies.value_at_quantile(0.99),
        })
    );
    drop(clients);
    let _ = stop.send(());
    let _ = tokio::time::timeout(Duration::from_secs(5), server).await;
    Ok(())
}

async fn load(
    clients: &[Arc<AsyncUmaDbClient>],
    in_flight: usize,
    length: Duration,
    number: &Arc<AtomicU64>,
) -> anyhow::Result<Histogram<u64>> {
    let until = Instant::now() + length;
    let mut callers = Vec::new();
    for caller in 0..in_flight {
        let client = Arc::clone(&clients[caller % clients.len()]);
        let number = Arc::clone(number);
        callers.push(tokio::spawn(async move {
            let mut latencies = Histogram::<u64>::new(3)?;
            while Instant::now() < until {
                let tag = format!("deal-{}", number.fetch_add(1, Ordering::Relaxed));
                let event = DcbEvent::default().event_type("DealRegistered").tags([tag.clone()]).data(vec![7; EVENT_BYTES]);
                let unclaimed = DcbQuery::new().item(DcbQueryItem::new().types(["DealRegistered"]).tags([tag]));
                let asked = Instant::now();
                client.append(vec![event], Some(DcbAppendCondition::new(unclaimed)), None).await?;
                latencies.record(u64::try_from(asked.elapsed().as_micros())?.max(1))?;
            }
            anyhow::Ok(latencies)
        }));
    }
    let mut all = Histogram::<u64>::new(3)?;
    for caller in callers {
        all.add(caller.await??)?;
    }
    ensure!(!all.is_empty(), "no request was answered");
    Ok(all)
}
