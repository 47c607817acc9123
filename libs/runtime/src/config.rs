//! Configuration: defaults, then a TOML file, then the environment, then flags; the later wins.
//!
//! An environment variable is `PACTUM_` and the setting's path with two underscores between its parts:
//! `PACTUM_GRPC__LISTEN=127.0.0.1:7400`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The directory that holds the log, the views and the token key.
    pub data: PathBuf,
    /// The gRPC listener.
    pub grpc: Grpc,
    /// The HTTP listener for metrics and health.
    pub http: Http,
    /// The embedded log.
    pub log: LogSettings,
    /// The command role.
    pub command: Command,
    /// RocksDB's memory.
    pub memory: Memory,
    /// Logging.
    pub telemetry: Telemetry,
    /// Stopping.
    pub shutdown: Shutdown,
}

/// The gRPC listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grpc {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The largest request, in bytes.
    pub max_message_bytes: usize,
}

/// The HTTP listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Where to listen.
    pub listen: SocketAddr,
}

/// The embedded log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// How many partitions a new log gets; an existing log keeps its own.
    pub partitions: u32,
    /// Appends are refused while the disk has less than this many mebibytes free, so that what is there can always be
    /// flushed.
    pub reserve_mib: u64,
}

/// The command role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Commands that may wait in a partition's queue before callers are told to come back later.
    pub queue: usize,
    /// Records of a partition that may be in flight to the log.
    pub window: usize,
}

/// RocksDB's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The block cache that all databases share, in mebibytes.
    pub block_cache_mib: usize,
}

/// Logging.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// A `tracing` filter: `info`, or `pactum_journal=debug,info`.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Stopping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// How long calls under way may take to end after SIGTERM, in milliseconds.
    pub grace_ms: u64,
}

impl Default for Settings {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            data: PathBuf::from("data"),
            grpc: Grpc { listen: loopback(7400), max_message_bytes: 1 << 20 },
            http: Http { listen: loopback(7401) },
            log: LogSettings { partitions: 1, reserve_mib: 64 },
            command: Command { queue: 4096, window: 1024 },
            memory: Memory { block_cache_mib: 32 },
            telemetry: Telemetry { filter: "info".into(), format: LogFormat::Text },
            shutdown: Shutdown { grace_ms: 10_000 },
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named is not there.
    #[error("the configuration file {0} cannot be read; check --config or PACTUM_CONFIG")]
    NoFile(PathBuf),
    /// A setting is unknown or has the wrong form.
    #[error("the configuration is not valid: {0}")]
    Invalid(Box<figment::Error>),
    /// A setting is out of its bounds.
    #[error("{setting} is {value}; it must be {bounds}")]
    OutOfBounds {
        /// The setting's path.
        setting: &'static str,
        /// What it is.
        value: u64,
        /// What it must be.
        bounds: &'static str,
    },
}

impl Settings {
    /// Puts the layers together: defaults, `file`, the environment, then `flags` (any serialisable map of what was given).
    ///
    /// # Errors
    /// [`ConfigError`] names the file or the setting.
    pub fn load(file: Option<&Path>, flags: &impl Serialize) -> Result<Self, ConfigError> {
        let mut layers = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError::NoFile(file.to_owned()));
            }
            layers = layers.merge(Toml::file_exact(file));
        }
        // PACTUM_CONFIG names the file, and the tools' own variables are not settings.
        let environment = Env::prefixed("PACTUM_").split("__").filter(|key| {
            let key = key.as_str().to_ascii_lowercase();
            key == "data" || key.contains("__") || key.contains('.')
        });
        let settings: Self = layers
            .merge(environment)
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| ConfigError::Invalid(Box::new(error)))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let bounds = [
            (
                "grpc.max_message_bytes",
                self.grpc.max_message_bytes as u64,
                1 << 10,
                16 << 20,
                "1024 to 16777216 (bytes)",
            ),
            ("log.partitions", u64::from(self.log.partitions), 1, 256, "1 to 256"),
            ("log.reserve_mib", self.log.reserve_mib, 1, 1 << 20, "1 to 1048576 (mebibytes)"),
            ("command.queue", self.command.queue as u64, 1, 1 << 20, "1 to 1048576"),
            ("command.window", self.command.window as u64, 1, 1 << 16, "1 to 65536"),
            ("memory.block_cache_mib", self.memory.block_cache_mib as u64, 1, 1 << 20, "1 to 1048576 (mebibytes)"),
            ("shutdown.grace_ms", self.shutdown.grace_ms, 0, 600_000, "0 to 600000 (milliseconds)"),
        ];
        for (setting, value, low, high, bounds) in bounds {
            if value < low || value > high {
                return Err(ConfigError::OutOfBounds { setting, value, bounds });
            }
        }
        Ok(())
    }

    /// The settings as a TOML document that [`Settings::load`] takes.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("settings are plain tables of strings and numbers, which TOML can hold")
    }

    /// How long calls under way may take to end after SIGTERM.
    #[must_use]
    pub fn grace(&self) -> Duration {
        Duration::from_millis(self.shutdown.grace_ms)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::collections::BTreeMap;

    fn none() -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pactum.toml");
        let mut settings = Settings::default();
        settings.command.queue = 17;
        std::fs::write(&file, settings.to_toml()).unwrap();
        assert_eq!(Settings::load(Some(&file), &none()).unwrap(), settings);
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pactum.toml");
        std::fs::write(&file, "data = 'from-file'\n[grpc]\nlisten = '127.0.0.1:1'\n").unwrap();
        let flags = BTreeMap::from([("data", "from-flag")]);
        let settings = Settings::load(Some(&file), &flags).unwrap();
        assert_eq!(settings.data, PathBuf::from("from-flag"));
        assert_eq!(settings.grpc.listen.port(), 1);
        assert_eq!(settings.http, Settings::default().http);
    }

    #[test]
    fn refusals_name_the_setting() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pactum.toml");
        for (text, named) in [
            ("[grpc]\nlissten = 'x'", "lissten"),
            ("[grpc]\nlisten = 'nowhere'", "grpc.listen"),
            ("[command]\nqueue = 0", "command.queue"),
            ("[log]\npartitions = 300", "log.partitions"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Settings::load(Some(&file), &none()).unwrap_err().to_string();
            assert!(error.contains(named), "{error} does not name {named}");
        }
        let missing = Settings::load(Some(Path::new("/nonexistent.toml")), &none()).unwrap_err();
        assert!(matches!(missing, ConfigError::NoFile(_)));
    }
}
