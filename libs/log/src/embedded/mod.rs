//! A durable log in one process, over RocksDB.
//!
//! One thread writes. It takes everything that is queued, writes it as one batch with one fsync, and then publishes it to
//! live readers; what arrives meanwhile is the next batch. So under load a batch holds what came during one fsync, and
//! without load an entry waits for nothing.
//!
//! ```text
//! appenders ──► queue ──► writer ──► RocksDB (fsync) ──► tails ──► live readers
//!              (bounded)                   └───────────────────► readers that are behind, in chunks
//! ```
//!
//! On the disk: `identity` (see [`Identity`]) and `entries/`, a database with a keyspace per partition. In a keyspace the key
//! is the offset and the value is the entry with its checksum. Offsets start at 0 and have no gaps, so anything missing in
//! the middle is noticed by whoever reads over it; what is missing at the end is noticed on opening, by the store.

mod disk;
mod error;
mod format;
mod identity;
mod log;
mod measures;
mod options;
mod queue;
mod reader;
mod statistics;
mod verify;
mod writer;

pub use error::OpenError;
pub use identity::Identity;
pub use log::EmbeddedLog;
pub use options::{EmbeddedOptions, MOST_PARTITIONS};
pub use statistics::{Health, LogStatistics, PartitionStatistics};
pub use verify::{Progress, Verification};
