//! The projector role: folds the log into views, and answers queries from them.
//!
//! - [`Projector`]: opens every view of every partition, runs the fold, hands out the services.
//! - `engine`: reads a partition once, decodes in parallel, and folds every view on a thread of its own. Row changes and the
//!   place in the log are one write, so that after any crash the view goes on exactly there.
//! - `builds`: a view's directories, and which of them answers.
//! - `mending`: what makes a view anew whose files are damaged.
//! - `transfer`: views taken from one projector to another, as files.
//! - `decisions`: what was decided about records that cannot be folded.
//! - `machine`: views as they were: checkpoints, and what is restored from them.
//! - `store`: a view's rows in RocksDB, behind the traits of `pactum-views`.
//! - `columns`: pipelines held in memory, within a limit; `watches`: what was written of them since.
//! - `queries`: what all query services share: the caller's program, `min_sequence`, `as_of`, deadlines, errors.
//! - `services`: the contract's query services, thin.
//!
//! A record that cannot be decoded or folded stops the view at it, visibly: in [`Status`], in health, in metrics. It is
//! never skipped.

mod builds;
mod catch_up;
mod columns;
mod deadline;
mod decisions;
mod digest;
mod engine;
mod fold;
mod live;
mod lock;
mod machine;
mod mending;
mod meters;
mod opening;
mod operations;
mod options;
mod past;
mod projector;
mod queries;
mod services;
mod status;
mod store;
mod transfer;
mod verify;
mod watches;

pub use catch_up::{CatchUpError, catch_up, folded_rows, named};
pub use decisions::Decision;
pub use digest::Digest;
pub use lock::InUse;
pub use machine::AsOfOptions;
pub use opening::OpenError;
pub use operations::{BuildProgress, BuildReport, OperationError, ViewReport};
pub use options::ProjectorOptions;
pub use projector::{Projector, RunError};
pub use status::{Status, ViewStatus};
pub use transfer::{
    ExportError, ExportedFile, ExportedView, ImportError, Imported, Importing, Manifest, ViewWriting, Writing, export,
    import,
};
pub use verify::{Verified, VerifyError};
