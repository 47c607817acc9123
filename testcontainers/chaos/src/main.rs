//! `pactum-chaos`: fault runs on real processes and brokers, one after another, and a report.

use std::process::ExitCode;

use clap::Parser as _;
use pactum_chaos::cli::{Arguments, run};

#[tokio::main]
async fn main() -> ExitCode {
    Box::pin(run(Arguments::parse())).await
}
