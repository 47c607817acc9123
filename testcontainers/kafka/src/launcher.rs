//! Finds what brokers run on, and says how a Java program of Kafka's is started with it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Explain as _};

/// The version that `scripts/setup` installs.
pub(crate) fn pinned_version() -> &'static str {
    let pinned = include_str!("../../../scripts/versions");
    pinned.lines().find_map(|line| line.strip_prefix("kafka_version=")).unwrap_or("missing from scripts/versions")
}

/// The broker's jars and a JVM.
#[derive(Debug, Clone)]
pub(crate) struct Launcher {
    class_path: OsString,
    /// Classes as the JVM keeps them in memory, which halves the time to start. Written by `scripts/setup`.
    archive: Option<PathBuf>,
}

impl Launcher {
    /// Looks where `scripts/setup test` puts things.
    pub(crate) fn find() -> Result<Self, Error> {
        let jars = jars_directory()?;
        let mut found: Vec<PathBuf> = std::fs::read_dir(&jars)
            .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
            .unwrap_or_default();
        found.retain(|path| path.extension().is_some_and(|kind| kind == "jar"));
        // The archive of classes fits one order only.
        found.sort();
        if !found.iter().any(|path| file_name(path).starts_with("kafka-server-4")) {
            return Err(Error::NoKafka { looked_for: format!("no jars of Kafka 4 in {}", jars.display()) });
        }
        if !answers("java", "-version") {
            return Err(Error::NoKafka { looked_for: "no program `java` in PATH".into() });
        }
        let class_path = env::join_paths(&found)
            .map_err(|_| Error::Options(format!("a colon in {}: put the jars elsewhere", jars.display())))?;
        let archive = Some(jars.join("broker.jsa")).filter(|path| path.exists());
        Ok(Self { class_path, archive })
    }

    /// How to start a class of Kafka's.
    pub(crate) fn command(&self, class: &str) -> Command {
        let mut command = Command::new("java");
        // Quick to start and small: tests care for what a broker does, not for how fast it gets after minutes.
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms64m", "-Xmx320m", "-Xshare:auto"]);
        command.args(["-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"]);
        if let Some(archive) = &self.archive {
            let mut option = OsString::from("-XX:SharedArchiveFile=");
            option.push(archive);
            command.arg(option);
        }
        command.args([
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            "-Dorg.slf4j.simpleLogger.showShortLogName=true",
            // A thousand lines of settings at each start; those that matter are in broker.properties beside the log.
            "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
            "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn",
        ]);
        command.arg("-cp").arg(&self.class_path).arg(class);
        command
    }
}

/// The same rule as in `scripts/common`.
fn jars_directory() -> Result<PathBuf, Error> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(jars) = set("PACTUM_KAFKA_JARS") {
        return Ok(jars);
    }
    let cache = set("PACTUM_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("pactum")))
        .or_else(|| set("HOME").map(|path| path.join(".cache/pactum")))
        .ok_or_else(|| Error::NoKafka {
            looked_for: "none of PACTUM_KAFKA_JARS, PACTUM_CACHE and HOME is set".into(),
        })?;
    let jars = cache.join("kafka").join(pinned_version());
    // A relative cache is meant from where the test was started.
    std::path::absolute(&jars).explain(|| format!("cannot find {}", jars.display()))
}

fn answers(program: &str, argument: &str) -> bool {
    let mut asked = Command::new(program);
    asked.arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
