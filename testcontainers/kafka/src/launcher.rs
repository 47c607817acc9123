//! Finds what brokers run on, and says how a Java program of Kafka's is started with it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::container::{Container, Engine};
use crate::error::Error;

/// The version that `scripts/setup` installs.
pub(crate) fn pinned_version() -> &'static str {
    let pinned = include_str!("../../../scripts/versions");
    pinned.lines().find_map(|line| line.strip_prefix("kafka_version=")).unwrap_or("missing from scripts/versions")
}

/// What brokers run on.
#[derive(Debug, Clone)]
pub(crate) enum Launcher {
    /// A JVM of this machine.
    Jvm {
        /// All jars of the broker.
        class_path: OsString,
        /// Classes as the JVM keeps them in memory, which halves the time to start. Written by `scripts/setup`.
        archive: Option<PathBuf>,
    },
    /// Kafka's image.
    Container(Engine),
}

/// A program to start.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) command: Command,
    /// Where it runs, if not simply on this machine.
    pub(crate) container: Option<Container>,
}

impl Launcher {
    /// Takes what `PACTUM_KAFKA` says: `jvm` or `container`. Otherwise the JVM goes first where the jars are, because it is quicker
    /// and its brokers are processes like any other.
    pub(crate) fn find() -> Result<Self, Error> {
        match set("PACTUM_KAFKA").as_deref().and_then(Path::to_str) {
            Some("jvm") => Self::jvm().map_err(|looked_for| Error::NoKafka { looked_for }),
            Some("container") => Self::container().map_err(|looked_for| Error::NoKafka { looked_for }),
            Some(other) => Err(Error::Options(format!("PACTUM_KAFKA is `jvm` or `container`, not `{other}`"))),
            None => Self::jvm().or_else(|no_jvm| {
                Self::container()
                    .map_err(|no_engine| Error::NoKafka { looked_for: format!("{no_jvm}, and {no_engine}") })
            }),
        }
    }

    fn container() -> Result<Self, String> {
        Engine::find().map(Self::Container).ok_or_else(|| "neither docker nor podman answers `info`".into())
    }

    fn jvm() -> Result<Self, String> {
        let jars = jars_directory()?;
        let mut found: Vec<PathBuf> = std::fs::read_dir(&jars)
            .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
            .unwrap_or_default();
        found.retain(|path| path.extension().is_some_and(|kind| kind == "jar"));
        // The archive of classes fits one order only.
        found.sort();
        let is_server = |path: &PathBuf| file_name(path).starts_with("kafka-server-4");
        if !found.iter().any(is_server) {
            return Err(format!("no jars of Kafka 4 are in {}", jars.display()));
        }
        let mut java = Command::new("java");
        java.arg("-version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if !java.status().is_ok_and(|status| status.success()) {
            return Err("there is no `java` that runs in PATH".into());
        }
        let class_path =
            env::join_paths(&found).map_err(|_| format!("there is a colon in the path {}", jars.display()))?;
        let archive = Some(jars.join("broker.jsa")).filter(|path| path.exists());
        Ok(Self::Jvm { class_path, archive })
    }

    /// How to start a class of Kafka's that writes only below `directory`, which has the cluster's as its parent; `measured`
    /// says whether for long and at full speed.
    pub(crate) fn program(&self, class: &str, directory: &Path, measured: bool) -> Result<Program, Error> {
        let (mut command, container) = match self {
            Self::Jvm { .. } => (Command::new("java"), None),
            Self::Container(engine) => {
                let root = directory.parent().unwrap_or(directory);
                let name = format!("{}-{}", file_name(root), file_name(directory));
                let container = Container { engine: *engine, name };
                (engine.java(&container, root, pinned_version())?, Some(container))
            }
        };
        command.arg("-XX:+UseSerialGC").args(if measured { MEASURED } else { TESTED });
        command.args(["-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"]);
        match self {
            Self::Jvm { class_path, archive } => {
                if let Some(archive) = archive {
                    command.args(["-Xshare:auto", &format!("-XX:SharedArchiveFile={}", archive.display())]);
                }
                command.args(LOG_OPTIONS).arg("-cp").arg(class_path);
            }
            Self::Container(_) => {
                command.arg(format!("-Dkafka.logs.dir={}", directory.display()));
                command.args(["-Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml", "-cp", "/opt/kafka/libs/*"]);
            }
        }
        command.arg(class);
        Ok(Program { command, container })
    }
}

/// Quick to start and small: tests care for what a broker does, not for how fast it gets after minutes.
const TESTED: &[&str] = &["-XX:TieredStopAtLevel=1", "-Xms64m", "-Xmx320m"];
const MEASURED: &[&str] = &["-Xms512m", "-Xmx512m"];

const LOG_OPTIONS: [&str; 5] = [
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "-Dorg.slf4j.simpleLogger.showShortLogName=true",
    // A thousand lines of settings at each start; those that matter are in broker.properties beside the log.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn",
];

/// The same rule as in `scripts/common`.
fn jars_directory() -> Result<PathBuf, String> {
    if let Some(jars) = set("PACTUM_KAFKA_JARS") {
        return Ok(jars);
    }
    let cache = set("PACTUM_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("pactum")))
        .or_else(|| set("HOME").map(|path| path.join(".cache/pactum")))
        .ok_or("none of PACTUM_KAFKA_JARS, PACTUM_CACHE and HOME is set")?;
    let jars = cache.join("kafka").join(pinned_version());
    // A relative cache is meant from where the test was started.
    std::path::absolute(&jars).map_err(|error| format!("{} cannot be found: {error}", jars.display()))
}

fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
