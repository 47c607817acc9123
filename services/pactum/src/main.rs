//! `pactum`: every role and tool of the partner program backend in one binary.

#![expect(clippy::print_stderr, reason = "a binary says on standard error what went wrong")]

mod bench;
mod bulk;
mod cli;
mod client;
mod demo;
mod doctor;
mod events;
mod generate;
mod import;
mod log_copy;
mod output;
mod serve;
mod token;
mod topics;
mod view;

use std::process::ExitCode;

use clap::Parser as _;
use cli::Cli;

/// Commands and answers are many small allocations that one thread makes and another frees, which the C library's allocator is
/// slow at.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match Cli::parse().command.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
