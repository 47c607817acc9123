//! The log on Apache Kafka: a topic is the log, its partitions are the log's.
//!
//! ```text
//! appenders ──► idempotent producers, acks=all ──► brokers ──► a consumer for each reader ──► readers
//!               (bounded, a thread polls each)                  (bounded read-ahead, wakes its reader's task)
//! ```
//!
//! Nothing here decides who may write, and nothing is answered because it was acknowledged: an append is known to be in the
//! log, and what lies before it, when it was read back, and the layer above does that for every log alike. (A reader that stands
//! right where an acknowledged entry lies is given it without fetching it, see `reader`.) So there are no transactions, and
//! the group of [`Group`] says who *should* own a partition, never who does.
//!
//! What the guarantees rest on is checked, not assumed: [`KafkaOptions`] refuses client properties that would weaken them,
//! and [`topics::check`] names the settings of the topic that would.
//!
//! | metric | meaning |
//! |---|---|
//! | `pactum_kafka_producer_queue_entries` | handed over and not yet acknowledged, a producer |
//! | `pactum_kafka_producer_queue_bytes` | the same in bytes |
//! | `pactum_kafka_failed_entries_total` | entries that the brokers did not acknowledge |
//! | `pactum_kafka_producer_restarts_total` | producers made anew after a fatal error |
//! | `pactum_kafka_reader_lag_entries` | entries in the log that a reader of the partition was not given yet |
//! | `pactum_kafka_reader_acknowledged_entries_total` | given to readers on the brokers' acknowledgement, without fetching them |
//! | `pactum_kafka_reader_queue_entries` | read ahead of a reader of the partition |
//! | `pactum_kafka_broker_rtt_seconds` | the mean round trip to a broker |
//! | `pactum_kafka_broker_up` | 1 while a client is connected to the broker |
//! | `pactum_kafka_group_partitions` | partitions that the group assigned to this instance |
//! | `pactum_kafka_group_members` | members of the group as last listed |

mod appender;
mod client;
mod context;
mod ends;
mod error;
mod group;
mod lane;
mod log;
mod measures;
mod members;
mod options;
mod place;
mod producer;
mod properties;
pub mod raw;
mod reader;
mod reaper;
mod security;
mod source;
mod token;
pub mod topics;
mod trouble;

pub use error::KafkaError;
pub use group::{Group, Member};
pub use log::KafkaLog;
pub use options::KafkaOptions;
pub use reaper::wait_until_closed;
pub use security::{Mechanism, Protocol, Security};
