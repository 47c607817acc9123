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
use std::time::Duration;

use clap::Parser as _;
use cli::Cli;

/// Commands and answers are many small allocations that one thread makes and another frees, which the C library's allocator is
/// slow at.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long what still runs may take to end once the command is done.
const ENDING: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = tokio::runtime::Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        let done = runtime.block_on(cli.command.run());
        runtime.shutdown_timeout(ENDING);
        done
    });
    pactum_log::kafka::wait_until_closed(ENDING);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
