//! This program again, as a process of its own.

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running subcommand that serves, on ports of its own.
pub(super) struct Process {
    child: Child,
    pub(super) grpc: SocketAddr,
    http: SocketAddr,
}

impl Process {
    pub(super) fn start(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let (grpc, http) = (free_address()?, free_address()?);
        let child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .args(["--log", "warn", "--grpc-listen", &grpc.to_string(), "--http-listen", &http.to_string()])
            .envs(environment.iter().copied())
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { child, grpc, http })
    }

    /// Waits until it says that it is ready.
    pub(super) async fn ready(&mut self) -> anyhow::Result<()> {
        self.ready_within(PATIENCE).await
    }

    /// The same where it has more to do before.
    pub(super) async fn ready_within(&mut self, patience: Duration) -> anyhow::Result<()> {
        let started = Instant::now();
        while !self.is_ready().await {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("it ended with {status} before it was ready");
            }
            ensure!(started.elapsed() < patience, "it was not ready after {patience:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    async fn is_ready(&self) -> bool {
        let answer = async {
            let mut stream = TcpStream::connect(self.http).await?;
            stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            Ok::<_, std::io::Error>(text)
        };
        answer.await.is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
    }

    /// What it holds in memory.
    pub(super) fn resident_mib(&self) -> anyhow::Result<u64> {
        let id = self.id()?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let kib =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).and_then(|rest| rest.split_whitespace().next());
        Ok(kib.context("the system does not tell a process's memory")?.parse::<u64>()? / 1024)
    }

    /// Ends it as its users do.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.id()?.to_string()).status().await?;
        tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await.context("it did not stop")??;
        Ok(())
    }

    fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("it has ended")
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
