//! RocksDB: keyspaces, batches, scans, checkpoints. The only crate that knows it.
//!
//! A [`Database`] is a directory with named [`Keyspace`]s, each an ordered map of bytes. It is made for two uses that differ
//! in one thing, what a power loss may take:
//!
//! - a database of record ([`Durability::Synced`]): every write is in a write-ahead log and fsynced before it returns;
//! - a database that something else can rebuild ([`Options::rebuildable`], [`Durability::Deferred`]): no write-ahead log. A
//!   crash takes the newest writes, but always whole batches and the same point in every keyspace, so that an offset stored
//!   beside the rows says where to go on.
//!
//! Calls block on the disk: keep scans off async workers. Damage is an error ([`StoreError::Corrupt`]), never data.

mod batch;
mod database;
mod error;
mod keyspace;
mod linked;
mod lock;
mod manifest;
mod options;
mod range;
mod scan;
mod shared;
mod snapshot;
mod space;
mod statistics;
mod synced;

pub use batch::{Batch, Durability};
pub use database::Database;
pub use error::StoreError;
pub use keyspace::{Keyspace, KeyspaceSpec};
pub use linked::link;
pub use options::Options;
pub use range::{Direction, KeyRange};
pub use scan::{Row, Scan};
pub use shared::{Shared, SharedOptions};
pub use snapshot::Snapshot;
pub use space::available_bytes;
pub use statistics::{KeyspaceStatistics, Statistics};
