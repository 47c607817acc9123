//! `pactum`: every role and tool of the partner program backend in one binary.

#![expect(clippy::print_stderr, reason = "a binary says on standard error what went wrong")]

mod bench;
mod bulk;
mod cli;
mod client;
mod demo;
mod doctor;
mod events;
mod import;
mod log_copy;
mod output;
mod serve;
mod token;

use std::process::ExitCode;

use clap::Parser as _;
use cli::{Cli, Command, ImportCommand};

/// Commands and answers are many small allocations that one thread makes and another frees, which the C library's allocator is
/// slow at.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Import(ImportCommand::Crm(arguments)) => Box::pin(import::crm(arguments)).await,
        Command::Events(arguments) => events::print(arguments).await,
        Command::Log(command) => Box::pin(log_copy::run(command)).await,
        Command::Doctor(arguments) => doctor::run(arguments).await,
        Command::Token(arguments) => token::make(&arguments),
        Command::Bench(arguments) => Box::pin(bench::run(arguments)).await,
        Command::Completion { shell } => cli::completion(shell),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
