//! `pactum doctor`: what is wrong with a data directory, and what to do about it.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use pactum_log::Log;
use pactum_log::embedded::OpenError;
use pactum_projector::{Projector, ProjectorOptions};
use pactum_runtime::config::{LogKind, Settings};
use pactum_runtime::token::TokenKey;
use pactum_store::StoreError;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cli::DoctorArgs;
use crate::{output, serve};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    Warning,
    Failed,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    verdict: Verdict,
    detail: String,
    /// What to do; empty where nothing is.
    advice: String,
}

#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, check: &str, detail: impl Into<String>) {
        self.add(check, Verdict::Ok, detail, "");
    }

    fn add(&mut self, check: &str, verdict: Verdict, detail: impl Into<String>, advice: &str) {
        self.0.push(Finding { check: check.into(), verdict, detail: detail.into(), advice: advice.into() });
    }
}

/// Checks, prints, and fails where something is wrong.
pub(crate) async fn run(arguments: DoctorArgs) -> anyhow::Result<()> {
    let settings = arguments.settings.load()?;
    if arguments.settings.print_config {
        return output::text(&settings.to_toml());
    }
    let mut findings = Findings::default();
    examine(&settings, arguments.deep, &mut findings).await;
    if arguments.json {
        output::json(&findings.0)?;
    } else {
        output::text(&text(&findings.0))?;
    }
    let failed = findings.0.iter().filter(|finding| finding.verdict == Verdict::Failed).count();
    if failed > 0 {
        bail!("{failed} of {} checks failed", findings.0.len());
    }
    Ok(())
}

fn text(findings: &[Finding]) -> String {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let mut text = String::new();
    for finding in findings {
        let (mark, paint) = match finding.verdict {
            Verdict::Ok => ("ok     ", "\x1b[32m"),
            Verdict::Warning => ("warning", "\x1b[33m"),
            Verdict::Failed => ("FAILED ", "\x1b[31m"),
        };
        let (paint, plain) = if colour { (paint, "\x1b[0m") } else { ("", "") };
        text.push_str(&format!("{paint}{mark}{plain}  {}: {}\n", finding.check, finding.detail));
        if !finding.advice.is_empty() {
            text.push_str(&format!("         -> {}\n", finding.advice));
        }
    }
    text
}

async fn examine(settings: &Settings, deep: bool, findings: &mut Findings) {
    if !settings.data.is_dir() {
        let detail = format!("{} is not a directory", settings.data.display());
        findings.add("data directory", Verdict::Failed, detail, "name the system's data directory with --data");
        return;
    }
    findings.ok("data directory", settings.data.display().to_string());
    token_key(settings, findings);
    disk(settings, findings);
    put_aside(settings, findings);
    if settings.log.kind == LogKind::Kafka {
        return topic(settings, findings).await;
    }
    let shared = serve::shared(settings);
    let log = match serve::open_log(settings, &shared, false) {
        Ok(log) => log,
        Err(OpenError::Store(StoreError::Locked { .. })) => return running(settings, findings).await,
        Err(error @ OpenError::Missing { .. }) => {
            return findings.add("log", Verdict::Warning, error.to_string(), "it is made at the first start");
        }
        Err(error) => {
            let advice = match &error {
                OpenError::Store(StoreError::Full { .. }) => "make room on the disk",
                OpenError::NewerFormat { .. } => "use the version of pactum that wrote it, or a newer one",
                _ => "restore the log directory from a backup; the views need none, they are built from it",
            };
            return findings.add("log", Verdict::Failed, error.to_string(), advice);
        }
    };
    findings.ok("system", "not running; its files are looked into");
    let statistics = log.statistics();
    let (entries, mib) = (statistics.entries(), statistics.bytes() >> 20);
    findings.ok("log", format!("{entries} entries in {} partitions, {mib} MiB", statistics.partitions.len()));
    if deep {
        let reading = log.clone();
        let advice = "restore the log directory from a backup";
        match tokio::task::spawn_blocking(move || reading.verify(|_| {})).await {
            Ok(Ok(found)) if found.is_ok() => {
                findings.ok("log entries", format!("{} entries read, every checksum agrees", found.entries));
            }
            Ok(Ok(found)) => {
                for damage in found.damages {
                    findings.add("log entries", Verdict::Failed, damage.to_string(), advice);
                }
            }
            Ok(Err(error)) => findings.add("log entries", Verdict::Failed, error.to_string(), advice),
            Err(error) => findings.add("log entries", Verdict::Failed, error.to_string(), "report this as a bug"),
        }
    }
    let log: Arc<dyn Log> = Arc::new(log);
    views(settings, shared, log, deep, findings).await;
}

/// The log on Kafka, and the process that uses it from this directory, if one does.
async fn topic(settings: &Settings, findings: &mut Findings) {
    let advice = "run `pactum topics check` with the same settings";
    match pactum_log::kafka::topics::check(&settings.kafka).await {
        Ok(found) if found.is_empty() => findings.ok("topic", settings.kafka.topic.clone()),
        Ok(found) => {
            for finding in found {
                let refused = finding.severity == pactum_log::kafka::topics::Severity::Refuse;
                let verdict = if refused { Verdict::Failed } else { Verdict::Warning };
                findings.add("topic", verdict, finding.to_string(), advice);
            }
        }
        // Its text says what to do.
        Err(error) => findings.add("topic", Verdict::Failed, error.to_string(), ""),
    }
    running(settings, findings).await;
}

