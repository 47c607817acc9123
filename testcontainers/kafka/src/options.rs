//! What a test may ask of its cluster.

use std::time::Duration;

/// What brokers demand of clients. Among themselves they speak plaintext, on listeners that clients never hear of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Security {
    /// Nothing.
    #[default]
    Plaintext,
    /// TLS. Clients find who signed in [`Certificates::ca_file`](crate::Certificates).
    Tls,
    /// TLS from both sides: clients show a certificate, such as [`Certificates::client_file`](crate::Certificates).
    MutualTls,
    /// A user and a password, by SCRAM-SHA-512 or PLAIN, over TLS.
    SaslPassword {
        /// The only user there is.
        username: String,
        /// That user's password.
        password: String,
    },
    /// A token over TLS. The brokers take unsigned ones that have not expired: see [`unsigned_token`](crate::unsigned_token).
    SaslOauthBearer,
}

impl Security {
    pub(crate) fn needs_certificates(&self) -> bool {
        *self != Self::Plaintext
    }
}

/// What a cluster shall be like. `Options::default()` is one broker without security.
#[derive(Debug, Clone)]
pub struct Options {
    /// 1 or 3. Internal topics, and topics created without a factor, get as many replicas.
    pub brokers: u32,
    /// What brokers demand of clients.
    pub security: Security,
    /// Broker settings that go before the fixture's own, for example `("log.segment.bytes", "1048576")`.
    pub broker_settings: Vec<(String, String)>,
    /// How many ways lead to the brokers besides the direct one, each with a proxy before every broker, so that a client can be
    /// cut off while others are not. See [`Kafka::path`](crate::Kafka::path).
    pub network_paths: u32,
    /// Gives each broker a disk of its own of so many MiB, which can be filled: see
    /// [`Broker::fill_disk`](crate::Broker::fill_disk). It is in memory, and only root can mount it.
    pub disk_mib: Option<u32>,
    /// Brokers that something is measured on: the JVM compiles as it would in production and has the memory for it. For tests it
    /// saves itself both.
    pub measured: bool,
    /// How long a broker may take until it serves, at first and after each restart.
    pub ready_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            brokers: 1,
            security: Security::default(),
            broker_settings: Vec::new(),
            network_paths: 0,
            disk_mib: None,
            measured: false,
            // A broker is up within three seconds; the rest is for machines that also compile.
            ready_within: Duration::from_secs(90),
        }
    }
}
