//! Views taken from one projector to another, as files.
//!
//! An export is a directory:
//!
//! | in it | what |
//! |---|---|
//! | `manifest.json` | what is exported: log, partition, view, version, place in the log, decisions, files with their digests |
//! | `0/deals@1/…` | the files of a view of a partition |
//!
//! It is made under another name and gets its own once it is whole. An import copies the files to the projector's disk, checks
//! them on the way, and only when all are there puts one view after another in its place by a renaming. Begun again after a
//! crash, it passes over those that are there already.
//!
//! - `manifest`: what an export says of itself.
//! - `taking`: a view's files as of one moment, while it is folded on.
//! - `writing`: making the directory, from files here or from what a projector sends.
//! - `exporting`: from a data directory that is not in use.
//! - `importing`, `placing`: into one.

mod error;
mod exporting;
mod importing;
mod manifest;
mod placing;
mod taking;
mod writing;

use std::io;
use std::path::Path;

pub use error::{ExportError, ImportError};
pub use exporting::export;
pub use importing::{Imported, Importing, import};
pub use manifest::{ExportedFile, ExportedView, Manifest};
pub(crate) use taking::Taken;
pub use writing::{ViewWriting, Writing};

use crate::builds::remove_if_there;

/// Where views are put aside while they are exported, in the directory of the views.
const EXPORTS: &str = "exports";
/// Where views are put together while they are imported.
const IMPORTS: &str = "imports";

/// Removes what a crash left of exports and imports. To be called under the directory's lock.
pub(crate) fn remove_drafts(data: &Path) -> io::Result<()> {
    remove_if_there(&data.join(EXPORTS))?;
    remove_if_there(&data.join(IMPORTS))
}
