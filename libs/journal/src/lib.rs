//! Claims, terms, validity and read-back: the writer's protocol over any log.
//!
//! A log keeps one order per partition and nothing else: an append may come late, twice, out of order or never, and its
//! sender may not learn which. This crate turns that into one writer at a time, a command's effect exactly once, and
//! answers that are true.
//!
//! - [`entry`]: what is written to a partition (genesis, claims, records) and how it is encoded.
//! - [`validity`]: the one rule which says what an entry means, given all before it. Every reader uses it.
//! - [`machine`]: what an application brings: a deterministic state machine that decides and folds.
//! - [`writer`]: the protocol without clock and I/O. Inputs are method calls, outputs are values; the production driver
//!   and the simulation in `tests/` run this same code.
//! - [`driver`] and [`handle`]: one task per partition that carries the writer's outputs out, and the way in for commands.
//! - [`follower`]: the reading side for whoever only folds.
//! - [`bulk`]: the writing side for whoever only copies or generates.
//!
//! The rule, the reasons for it and what must hold are told in `docs/adr/` and `ARCHITECTURE.md`.

pub mod bulk;
pub mod driver;
pub mod entry;
pub mod error;
mod feed;
pub mod follower;
pub mod handle;
pub mod machine;
mod meters;
pub mod options;
pub mod status;
pub mod validity;
pub mod writer;

pub use bulk::{BulkError, BulkOptions, BulkWriter};
pub use driver::spawn;
pub use entry::{Claim, Entry, EntryError, Genesis, Record};
pub use error::{CommandError, Fault, GenesisError, SubmitError};
pub use follower::{Batch, FollowError, Follower, Valid};
pub use handle::{Handle, Reply};
pub use machine::{Decision, FoldError, Machine, Timestamp};
pub use options::JournalOptions;
pub use status::{Role, Status};
pub use validity::{Position, Skip, Skipped, Verdict};
