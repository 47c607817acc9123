//! `pactum-kafka`: brokers to try and to measure on, for as long as they are wanted.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use pactum_testcontainers::{Error, Kafka, Options};
use tokio::signal::unix::{SignalKind, signal};

/// Real Kafka brokers on this machine, without security, for trying and measuring.
#[derive(Debug, Parser)]
#[command(
    name = "pactum-kafka",
    after_help = "\
Examples:
  pactum-kafka                                          one broker, until Ctrl-C
  pactum-kafka --brokers 3 -- pactum topics check       three, for as long as the command runs

The command finds their addresses in PACTUM_KAFKA__BROKERS. Nothing is kept afterwards."
)]
struct Arguments {
    /// How many brokers
    #[arg(long, default_value = "1", value_parser = ["1", "3"])]
    brokers: String,
    /// What to run beside them
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            let mut source = std::error::Error::source(&error);
            eprint(&format!("error: {error}"));
            while let Some(cause) = source {
                eprint(&format!("  because {cause}"));
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode, Error> {
    let brokers = if arguments.brokers == "3" { 3 } else { 1 };
    let kafka = Kafka::start(Options { brokers, ..Options::default() }).await?;
    let stopped = async {
        match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(mut interrupt), Ok(mut terminate)) => {
                tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
            }
            // Without handlers the signal ends the process, and the brokers' watcher ends them.
            _ => std::future::pending().await,
        }
    };
    let Some((program, rest)) = arguments.command.split_first() else {
        eprint(&format!("Kafka {} at {}; Ctrl-C ends it", Kafka::version(), kafka.bootstrap()));
        stopped.await;
        return Ok(ExitCode::SUCCESS);
    };
    let mut command = tokio::process::Command::new(program);
    command.args(rest).env("PACTUM_KAFKA__BROKERS", kafka.bootstrap()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprint(&format!("error: {} cannot be run: {error}", program.to_string_lossy()));
            return Ok(ExitCode::from(127));
        }
    };
    // A Ctrl-C reaches the command as well; this waits for it to end by itself.
    let status = tokio::select! {
        status = child.wait() => status,
        () = stopped => child.wait().await,
    };
    let code = status.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[expect(clippy::print_stderr, reason = "a program's words to the person at the terminal")]
fn eprint(text: &str) {
    eprintln!("{text}");
}
