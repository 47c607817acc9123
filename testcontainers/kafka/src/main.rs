//! `pactum-kafka`: brokers to try and to measure on, for as long as they are wanted.

mod beside;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

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
    let Arguments { brokers, command } = Arguments::parse();
    match beside::run(if brokers == "3" { 3 } else { 1 }, &command).await {
        Ok(code) => code,
        Err(error) => {
            beside::say(&format!("error: {error}"));
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                beside::say(&format!("  because {cause}"));
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}
