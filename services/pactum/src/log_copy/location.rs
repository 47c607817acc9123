//! Where a log is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use pactum_log::Log;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions, Identity, OpenError};
use pactum_log::kafka::topics::{self, Severity};
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_runtime::config::{LogKind, Settings};
use pactum_store::StoreError;

use super::error::LogCopyError;

/// A log as it is named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// The embedded log of a data directory.
    Embedded(PathBuf),
    /// A topic; what else the brokers want is in the environment, if anything.
    Kafka { brokers: String, topic: String },
    /// The log that a system with the settings in this file uses.
    Config(PathBuf),
}

/// A name that means no log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write embedded:DIR, kafka:HOST:PORT,…/TOPIC or config:FILE")]
pub(crate) struct InvalidLocation;

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        let (kind, rest) = text.split_once(':').filter(|(_, rest)| !rest.is_empty()).ok_or(InvalidLocation)?;
        match kind {
            "embedded" => Ok(Self::Embedded(rest.into())),
            "config" => Ok(Self::Config(rest.into())),
            "kafka" => match rest.rsplit_once('/') {
                Some((brokers, topic)) if !brokers.is_empty() && !topic.is_empty() => {
                    Ok(Self::Kafka { brokers: brokers.to_owned(), topic: topic.to_owned() })
                }
                _ => Err(InvalidLocation),
            },
            _ => Err(InvalidLocation),
        }
    }
}

/// A log with all that it takes to open it.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Embedded { data: PathBuf, reserve_bytes: u64 },
    Kafka(Box<KafkaOptions>),
}

/// What is to be done with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// It must be there.
    Existing,
    /// It is written, and made if it can be made here.
    Create {
        /// How many partitions it gets when it is made.
        partitions: u32,
    },
}

impl Place {
    /// Puts what was given together with the settings.
    pub(super) fn resolve(location: &Location) -> Result<Self, LogCopyError> {
        let (file, given) = match location {
            Location::Embedded(data) => (None, serde_json::json!({ "data": data, "log": { "kind": "embedded" } })),
            Location::Kafka { brokers, topic } => {
                let kafka = serde_json::json!({ "brokers": brokers, "topic": topic });
                (None, serde_json::json!({ "kafka": kafka, "log": { "kind": "kafka" } }))
            }
            Location::Config(file) => (Some(file.as_path()), serde_json::json!({})),
        };
        let settings = Settings::load(file, &given)?;
        Ok(match settings.log.kind {
            LogKind::Embedded => Self::Embedded { data: settings.data, reserve_bytes: settings.log.reserve_mib << 20 },
            LogKind::Kafka => Self::Kafka(Box::new(settings.kafka)),
        })
    }

    /// Whether both are certainly the same log.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Embedded { data: one, .. }, Self::Embedded { data: other, .. }) => {
                let real = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                real(one) == real(other)
            }
            (Self::Kafka(one), Self::Kafka(other)) => one.topic == other.topic && one.brokers == other.brokers,
            (Self::Embedded { .. }, Self::Kafka(_)) | (Self::Kafka(_), Self::Embedded { .. }) => false,
        }
    }

    /// Opens the log.
    pub(super) async fn open(self, access: Access) -> Result<Opened, LogCopyError> {
        let name: Arc<str> = self.to_string().into();
        match self {
            Self::Embedded { data, reserve_bytes } => {
                let place = name.to_string();
                // Opening reads a write-ahead log, which may take a while.
                let opening = tokio::task::spawn_blocking(move || open_embedded(place, &data, reserve_bytes, access));
                let log = opening.await.map_err(|_| LogCopyError::Panicked)??;
                Ok(Opened { name, log: Arc::new(log.clone()), embedded: Some(log) })
            }
            Self::Kafka(options) => {
                let failed = |source| LogCopyError::Kafka { place: name.to_string(), source };
                if access != Access::Existing {
                    let findings = topics::check(&options).await.map_err(failed)?;
                    let refused = findings.iter().filter(|finding| finding.severity == Severity::Refuse);
                    let findings: Vec<_> = refused.map(ToString::to_string).collect();
                    if !findings.is_empty() {
                        return Err(LogCopyError::Topic { place: name.to_string(), findings: findings.join("; ") });
                    }
                }
                let log = KafkaLog::connect(*options).await.map_err(failed)?;
                Ok(Opened { name, log: Arc::new(log), embedded: None })
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded { data, .. } => write!(formatter, "embedded:{}", data.display()),
            Self::Kafka(options) => write!(formatter, "kafka:{}/{}", options.brokers, options.topic),
        }
    }
}

