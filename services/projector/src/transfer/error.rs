//! Why views cannot be exported or imported, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use pactum_log::Partition;

use crate::lock::InUse;
use crate::opening::OpenError;

/// Views that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A projector works on the directory.
    #[error(transparent)]
    InUse(#[from] InUse),
    /// There is something where the export should go.
    #[error("{} is there already; name a directory that is not, or remove it", .0.display())]
    Exists(PathBuf),
    /// Nothing of what was asked for is there.
    #[error("{} holds no such view; `pactum view list` names them", .0.display())]
    NothingThere(PathBuf),
    /// The view holds nothing of the log yet.
    #[error("the view {view} of partition {partition} holds nothing yet")]
    Empty {
        /// The view.
        view: String,
        /// The partition.
        partition: Partition,
    },
    /// A view cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A view's rows cannot be put aside or read.
    #[error("the rows cannot be read")]
    Rows(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was received is not what was announced.
    #[error("what was received is not what the projector announced ({0}); try again")]
    Broken(String),
    /// Files cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Files {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ExportError {
    pub(super) fn files(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        |source| Self::Files { path, source }
    }
}

/// Views that cannot be imported. Nothing has changed then, but for what the message says.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A projector works on the directory.
    #[error(transparent)]
    InUse(#[from] InUse),
    /// It is no export.
    #[error("{} holds no export: it has no manifest.json, which is written last; make the export again", .0.display())]
    NoExport(PathBuf),
    /// The manifest is damaged.
    #[error("{} is damaged ({why}); copy the export again", path.display())]
    Manifest {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Another version of this program wrote it.
    #[error(
        "the export has format {found}, this program reads {known}; export and import with the same version of pactum"
    )]
    Format {
        /// The export's.
        found: u32,
        /// What is read here.
        known: u32,
    },
    /// Nothing of what was asked for is in it.
    #[error("the export holds no such view; it holds {0}")]
    NotInIt(String),
    /// This program does not have the view.
    #[error(
        "this program has no view {0}; import with the version of pactum that exported it, or name other views with --view"
    )]
    UnknownView(String),
    /// It is of another version.
    #[error(
        "the export holds version {exported} of {view}, this program folds version {here}; export it from a projector that \
         runs this program, or let it be built from the log"
    )]
    OtherVersion {
        /// The view.
        view: String,
        /// The export's.
        exported: u32,
        /// This program's.
        here: u32,
    },
    /// It was folded from another log.
    #[error("the export is of the log {exported}, this is {here}; export from a projector that folds this log")]
    OtherLog {
        /// The export's, with its number of partitions.
        exported: String,
        /// That of the directory.
        here: String,
    },
    /// A file is not there.
    #[error("{} is missing; copy the export again", .0.display())]
    Missing(PathBuf),
    /// A file is not what was exported.
    #[error("{} is damaged ({why}); copy the export again", path.display())]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There are rows already.
    #[error(
        "{build} of partition {partition} is there already; --replace has the imported rows answer in its place, and keeps it"
    )]
    Exists {
        /// The partition.
        partition: Partition,
        /// The build that answers.
        build: String,
    },
    /// Other records were passed over here.
    #[error(
        "the exported rows of {view} of partition {partition} pass over the records at {exported}, this projector over those \
         at {here}; move {} and the view's directories away to take the export's decisions over",
        decisions.display()
    )]
    OtherDecisions {
        /// The view.
        view: String,
        /// The partition.
        partition: Partition,
        /// The offsets, as text.
        exported: String,
        /// The offsets, as text.
        here: String,
        /// The file with this projector's decisions.
        decisions: PathBuf,
    },
    /// What is there already cannot be read.
    #[error("what is there cannot be read")]
    Here(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Files cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Files {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl ImportError {
    pub(super) fn files(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        |source| Self::Files { path, source }
    }
}
