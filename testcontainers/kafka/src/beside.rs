//! Brokers beside a command.

use std::ffi::OsString;
use std::process::ExitCode;

use pactum_testcontainers::{Error, Kafka, Options};
use tokio::signal::unix::{SignalKind, signal};

/// Starts brokers, and ends them with the command, or with the signal where there is none.
pub(crate) async fn run(brokers: u32, command: &[OsString]) -> Result<ExitCode, Error> {
    let kafka = Kafka::start(Options { brokers, measured: true, ..Options::default() }).await?;
    let stopped = async {
        match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
            (Ok(mut interrupt), Ok(mut terminate)) => {
                tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
            }
            // Without handlers the signal ends the process, and the brokers' watcher ends them.
            _ => std::future::pending().await,
        }
    };
    let Some((program, rest)) = command.split_first() else {
        say(&format!("Kafka {} at {}; Ctrl-C ends it", Kafka::version(), kafka.bootstrap()));
        stopped.await;
        return Ok(ExitCode::SUCCESS);
    };
    let mut command = tokio::process::Command::new(program);
    command.args(rest).env("PACTUM_KAFKA__BROKERS", kafka.bootstrap()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            say(&format!("error: {} cannot be run: {error}", program.to_string_lossy()));
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
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
