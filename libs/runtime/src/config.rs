//! Configuration: defaults, then a TOML file, then the environment, then flags; the later wins.
//!
//! An environment variable is `PACTUM_` and the setting's path with two underscores between its parts:
//! `PACTUM_GRPC__LISTEN=127.0.0.1:7400`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use pactum_log::kafka::{KafkaError, KafkaOptions};
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
    /// Which log, and the embedded one.
    pub log: LogSettings,
    /// The log on Kafka.
    pub kafka: KafkaOptions,
    /// The command role.
    pub command: Command,
    /// When an instance of the command role takes partitions over from another.
    pub ownership: Ownership,
    /// What questions about the past may cost.
    pub as_of: AsOf,
    /// Tokens.
    pub token: Token,
    /// Memory.
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

/// Where the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogKind {
    /// Below the data directory, for one process.
    Embedded,
    /// On Apache Kafka, for as many processes as there are.
    Kafka,
}

/// Which log, and the embedded one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Where the log is.
    pub kind: LogKind,
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
    /// On Kafka: the consumer group whose members share the partitions out. It consumes nothing.
    pub group: String,
    /// On Kafka: the address, `HOST:PORT`, at which the other instances reach this one's gRPC listener; the listener's own
    /// where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertise: Option<String>,
}

/// When an instance of the command role takes partitions over from another. Too short costs needless changes of owner, too
/// long costs waiting; no value can cost a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ownership {
    /// How often an owner is asked for a sign of life, in milliseconds.
    pub ping_interval_ms: u64,
    /// How long it may take to give one, in milliseconds.
    pub ping_timeout_ms: u64,
    /// After its connection broke or was refused, how long until it must serve again, in milliseconds.
    pub broken_ms: u64,
    /// How long an owner that was never seen serving may take to, in milliseconds.
    pub silence_ms: u64,
    /// How much longer each further candidate waits before it claims, in milliseconds.
    pub rank_delay_ms: u64,
    /// How long a stop waits for others to take over, in milliseconds.
    pub handover_ms: u64,
    /// Commands that may be on their way to other instances, or wait for an owner, before callers are told to come back.
    pub away: usize,
}

/// How the projector role puts views aside, and restores moments of the past from that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsOf {
    /// A view is put aside once the log has grown by so many entries since the last time.
    pub every_records: u64,
    /// It is also put aside after so many seconds in which the log has grown at all.
    pub every_s: u64,
    /// How many checkpoints of a view are kept, spread evenly over the log.
    pub keep: usize,
    /// How much room the checkpoints of a view may take, in percent of what the view takes itself; fewer are kept where that
    /// is not enough.
    pub disk_percent: u64,
    /// How many moments are restored at once.
    pub at_once: usize,
    /// How many more may wait for that before callers are told to come back later.
    pub queue: usize,
    /// How many restored views are kept for whoever asks again.
    pub restored: usize,
}

/// Tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The file that holds the key which tokens are checked with, the same for all processes; `token.key` in the data directory
    /// where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

