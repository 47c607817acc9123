//! Real Kafka brokers for tests: the broker's jars on a JVM, or a container engine.
//!
//! [`Kafka::start`] gives a cluster of one or three brokers of its own, on its own ports and in its own directory, and
//! [`shared()`] one broker for the whole test process. Nothing outlives the process that asked for it, however it ends.
//! `docs/testing.md` says how a machine gets what this needs, and where the logs are.

mod broker;
mod certificates;
mod cluster;
mod container;
mod disk;
mod error;
mod launcher;
mod options;
mod path;
mod ports;
mod process;
mod proxy;
mod settings;
mod shared;
mod token;
mod watcher;
mod wire;

pub use broker::Broker;
pub use certificates::Certificates;
pub use cluster::Kafka;
pub use error::Error;
pub use options::{Options, Security};
pub use path::NetworkPath;
pub use ports::free_port;
pub use proxy::Proxy;
pub use shared::shared;
pub use token::unsigned_token;
