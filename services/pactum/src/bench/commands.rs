//! `RegisterDeal` through gRPC, from the caller's request to the answer that was read back from the log.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use pactum_api::proto::common::v1 as common;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_log::Log;
use pactum_log::memory::{MemoryLog, MemoryOptions};
use pactum_runtime::config::Settings;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;

use super::echo::{self, Sizes};
use super::load::{self, Figures};
use super::program::{self, PARTNERS};
use super::umadb;
use crate::client::Authorize;
use crate::serve::{self, Roles};

/// The program registered in.
pub(super) const PROGRAM: &str = "bench";
const PRODUCTS: u64 = 8;

pub(super) async fn run(
    in_flight: &[usize],
    seconds: f64,
    beside_umadb: bool,
) -> anyhow::Result<Vec<(String, Figures)>> {
    if beside_umadb {
        umadb::build().await?;
    }
    // On the disk that the data directory would be on: temporary directories are often in memory.
    let scratch = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(".")?;
    let stop = CancellationToken::new();
    let memory: Arc<dyn Log> = Arc::new(MemoryLog::new(&MemoryOptions::default()));
    let on_memory = serve::start_roles(memory, Roles::Command, scratch.path(), stop.clone()).await?;
    let settings = Settings { data: scratch.path().to_owned(), ..Settings::default() };
    let embedded = serve::open_log(&settings, &serve::shared(&settings), true)?;
    let on_disk = serve::start_roles(Arc::new(embedded), Roles::Command, scratch.path(), stop.clone()).await?;
    let tokens = [
        program::make(on_memory.grpc, &on_memory.key, PROGRAM).await?,
        program::make(on_disk.grpc, &on_disk.key, PROGRAM).await?,
    ];

    let mut rows = Vec::new();
    let numbers = Arc::new(AtomicU64::new(1));
    let sizes = sizes(on_memory.grpc, &tokens[0]).await?;
    for &callers in in_flight {
        rows.push(echo::measure(&sizes, callers, seconds).await?);
        for (system, token, name) in [
            (on_memory.grpc, &tokens[0], "RegisterDeal, memory log"),
            (on_disk.grpc, &tokens[1], "RegisterDeal, embedded log, fsync"),
        ] {
            rows.push((name.to_owned(), register(system, token, callers, seconds, &numbers).await?));
        }
        if beside_umadb {
            rows.push((umadb::NAME.to_owned(), umadb_row(scratch.path(), callers, seconds).await?));
        }
    }
    stop.cancel();
    on_memory.finish().await?;
    on_disk.finish().await?;
    Ok(rows)
}

async fn umadb_row(directory: &Path, callers: usize, seconds: f64) -> anyhow::Result<Figures> {
    umadb::measure(directory, callers, seconds).await
}

/// How large a registration is, and its answer.
pub(super) async fn sizes(system: SocketAddr, token: &str) -> anyhow::Result<Sizes> {
    let channel = load::channels(system, 1).await?.remove(0);
    let mut client = DealServiceClient::new(InterceptedService::new(channel, Authorize::bearer(token)?));
    let answer = client.register_deal(request(PROGRAM, 0)).await?.into_inner();
    Ok(Sizes::of(&request(PROGRAM, 0), &answer))
}

/// Puts registrations on a system.
pub(super) async fn register(
    system: SocketAddr,
    token: &str,
    in_flight: usize,
    seconds: f64,
    numbers: &Arc<AtomicU64>,
) -> anyhow::Result<Figures> {
    let channels = load::channels(system, in_flight).await?;
    let authorize = Authorize::bearer(token)?;
    load::measure(&channels, in_flight, seconds, numbers, move |channel, number| {
        let authorize = authorize.clone();
        async move {
            let mut client = DealServiceClient::new(InterceptedService::new(channel, authorize));
            client.register_deal(request(PROGRAM, number)).await?;
            Ok(())
        }
    })
    .await
}

/// A registration that is approved and protected at once. Each customer is registered for each product by another partner,
/// so that the first of eight finds a new account and the others a known one, with protections beside theirs.
pub(super) fn request(program: &str, number: u64) -> deal::RegisterDealRequest {
    deal::RegisterDealRequest {
        parent: format!("programs/{program}"),
        request_id: format!("bench-0000-0000-0000-{number:012}"),
        deal: Some(deal::Deal {
            partner: format!("programs/{program}/partners/partner-{}", number % PARTNERS),
            title: format!("Renewal and extension of the platform, lot {number}"),
            customer: Some(common::Customer {
                name: format!("Customer Number {} GmbH", number / PRODUCTS),
                country_code: "DE".into(),
                domain: format!("customer-{}-example.com", number / PRODUCTS),
                ..Default::default()
            }),
            scope: Some(common::Scope {
                products: vec![format!("product-{}", number % PRODUCTS)],
                territories: vec!["DE".into()],
            }),
            amount: Some(common::Money { currency_code: "USD".into(), minor: 1_250_000 }),
            close_date: "2027-03-31".into(),
            ..Default::default()
        }),
        ..Default::default()
    }
}
