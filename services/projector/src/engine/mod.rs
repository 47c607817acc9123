//! The engine that folds: a partition is read ahead and decoded once, and every view of it folds on a thread of its own.
//!
//! ```text
//! log ──► feed (reads ahead) ──► decoders ──► chunks ──► a thread per view: fold in memory ──► one write
//! ```
//!
//! - `feed`, `chunk`: reading and decoding, shared by the views that are close together in the log.
//! - `partition`: the feeds of a partition, and whether its log is the right one.
//! - `folding`: what a record does to a view, decisions about records that cannot be folded included.
//! - `view`: a view's thread: it folds what it takes until there is nothing more, or enough, and writes rows and place in the
//!   log at once.
//! - `role`: whether the thread folds the rows that answer, or a build that is to take their place.
//! - `host`: what runs all of it.
//! - `room`: the memory for rows kept from batch to batch, divided among the views that are at work.
//!
//! Memory is bounded by constants, whatever the history's length: so many chunks in the process, so many bytes of rows kept
//! from batch to batch, and what RocksDB is given.

mod chunk;
mod feed;
mod folding;
mod host;
mod partition;
mod role;
mod room;
mod view;

use std::time::Duration;

pub(crate) use chunk::Decoded;
use chunk::Decoders;
pub(crate) use folding::{Unfoldable, fold_one};
pub(crate) use host::Host;
use partition::PartitionFeeds;
pub(crate) use role::{Build, Role};
use room::Room;
use view::{ViewFold, ViewParts};

/// How long to wait before trying again what failed for a reason that may pass.
pub(crate) const RETRY: Duration = Duration::from_millis(500);
