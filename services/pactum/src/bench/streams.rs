//! Kafka Streams on the same partition, by a program of its own: `docs/benchmarks/kafka-streams`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use pactum_log::kafka::{KafkaOptions, topics};
use serde::Deserialize;
use tokio::process::Command;

use super::counters::Name;

/// How long a run may take: the slowest figure known, a tenth of that, and a JVM's start.
const LEAST_SECONDS: u64 = 120;
const RECORDS_A_SECOND: u64 = 5_000;

/// What it promises about a record that it was stopped at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Guarantee {
    AtLeastOnce,
    ExactlyOnce,
}

impl Guarantee {
    fn setting(self) -> &'static str {
        match self {
            Self::AtLeastOnce => "at_least_once",
            Self::ExactlyOnce => "exactly_once_v2",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::AtLeastOnce => "at least once",
            Self::ExactlyOnce => "exactly once",
        }
    }
}

/// What a run came to.
#[derive(Debug, Deserialize)]
pub(super) struct Counted {
    /// Of Kafka Streams.
    pub(super) version: String,
    /// Records that took effect.
    pub(super) records: u64,
    /// From the first entry to the last, without the JVM's start and without writing the store in the end.
    pub(super) seconds: f64,
    /// Of the process.
    pub(super) cpu_seconds: f64,
    pub(super) peak_mib: u64,
    #[serde(skip)]
    pub(super) counters: BTreeMap<Name, u64>,
}

/// The program, built.
pub(super) struct Program(PathBuf);

impl Program {
    /// Builds it, with Maven.
    pub(super) async fn build() -> anyhow::Result<Self> {
        let pom = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks/kafka-streams/pom.xml");
        ensure!(pom.is_file(), "the sources are not at {}; --beside kafka-streams needs a checkout", pom.display());
        let built = std::env::temp_dir().join("pactum-bench-kafka-streams");
        let status = Command::new("mvn")
            .args(["--batch-mode", "--quiet", "--file"])
            .arg(&pom)
            .arg(format!("-Dbuilt={}", built.display()))
            .args(["compile", "dependency:copy-dependencies", "-DincludeScope=runtime"])
            .arg(format!("-DoutputDirectory={}", built.join("lib").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .await
            .context("--beside kafka-streams needs mvn and a JDK, version 17 or later, in PATH")?;
        ensure!(status.success(), "the Kafka Streams program could not be built");
        Ok(Self(built))
    }

    /// Counts the topic up to an offset. The process is ended with the future; its state and topics do not stay.
    pub(super) async fn count(
        &self,
        kafka: &KafkaOptions,
        end: u64,
        guarantee: Guarantee,
        scratch: &Path,
    ) -> anyhow::Result<Counted> {
        let state = tempfile::Builder::new().prefix("pactum-bench-").tempdir_in(scratch)?;
        let application = format!("pactum-bench-{:08x}", rand::random::<u32>());
        let seconds = LEAST_SECONDS + end / RECORDS_A_SECOND;
        let output = Command::new("java")
            .arg("-cp")
            .arg(std::env::join_paths([self.0.join("classes"), self.0.join("lib/*")])?)
            .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "Counters"])
            .args([&kafka.brokers, &kafka.topic, &end.to_string(), &application, guarantee.setting()])
            .arg(std::path::absolute(state.path())?)
            .arg(seconds.to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let patience = Duration::from_secs(seconds + 120);
        let output = tokio::time::timeout(patience, output).await;
        let changelog = KafkaOptions { topic: format!("{application}-counters-changelog"), ..kafka.clone() };
        // There is none where it failed early, and what failed then is the thing to tell.
        topics::remove(&changelog).await.ok();
        let output = output.context("Kafka Streams did not end in time")?.context("java could not be started")?;
        ensure!(output.status.success(), "Kafka Streams failed: {}", String::from_utf8_lossy(&output.stderr));
        read(&String::from_utf8(output.stdout)?)
    }
}

/// Lines of counters, then what they took.
fn read(text: &str) -> anyhow::Result<Counted> {
    let (lines, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    let mut counted: Counted = serde_json::from_str(last).context("Kafka Streams printed no result")?;
    for line in lines.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [program, partner, stage, count] = fields[..] else {
            anyhow::bail!("Kafka Streams printed {line:?}, which is no counter");
        };
        counted.counters.insert((program.to_owned(), partner.to_owned(), stage.to_owned()), count.parse()?);
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn counters_come_before_what_they_took() {
        let last = r#"{"version":"4.4.0","records":3,"seconds":0.5,"lifetime_seconds":4,"cpu_seconds":1,"peak_mib":9}"#;
        let counted = read(&format!("acme\tp-1\tDealWon\t2\nacme\t\topen\t1\n{last}\n")).unwrap();
        let name = |partner: &str, stage: &str| ("acme".to_owned(), partner.to_owned(), stage.to_owned());
        assert_eq!(counted.counters, BTreeMap::from([(name("p-1", "DealWon"), 2), (name("", "open"), 1)]));
        assert_eq!((counted.records, counted.version.as_str()), (3, "4.4.0"));
        assert!(read(&format!("{last}\n")).unwrap().counters.is_empty());
        assert!(read(&format!("acme\tp-1\n{last}\n")).is_err());
        assert!(read("").is_err());
    }
}
