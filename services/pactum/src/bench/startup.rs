//! How soon `serve` answers on existing data, and what it holds in memory when nothing is asked of it.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde::Serialize;

use super::machine::Machine;
use super::process::Process;
use crate::output;

#[derive(Debug, Serialize)]
struct Startup {
    machine: Machine,
    ready_ms: u64,
    idle_memory_mib: u64,
}

pub(super) async fn run(data: &Path, json: bool) -> anyhow::Result<()> {
    ensure!(data.is_dir(), "{} is not a data directory; make one with `pactum demo --once`", data.display());
    let started = Instant::now();
    let mut serve = Process::start(&["serve", "--data", &data.to_string_lossy()], &[])?;
    serve.ready().await?;
    let ready_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle_memory_mib = serve.resident_mib()?;
    serve.stop().await?;
    let startup = Startup { machine: Machine::look(), ready_ms, idle_memory_mib };
    if json {
        return output::json(&startup);
    }
    output::text(&format!("{}\nready after {ready_ms} ms\nidle memory {idle_memory_mib} MiB\n", startup.machine))
}