fn open_embedded(
    place: String,
    data: &std::path::Path,
    reserve_bytes: u64,
    access: Access,
) -> Result<EmbeddedLog, LogCopyError> {
    let path = data.join("log");
    let failed = |source| match source {
        OpenError::Missing { .. } => LogCopyError::Missing { place: place.clone() },
        OpenError::Store(StoreError::Locked { .. }) => LogCopyError::InUse { place: place.clone() },
        source => LogCopyError::Embedded { place: place.clone(), source },
    };
    let kept = Identity::read(&path).map_err(failed)?.map(|identity| identity.partitions);
    let (create, partitions) = match access {
        Access::Existing => (false, 1),
        Access::Create { partitions } => (true, partitions),
    };
    let options =
        EmbeddedOptions { partitions: kept.unwrap_or(partitions), create, reserve_bytes, ..EmbeddedOptions::default() };
    EmbeddedLog::open(path, options).map_err(failed)
}

/// A log that is open. Clones are the same one.
#[derive(Clone)]
pub(super) struct Opened {
    name: Arc<str>,
    log: Arc<dyn Log>,
    embedded: Option<EmbeddedLog>,
}

impl Opened {
    /// A log that was opened elsewhere.
    #[cfg(test)]
    pub(super) fn of(name: &str, log: Arc<dyn Log>) -> Self {
        Self { name: name.into(), log, embedded: None }
    }

    pub(super) fn log(&self) -> &Arc<dyn Log> {
        &self.log
    }

    pub(super) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(super) fn partitions(&self) -> u32 {
        self.log.partitions()
    }

    /// The id that the log has by itself; a topic gets one with the first genesis in it.
    pub(super) fn id(&self) -> Option<u128> {
        self.embedded.as_ref().map(|log| log.identity().id)
    }

    /// Lets go of the log: writes what is queued, and of an embedded one the lock.
    pub(super) async fn close(&self) {
        if let Some(log) = self.embedded.clone() {
            // Its writer reports by itself what it could not do.
            let _ = tokio::task::spawn_blocking(move || log.close()).await;
        }
    }
}

impl fmt::Display for Opened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_log_is_named_in_three_ways() {
        let kafka = |brokers: &str, topic: &str| Location::Kafka { brokers: brokers.into(), topic: topic.into() };
        for (text, expected) in [
            ("embedded:/var/lib/pactum", Ok(Location::Embedded("/var/lib/pactum".into()))),
            ("kafka:a:9092,b:9092/deals", Ok(kafka("a:9092,b:9092", "deals"))),
            ("config:old.toml", Ok(Location::Config("old.toml".into()))),
            ("/var/lib/pactum", Err(InvalidLocation)),
            ("embedded:", Err(InvalidLocation)),
            ("kafka:a:9092", Err(InvalidLocation)),
            ("kafka:a:9092/", Err(InvalidLocation)),
            ("kafka:/deals", Err(InvalidLocation)),
            ("file:x", Err(InvalidLocation)),
        ] {
            assert_eq!(text.parse::<Location>(), expected, "{text}");
        }
    }

    #[test]
    fn a_configuration_means_the_log_of_its_system() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pactum.toml");
        let resolve = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Place::resolve(&Location::Config(file.clone())).map(|place| place.to_string())
        };
        assert_eq!(resolve("data = '/d'").unwrap(), "embedded:/d");
        assert_eq!(resolve("[log]\nkind = 'kafka'\n[kafka]\nbrokers = 'a:1'\ntopic = 't'").unwrap(), "kafka:a:1/t");
        assert!(matches!(resolve("[log]\nkind = 'kafka'"), Err(LogCopyError::Config(_))));
        let named = Location::Kafka { brokers: "a:1".into(), topic: "a topic".into() };
        assert!(matches!(Place::resolve(&named), Err(LogCopyError::Config(_))));
    }

    #[test]
    fn the_same_directory_is_known_by_any_of_its_names() {
        let directory = tempfile::tempdir().unwrap();
        let other = directory.path().join("x");
        std::fs::create_dir(&other).unwrap();
        let place = |path: PathBuf| Place::resolve(&Location::Embedded(path)).unwrap();
        assert!(place(directory.path().into()).is(&place(other.join(".."))));
        assert!(!place(directory.path().into()).is(&place(other)));
    }
}