fn token_key(settings: &Settings, findings: &mut Findings) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = settings.token.key_file.clone().unwrap_or_else(|| TokenKey::path(&settings.data));
    let Ok(file) = std::fs::metadata(&path) else {
        return findings.add("token key", Verdict::Warning, "there is none yet", "it is made at the first start");
    };
    let mode = file.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let advice = format!("run: chmod 600 {}", path.display());
        return findings.add("token key", Verdict::Warning, format!("others can read it (mode {mode:o})"), &advice);
    }
    match TokenKey::read(&path) {
        Ok(_) => findings.ok("token key", "readable only by its owner"),
        Err(error) => findings.add(
            "token key",
            Verdict::Failed,
            error.to_string(),
            "remove it; a new one is made at the next start, and tokens must be made anew",
        ),
    }
}

fn disk(settings: &Settings, findings: &mut Findings) {
    match pactum_store::available_bytes(&settings.data) {
        Ok(free) => {
            let (free, reserve) = (free >> 20, settings.log.reserve_mib);
            let detail = format!("{free} MiB free");
            if free < reserve {
                let detail = format!("{detail}, under the reserve of {reserve} MiB: commands are refused");
                findings.add("disk", Verdict::Failed, detail, "make room, or lower log.reserve_mib");
            } else if free < 4 * reserve {
                findings.add("disk", Verdict::Warning, detail, "make room soon");
            } else {
                findings.ok("disk", detail);
            }
        }
        Err(error) => findings.add("disk", Verdict::Warning, error.to_string(), "check that the disk is mounted"),
    }
}

/// Views whose files were damaged. They were made anew; what is left of them takes room until somebody looks into it.
fn put_aside(settings: &Settings, findings: &mut Findings) {
    let entries = |path: &std::path::Path| std::fs::read_dir(path).into_iter().flatten().flatten();
    for partition in entries(&settings.data.join("views")).filter(|entry| entry.path().is_dir()) {
        for build in
            entries(&partition.path()).filter(|entry| entry.file_name().to_string_lossy().ends_with(".damaged"))
        {
            let detail = format!("{} was damaged and is built anew from the log", build.path().display());
            let advice = "check the disk; the server's log says what was damaged; then delete the directory";
            findings.add("views", Verdict::Warning, detail, advice);
        }
    }
}

/// Asks the system that has the directory open.
async fn running(settings: &Settings, findings: &mut Findings) {
    let address = settings.http.listen;
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = match tokio::time::timeout(Duration::from_secs(5), asking).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            let detail = format!("running, and {address} does not answer: {error}");
            let advice = "name its HTTP address with --http-listen";
            return findings.add("system", Verdict::Warning, detail, advice);
        }
        Err(_) => {
            let detail = format!("running, and {address} gave no answer within 5 s");
            return findings.add("system", Verdict::Failed, detail, "look into its log; it may be overloaded");
        }
    };
    findings.ok("system", format!("running, health at {address}"));
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let Ok(serde_json::Value::Object(parts)) = serde_json::from_str(body) else {
        let advice = "another program may listen there; name the right address with --http-listen";
        return findings.add("health", Verdict::Failed, "the answer is not Pactum's", advice);
    };
    for (part, condition) in parts {
        let reason = condition["reason"].as_str().unwrap_or_default();
        match condition["state"].as_str() {
            Some("ready") => findings.ok(&part, "ready"),
            Some("failed") => findings.add(&part, Verdict::Failed, reason, "the reason names the next step"),
            Some(state) => findings.add(&part, Verdict::Warning, format!("{state}: {reason}"), ""),
            None => findings.add(&part, Verdict::Warning, condition.to_string(), ""),
        }
    }
}

async fn views(
    settings: &Settings,
    shared: pactum_store::Shared,
    log: Arc<dyn Log>,
    deep: bool,
    findings: &mut Findings,
) {
    let options = ProjectorOptions { data: settings.data.join("views"), shared, ..ProjectorOptions::default() };
    let projector = match Projector::open(Arc::clone(&log), options) {
        Ok(projector) => projector,
        Err(error) => {
            let advice = "move the views directory away; it is built anew from the log at the next start";
            return findings.add("views", Verdict::Failed, error.to_string(), advice);
        }
    };
    for view in projector.status().views() {
        let check = format!("view {} of partition {}", view.name, view.partition);
        let end = log.end(view.partition).await.unwrap_or(view.offset);
        match view.error {
            Some(error) => {
                findings.add(&check, Verdict::Failed, error, "the error names the record; see the log for more")
            }
            None => findings
                .ok(&check, format!("at offset {}, {} behind the log", view.offset, end.saturating_sub(view.offset))),
        }
        if deep {
            match projector.verify(view.partition, view.name).await {
                Ok(digests) if digests.agree() => findings.ok(&check, "agrees with a fold from zero"),
                Ok(_) => findings.add(
                    &check,
                    Verdict::Failed,
                    "differs from a fold from zero",
                    "move the views directory away; it is built anew from the log at the next start",
                ),
                Err(error) => findings.add(&check, Verdict::Failed, error.to_string(), "the error names the record"),
            }
        }
    }
}
