//! A `pactum` process: started, killed, stalled and started again on the same ports and files.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use pactum_testcontainers::free_port;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Between two looks at something that tells nobody when it changes.
const LOOK: Duration = Duration::from_millis(20);

/// The program to run: `PACTUM_BIN`, else the one built beside this.
///
/// # Errors
/// There is none; the message says how to build it.
pub fn binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("PACTUM_BIN").map(PathBuf::from) {
        ensure!(path.is_file(), "PACTUM_BIN names {}, which is not there", path.display());
        return Ok(path);
    }
    let own = std::env::current_exe().context("where this program lies cannot be told")?;
    // Tests lie in `release/deps`, programs in `release`.
    let beside = own.ancestors().skip(1).take(2).map(|directory| directory.join("pactum"));
    beside.into_iter().find(|path| path.is_file()).with_context(|| {
        let directory = own.parent().unwrap_or(Path::new("."));
        format!(
            "there is no pactum beside {}; build it with `cargo build --release -p pactum`, or name one with PACTUM_BIN",
            directory.display()
        )
    })
}

/// How a process is to be started, each time.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program.
    pub binary: PathBuf,
    /// Its name in reports and of its log file.
    pub name: String,
    /// The subcommand.
    pub arguments: Vec<String>,
    /// Settings, as environment variables.
    pub environment: Vec<(String, String)>,
    /// Where it keeps its files.
    pub data: PathBuf,
    /// Where its standard error goes, one file over all of its lives.
    pub log: PathBuf,
}

/// One instance, running or not. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    plan: Plan,
    grpc: u16,
    http: u16,
    child: Option<Child>,
}

impl Process {
    /// Prepares an instance on ports of its own.
    ///
    /// # Errors
    /// No port is free.
    pub fn prepare(plan: Plan) -> anyhow::Result<Self> {
        Ok(Self { plan, grpc: free_port()?, http: free_port()?, child: None })
    }

    /// Adds a setting, for the next start.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.plan.environment.push((name.to_owned(), value.into()));
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// The port that it takes calls at.
    #[must_use]
    pub fn grpc(&self) -> u16 {
        self.grpc
    }

    /// Where it takes calls.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    /// Starts it, without waiting.
    ///
    /// # Errors
    /// It runs already, or cannot be started.
    pub fn start(&mut self) -> anyhow::Result<()> {
        ensure!(!self.is_running(), "{} runs already", self.plan.name);
        let Plan { binary, name, arguments, environment, data, log } = &self.plan;
        std::fs::create_dir_all(data).with_context(|| format!("{} cannot be made", data.display()))?;
        let log: File = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("{} cannot be written", log.display()))?;
        let child = Command::new(binary)
            .args(arguments)
            .arg("--data")
            .arg(data)
            .args(["--grpc-listen", &format!("127.0.0.1:{}", self.grpc)])
            .args(["--http-listen", &format!("127.0.0.1:{}", self.http)])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("{name} cannot be started from {}", binary.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    /// It ended, or was not ready in time; with what it said last.
    pub async fn ready(&mut self, patience: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + patience;
        loop {
            let said = get(self.http, "/readyz").await.unwrap_or_default();
            if said.starts_with("HTTP/1.1 200") {
                return Ok(());
            }
            if !self.is_running() {
                bail!("{} ended before it was ready; see {}", self.plan.name, self.plan.log.display());
            }
            if Instant::now() > until {
                bail!("{} is not ready after {patience:?}: {said}; see {}", self.plan.name, self.plan.log.display());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Whether it has been started and has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// `kill -9`, and gone.
    ///
    /// # Errors
    /// It does not run.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        ensure!(self.is_running(), "{} does not run", self.plan.name);
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// SIGTERM, and its end.
    ///
    /// # Errors
    /// It does not run, does not end in time, or ends badly.
    pub async fn terminate(&mut self, patience: Duration) -> anyhow::Result<()> {
        self.signal("TERM")?;
        let until = Instant::now() + patience;
        let ended: ExitStatus = loop {
            let Some(child) = self.child.as_mut() else { bail!("{} does not run", self.plan.name) };
            match child.try_wait()? {
                Some(status) => break status,
                None if Instant::now() > until => {
                    let name = &self.plan.name;
                    bail!("{name} runs on {patience:?} after SIGTERM; see {}", self.plan.log.display());
                }
                None => tokio::time::sleep(LOOK).await,
            }
        };
        self.child = None;
        ensure!(
            ended.success(),
            "{} ended with {ended} after SIGTERM; see {}",
            self.plan.name,
            self.plan.log.display()
        );
        Ok(())
    }

    /// SIGSTOP: it stands still with all its connections.
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.signal("STOP")
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// It does not run.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        self.signal("CONT")
    }

    fn signal(&mut self, signal: &str) -> anyhow::Result<()> {
        ensure!(self.is_running(), "{} does not run", self.plan.name);
        let Some(child) = &self.child else { bail!("{} does not run", self.plan.name) };
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status()?;
        ensure!(sent.success(), "kill -{signal} of {} failed", self.plan.name);
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Nothing can be done about a process that cannot be killed, nor does anything rest on it.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What an HTTP GET answers, head and body.
async fn get(port: u16, path: &str) -> std::io::Result<String> {
    let asking = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
            .await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    };
    tokio::time::timeout(Duration::from_secs(2), asking)
        .await
        .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut)))
}
