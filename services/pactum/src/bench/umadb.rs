//! The same load on UmaDB, by a program of its own: `docs/benchmarks/umadb`.

use std::path::Path;

use anyhow::{Context, ensure};
use serde::Deserialize;
use tokio::process::Command;

use super::load::Figures;

/// The row's name.
pub(super) const NAME: &str = "UmaDB 0.7.8, conditional append, fsync";

#[derive(Deserialize)]
struct Printed {
    in_flight: usize,
    requests: u64,
    per_second: f64,
    p50_us: u64,
    p99_us: u64,
}

/// Builds the program, once.
pub(super) async fn build() -> anyhow::Result<()> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks/umadb/Cargo.toml");
    ensure!(manifest.is_file(), "the sources are not at {}; --beside umadb needs a checkout", manifest.display());
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(target())
        .status()
        .await
        .context("--beside umadb needs cargo in PATH")?;
    ensure!(built.success(), "the program that puts the load on UmaDB could not be built");
    Ok(())
}

fn target() -> std::path::PathBuf {
    std::env::temp_dir().join("pactum-bench-umadb")
}

/// Measures one number in flight, with its data below `directory`.
pub(super) async fn measure(directory: &Path, in_flight: usize, seconds: f64) -> anyhow::Result<Figures> {
    let program = target().join("release/umadb-load");
    let output = Command::new(program)
        .arg(directory)
        .args([in_flight.to_string(), seconds.to_string()])
        .output()
        .await
        .context("the program that puts the load on UmaDB could not be started")?;
    ensure!(output.status.success(), "UmaDB's load failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().rfind(|line| line.starts_with('{')).context("UmaDB's load printed no result")?;
    let Printed { in_flight, requests, per_second, p50_us, p99_us } = serde_json::from_str(line)?;
    Ok(Figures { in_flight, requests, per_second, p50_us, p99_us, cpu_us: None })
}