/// RocksDB's memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// RocksDB's block cache, which all databases share, in mebibytes.
    pub block_cache_mib: usize,
    /// Pipelines that are held in memory for questions about them, of all programs together, in mebibytes; 0: none is.
    pub pipeline_mib: usize,
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
            log: LogSettings { kind: LogKind::Embedded, partitions: 1, reserve_mib: 64 },
            kafka: KafkaOptions::default(),
            command: Command { queue: 4096, window: 1024, group: "pactum-command".into(), advertise: None },
            ownership: Ownership {
                ping_interval_ms: 400,
                ping_timeout_ms: 800,
                broken_ms: 250,
                silence_ms: 2_000,
                rank_delay_ms: 150,
                handover_ms: 1_000,
                away: 4096,
            },
            as_of: AsOf {
                every_records: 100_000,
                every_s: 3_600,
                keep: 32,
                disk_percent: 200,
                at_once: 2,
                queue: 16,
                restored: 16,
            },
            token: Token::default(),
            memory: Memory { block_cache_mib: 32, pipeline_mib: 128 },
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
    /// The log on Kafka is chosen, and a setting of it is wrong.
    #[error("the settings under kafka are not valid")]
    Kafka(#[source] Box<KafkaError>),
    /// An address that is none.
    #[error("command.advertise is {0:?}; it must be HOST:PORT, as the other instances reach this one")]
    Advertise(String),
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
            ("ownership.ping_interval_ms", self.ownership.ping_interval_ms, 20, 60_000, "20 to 60000 (milliseconds)"),
            ("ownership.ping_timeout_ms", self.ownership.ping_timeout_ms, 20, 60_000, "20 to 60000 (milliseconds)"),
            ("ownership.broken_ms", self.ownership.broken_ms, 1, 60_000, "1 to 60000 (milliseconds)"),
            ("ownership.silence_ms", self.ownership.silence_ms, 1, 60_000, "1 to 60000 (milliseconds)"),
            ("ownership.rank_delay_ms", self.ownership.rank_delay_ms, 0, 10_000, "0 to 10000 (milliseconds)"),
            ("ownership.handover_ms", self.ownership.handover_ms, 0, 60_000, "0 to 60000 (milliseconds)"),
            ("ownership.away", self.ownership.away as u64, 1, 1 << 20, "1 to 1048576"),
            ("as_of.every_records", self.as_of.every_records, 1, 1 << 40, "1 to 1099511627776"),
            ("as_of.every_s", self.as_of.every_s, 1, 31_536_000, "1 to 31536000 (seconds)"),
            ("as_of.keep", self.as_of.keep as u64, 1, 10_000, "1 to 10000"),
            ("as_of.disk_percent", self.as_of.disk_percent, 0, 100_000, "0 to 100000 (percent)"),
            ("as_of.at_once", self.as_of.at_once as u64, 1, 1_000, "1 to 1000"),
            ("as_of.queue", self.as_of.queue as u64, 0, 100_000, "0 to 100000"),
            ("as_of.restored", self.as_of.restored as u64, 1, 10_000, "1 to 10000"),
            ("memory.block_cache_mib", self.memory.block_cache_mib as u64, 1, 1 << 20, "1 to 1048576 (mebibytes)"),
            ("memory.pipeline_mib", self.memory.pipeline_mib as u64, 0, 1 << 20, "0 to 1048576 (mebibytes)"),
            ("shutdown.grace_ms", self.shutdown.grace_ms, 0, 600_000, "0 to 600000 (milliseconds)"),
        ];
        for (setting, value, low, high, bounds) in bounds {
            if value < low || value > high {
                return Err(ConfigError::OutOfBounds { setting, value, bounds });
            }
        }
        if self.log.kind == LogKind::Kafka {
            self.kafka.validate().map_err(|error| ConfigError::Kafka(Box::new(error)))?;
        }
        match &self.command.advertise {
            Some(address) if !is_address(address) => Err(ConfigError::Advertise(address.clone())),
            _ => Ok(()),
        }
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

/// Whether text is a host and a port, and not an address that means every one of this machine's: what an instance can be
/// reached at, and so what stands in its claims.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let everywhere = text.parse::<SocketAddr>().is_ok_and(|address| address.ip().is_unspecified());
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    !host.is_empty() && host.chars().all(legal) && port.parse::<u16>().is_ok_and(|port| port > 0) && !everywhere
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
    fn only_what_can_be_connected_to_is_an_address() {
        assert!(["10.0.0.1:7400", "[::1]:7400", "pactum-1.internal:7400"].into_iter().all(is_address));
        let none = ["", "copy of log 5f0c", "pactum generate", "host", "host:port", "0.0.0.0:7400"];
        assert!(!none.into_iter().any(is_address));
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
            ("[log]\nkind = 'papyrus'", "log.kind"),
            ("[kafka]\nbroker = 'a:1'", "broker"),
            ("[command]\nadvertise = '0.0.0.0:7400'", "command.advertise"),
            ("[command]\nadvertise = 'nowhere'", "command.advertise"),
            ("[ownership]\nsilence_ms = 0", "ownership.silence_ms"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = Settings::load(Some(&file), &none()).unwrap_err().to_string();
            assert!(error.contains(named), "{error} does not name {named}");
        }
        std::fs::write(&file, "[log]\nkind = 'kafka'").unwrap();
        let no_brokers = Settings::load(Some(&file), &none()).unwrap_err();
        assert!(matches!(&no_brokers, ConfigError::Kafka(why) if why.to_string().contains("brokers")), "{no_brokers}");
        let missing = Settings::load(Some(Path::new("/nonexistent.toml")), &none()).unwrap_err();
        assert!(matches!(missing, ConfigError::NoFile(_)));
    }
}
