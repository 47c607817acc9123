//! One Java process, or the client of a container with one, never unwatched.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::container::Container;
use crate::error::{Error, Explain as _};
use crate::launcher::Program;
use crate::watcher::Watcher;

/// A child, killed and reaped when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    container: Option<Container>,
    watcher: Arc<Watcher>,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts `program` with its output at the end of `log`.
    pub(crate) fn start(program: Program, log: File, watcher: &Arc<Watcher>) -> Result<Self, Error> {
        let errors = log.try_clone().explain(|| "cannot share a log file".into())?;
        // The shell waits for a line before it becomes the program: by then the process is watched. If this process
        // dies before, the line never comes and neither does the program.
        let Program { command, container } = program;
        let mut gate = Command::new("sh");
        gate.args(["-c", "read -r go || exit 1; exec \"$@\" </dev/null", "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(errors)
            .process_group(0);
        let child = gate.spawn().explain(|| "cannot start sh".into())?;
        let mut process = Self { child, container, watcher: Arc::clone(watcher), ended: None };
        watcher.started(process.child.id())?;
        if let Some(container) = &process.container {
            watcher.contained(container)?;
        }
        if let Some(mut pipe) = process.child.stdin.take() {
            pipe.write_all(b"go\n").explain(|| format!("{:?} did not start", command.get_program()))?;
        }
        Ok(process)
    }

    pub(crate) fn pid(&self) -> Result<u32, Error> {
        self.container.as_ref().map_or_else(|| Ok(self.child.id()), Container::pid)
    }

    /// Does nothing to a process that has ended.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        // Not reaped before `ended` says so, hence the number is still this process's.
        if self.ended.is_some() {
            return Ok(());
        }
        if let Some(container) = &self.container {
            return container.signal(signal);
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let sent = pid.map_or(Ok(()), |pid| kill_process(pid, signal));
        sent.map_err(std::io::Error::from).explain(|| format!("cannot send {signal:?} to process {}", self.child.id()))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        if self.ended.is_none()
            && let Some(status) = self.child.try_wait().explain(|| "cannot ask for the state of a broker".into())?
        {
            self.ended = Some(status);
            // Late by an instant, which a process number would have to come round in.
            self.watcher.ended(self.child.id())?;
        }
        Ok(self.ended)
    }

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(&mut self) -> Result<(), Error> {
        if self.ended.is_some() {
            return Ok(());
        }
        let mut sent = self.signal(Signal::KILL);
        if self.container.is_some() {
            // The engine's client ends with its container, unless the engine itself is in trouble.
            sent = sent.and(self.child.kill().explain(|| "cannot end the container engine's client".into()));
        } else if sent.is_err() {
            return sent;
        }
        // Told first and reaped afterwards; nothing survives a SIGKILL, so nothing is left unwatched.
        self.watcher.ended(self.child.id())?;
        self.ended = Some(self.child.wait().explain(|| "cannot wait for a killed broker".into())?);
        sent
    }

    /// Waits until it has ended.
    pub(crate) async fn wait(&mut self, within: Duration) -> Result<ExitStatus, Error> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(std::io::Error::from(ErrorKind::TimedOut))
                    .explain(|| format!("process {} has not ended within {within:?}", self.child.id()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.kill().is_err() {
            // The watcher tries again when this process ends.
        }
    }
}
