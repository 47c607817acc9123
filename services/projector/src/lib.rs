//! The projector role: folds the log into views, and answers queries from them.
//!
//! - [`Projector`]: opens every view of every partition, runs the fold, hands out the services.
//! - `fold`: one thread a partition. It reads valid records in batches, decodes each once, and gives every view its row
//!   changes and its place in the log in one write, so that after any crash the view goes on exactly there.
//! - `store`: a view's rows in RocksDB, behind the traits of `pactum-views`.
//! - `queries`: what all query services share: the caller's program, `min_sequence`, deadlines, errors.
//! - `services`: the contract's query services, thin.
//!
//! A record that cannot be decoded or folded stops the view at it, visibly: in [`Status`], in health, in metrics. It is
//! never skipped.

mod deadline;
mod digest;
mod fold;
mod live;
mod meters;
mod options;
mod projector;
mod queries;
mod services;
mod status;
mod store;
mod verify;

pub use digest::Digest;
pub use options::ProjectorOptions;
pub use projector::{OpenError, Projector, RunError};
pub use status::{Status, ViewStatus};
pub use verify::{Verified, VerifyError};
