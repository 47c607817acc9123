//! `pactum demo`: a running system with a program to look at.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pactum_api::Caller;
use pactum_api::proto::program::v1 as program;
use pactum_domain::actor::{Actor, Role};
use pactum_domain::time::Timestamp;
use pactum_ids::ProgramId;
use pactum_log::Log;
use pactum_runtime::config::Settings;
use pactum_runtime::token::TokenKey;
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;

use crate::cli::DemoArgs;
use crate::client::{Authorize, Connection};
use crate::generate::{self, GenerateError, Progress, Size, Target};
use crate::log_copy::Destination;
use crate::{output, serve};

/// The generated program's id.
pub(crate) const PROGRAM: &str = "demo";

/// How long the views may take to show it.
const READY: Duration = Duration::from_secs(300);

/// Serves, and fills the program first if it is not there.
pub(crate) async fn run(arguments: DemoArgs) -> anyhow::Result<()> {
    let settings = arguments.settings.load()?;
    if arguments.settings.print_config {
        return output::text(&settings.to_toml());
    }
    let DemoArgs { partners, deals, years, seed, .. } = arguments;
    let size = size(partners, deals, years, seed);
    fill(&settings, size).await?;
    let system = serve::start(&settings).await?;
    system.ready(READY).await?;
    if arguments.once {
        system.stop();
        return system.finish().await;
    }
    let here = std::env::current_exe()?.parent().map_or_else(Default::default, std::path::Path::to_path_buf);
    output::text(&format!(
        "\nA partner program with {} partners and {} deals over {} years is running.\n\n\
         gRPC     {}\nmetrics  http://{}/metrics\nhealth   http://{}/readyz\n\n\
         Try, in another terminal:\n\
         \n  export PATH=\"{}:$HOME/.cache/pactum/tools/bin:$PATH\"\
         \n  pactum events --program programs/{PROGRAM} --data {} | tail\n\
         \n  TOKEN=$(pactum token --program programs/{PROGRAM} --role channel-manager --data {})\
         \n  grpcurl -plaintext -H \"authorization: Bearer $TOKEN\" \\\
         \n    -d '{{\"parent\": \"programs/{PROGRAM}\", \"groupBy\": [\"PIPELINE_DIMENSION_TIER\"]}}' \\\
         \n    {} pactum.pipeline.v1.PipelineQueryService/QueryPipeline\n\
         \nThe README registers two competing deals and shows who won and why. Ctrl-C stops.\n",
        size.partners,
        size.deals,
        size.years,
        system.grpc,
        system.http,
        system.http,
        here.display(),
        settings.data.display(),
        settings.data.display(),
        system.grpc,
    ))?;
    system.finish().await
}

/// An administrator's token.
pub(crate) fn admin(key: &TokenKey, program: &str) -> anyhow::Result<String> {
    let actor = Actor { subject: "pactum-demo".into(), role: Role::ProgramAdmin, partner: None };
    let caller = Caller { actor, program: ProgramId::new(program)? };
    Ok(key.sign(&caller, Duration::from_secs(12 * 3600))?)
}

/// Connects with a token.
pub(crate) async fn connect(grpc: SocketAddr, token: &str) -> anyhow::Result<Connection> {
    let channel = Endpoint::from_shared(format!("http://{grpc}"))?.tcp_nodelay(true).connect().await?;
    Ok(InterceptedService::new(channel, Authorize::bearer(token)?))
}

/// A size that ends now.
pub(crate) fn size(partners: u32, deals: u32, years: u32, seed: u64) -> Size {
    let until = Timestamp(jiff::Timestamp::now().as_microsecond());
    Size { partners, deals: deals.into(), years, seed, until }
}

/// Writes the program into the log that the settings name, unless it is there.
async fn fill(settings: &Settings, size: Size) -> anyhow::Result<()> {
    let destination = Destination::of(settings).await?;
    let written = generate(destination.log(), destination.id(), &destination.name(), size).await;
    // Before it is served.
    destination.close().await;
    match written {
        Ok(_) | Err(GenerateError::Exists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the program into a log; gives its last sequence.
pub(crate) async fn generate(
    log: &Arc<dyn Log>,
    id: Option<u128>,
    place: &str,
    size: Size,
) -> Result<u64, GenerateError> {
    let program = ProgramId::new(PROGRAM).expect("letters are an id");
    let progress = Progress::new(size.events());
    // Until it serves, a signal ends the process at once: a log is whole at any moment.
    let stop = CancellationToken::new();
    let written = generate::write(Target { log, id, place }, vec![(program, size)], &stop, &progress).await;
    progress.clear();
    Ok(written?.events())
}

/// Until the views show what was answered.
pub(crate) async fn wait_for(connection: &Connection, sequence: u64) -> anyhow::Result<()> {
    use program::program_query_service_client::ProgramQueryServiceClient;
    let request = program::GetProgramRequest {
        name: format!("programs/{PROGRAM}"),
        min_sequence: sequence,
        ..Default::default()
    };
    ProgramQueryServiceClient::new(connection.clone())
        .get_program(request)
        .await
        .map_err(|status| anyhow::anyhow!(crate::client::explain(&status)))?;
    Ok(())
}
