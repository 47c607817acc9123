//! How soon `serve` answers on existing data, and what it holds in memory when nothing is asked of it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use super::machine::Machine;
use crate::output;

#[derive(Debug, Serialize)]
struct Startup {
    machine: Machine,
    ready_ms: u64,
    idle_memory_mib: u64,
}

pub(super) async fn run(data: &Path, json: bool) -> anyhow::Result<()> {
    ensure!(data.is_dir(), "{} is not a data directory; make one with `pactum demo --once`", data.display());
    let (grpc, http) = (free_port().await?, free_port().await?);
    let started = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["serve", "--log", "warn", "--data"])
        .arg(data)
        .args(["--grpc-listen", &format!("127.0.0.1:{grpc}"), "--http-listen", &format!("127.0.0.1:{http}")])
        .kill_on_drop(true)
        .spawn()?;
    while !ready(http).await {
        if let Some(status) = child.try_wait()? {
            anyhow::bail!("serve ended with {status} before it was ready");
        }
        ensure!(started.elapsed() < Duration::from_secs(120), "serve was not ready after two minutes");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let ready_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle_memory_mib = resident_mib(&child)?;
    stop(child).await?;
    let startup = Startup { machine: Machine::look(), ready_ms, idle_memory_mib };
    if json {
        return output::json(&startup);
    }
    output::text(&format!("{}\nready after {ready_ms} ms\nidle memory {idle_memory_mib} MiB\n", startup.machine))
}

async fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

async fn ready(port: u16) -> bool {
    let answer = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(text)
    };
    answer.await.is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
}

fn resident_mib(child: &Child) -> anyhow::Result<u64> {
    let id = child.id().context("serve has ended")?;
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).and_then(|rest| rest.split_whitespace().next());
    Ok(kib.context("the system does not tell a process's memory")?.parse::<u64>()? / 1024)
}

async fn stop(mut child: Child) -> anyhow::Result<()> {
    let id = child.id().context("serve has ended")?;
    Command::new("kill").arg(id.to_string()).status().await?;
    tokio::time::timeout(Duration::from_secs(30), child.wait()).await.context("serve did not stop")??;
    Ok(())
}
