//! What a test may ask of its cluster.

use std::time::Duration;

/// How clients reach the brokers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Security {
    /// No encryption, no identity.
    #[default]
    Plaintext,
}

/// What a cluster shall be like. `Options::default()` is one broker without security.
#[derive(Debug, Clone)]
pub struct Options {
    /// 1 or 3. Internal topics, and topics created without a factor, get as many replicas.
    pub brokers: u32,
    /// How clients reach the brokers.
    pub security: Security,
    /// Broker settings that go before the fixture's own, for example `("log.segment.bytes", "1048576")`.
    pub broker_settings: Vec<(String, String)>,
    /// How long a broker may take until it answers, at first and after each restart.
    pub ready_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            brokers: 1,
            security: Security::default(),
            broker_settings: Vec::new(),
            // A broker is up within three seconds; the rest is for machines that also compile.
            ready_within: Duration::from_secs(90),
        }
    }
}
