//! `pactum demo`: a running system with a program to look at.

pub(crate) mod generator;
mod names;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use pactum_api::Caller;
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::program::v1 as program;
use pactum_domain::actor::{Actor, Role};
use pactum_domain::policy::Policy;
use pactum_domain::time::Timestamp;
use pactum_ids::ProgramId;
use pactum_runtime::token::TokenKey;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;

use crate::cli::DemoArgs;
use crate::client::{Authorize, Connection};
use crate::{bulk, output, serve};
use generator::Size;

/// The generated program's id.
pub(crate) const PROGRAM: &str = "demo";

/// Serves, and fills the program first if it is not there.
pub(crate) async fn run(arguments: DemoArgs) -> anyhow::Result<()> {
    let settings = arguments.settings.load()?;
    if arguments.settings.print_config {
        return output::text(&settings.to_toml());
    }
    let size =
        Size { partners: arguments.partners, deals: arguments.deals, years: arguments.years, seed: arguments.seed };
    let system = serve::start(&settings).await?;
    fill(system.grpc, &system.key, size).await?;
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

/// A token for the program's administrator.
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

/// Makes the program through the real commands, unless it is there. Returns an administrator's token.
pub(crate) async fn fill(grpc: SocketAddr, key: &TokenKey, size: Size) -> anyhow::Result<String> {
    let token = admin(key, PROGRAM)?;
    let connection = connect(grpc, &token).await?;
    if exists(&connection).await? {
        return Ok(token);
    }
    let policy = Policy::parse(Policy::EXAMPLE).context("the example policy")?;
    let now = Timestamp(jiff::Timestamp::now().as_microsecond());
    let requests = generator::generate(PROGRAM, Policy::EXAMPLE, &policy, size, now);
    let progress = progress(requests.len() as u64);
    let mut unexpected = Vec::new();
    let mut last = 0;
    bulk::execute(connection.clone(), requests, |answer| {
        progress.inc(1);
        match answer.outcome {
            Some(Outcome::Result(result)) => last = result.sequence,
            // A deal that met a conflict at registration may already be decided when its story goes on.
            Some(Outcome::Error(error)) if error.reason == "INVALID_TRANSITION" => {}
            Some(Outcome::Error(error)) => unexpected.push(format!("{} ({})", error.message, error.reason)),
            None => bail!("the system sent an answer without an outcome"),
        }
        Ok(())
    })
    .await?;
    progress.finish_and_clear();
    if let Some(first) = unexpected.first() {
        bail!("{} requests of the generated history were refused; the first: {first}", unexpected.len());
    }
    wait_for(&connection, last).await?;
    Ok(token)
}

async fn exists(connection: &Connection) -> anyhow::Result<bool> {
    use program::program_query_service_client::ProgramQueryServiceClient;
    let request = program::GetProgramRequest { name: format!("programs/{PROGRAM}"), ..Default::default() };
    match ProgramQueryServiceClient::new(connection.clone()).get_program(request).await {
        Ok(_) => Ok(true),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(false),
        Err(status) => bail!(crate::client::explain(&status)),
    }
}

/// Until the views show what was answered.
async fn wait_for(connection: &Connection, sequence: u64) -> anyhow::Result<()> {
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

fn progress(requests: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("making the demo program {wide_bar} {pos}/{len} {per_sec}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(requests).with_style(style)
}
