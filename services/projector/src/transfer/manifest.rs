//! What an export says of itself.

use std::io;
use std::path::{Path, PathBuf};

use pactum_journal::{Genesis, Position};
use pactum_log::Partition;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::ImportError;
use crate::decisions::{Decision, replace};

/// The format of what is written here.
pub(super) const FORMAT: u32 = 1;
/// The manifest's name.
pub(super) const FILE: &str = "manifest.json";

/// What an export holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format.
    pub format: u32,
    /// The version of the program that made it.
    pub made_by: String,
    /// The views, in no order.
    pub views: Vec<ExportedView>,
}

/// A view of a partition, as of a place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedView {
    /// The id of the log it was folded from, 32 hexadecimal digits.
    pub log_id: String,
    /// How many partitions that log has.
    pub partitions: u32,
    /// The format of the log.
    pub log_format: u16,
    /// The partition.
    pub partition: Partition,
    /// The view.
    pub view: String,
    /// The version of its rows.
    pub version: u32,
    /// The offset of the next entry to fold.
    pub offset: u64,
    /// The term in force there.
    pub term: Option<u64>,
    /// The number of the next valid record of that term.
    pub next: u64,
    /// The address of that term's owner.
    pub owner: Option<String>,
    /// Records before that place which were passed over: the rows were made so.
    pub passed_over: Vec<Decision>,
    /// Its files.
    pub files: Vec<ExportedFile>,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The SHA-256 of its content, hexadecimal.
    pub sha256: String,
}

/// The manifest in its file.
#[derive(Serialize, Deserialize)]
struct Sealed {
    /// The SHA-256 of the manifest as compact JSON.
    sha256: String,
    export: Manifest,
}

impl ExportedView {
    /// What is known of a view's place in the log; `None` where it holds nothing yet.
    pub(super) fn of(partition: Partition, view: &str, version: u32, position: &Position) -> Option<Self> {
        let Genesis { log_id, partitions, format } = position.genesis?;
        Some(Self {
            log_id: format!("{log_id:032x}"),
            partitions,
            log_format: format,
            partition,
            view: view.to_owned(),
            version,
            offset: position.offset,
            term: position.term,
            next: position.next,
            owner: position.owner.as_ref().map(ToString::to_string),
            passed_over: Vec::new(),
            files: Vec::new(),
        })
    }

    /// Whether it says the same of the view's place in the log.
    pub(super) fn is_at(&self, position: &Position) -> bool {
        let place = Self { passed_over: Vec::new(), files: Vec::new(), ..self.clone() };
        Self::of(self.partition, &self.view, self.version, position) == Some(place)
    }

    /// `deals@1`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.view, self.version)
    }

    /// Its directory in an export.
    pub(super) fn directory(&self, export: &Path) -> PathBuf {
        export.join(self.partition.to_string()).join(self.name())
    }

    /// The bytes of its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// What tells it from every other export.
    pub(super) fn digest(&self) -> String {
        hex(&Sha256::digest(serde_json::to_vec(self).unwrap_or_default()))
    }

    /// What is wrong with its names, which become paths.
    pub(super) fn bad_name(&self) -> Option<String> {
        let is_plain = |name: &str| {
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
            plain && !name.is_empty() && !name.starts_with('.')
        };
        let names = std::iter::once(&self.view).chain(self.files.iter().map(|file| &file.name));
        names.into_iter().find(|name| !is_plain(name)).map(|name| format!("{name:?} is not a name"))
    }
}

impl Manifest {
    pub(super) fn write(&self, export: &Path) -> io::Result<()> {
        let sealed = Sealed { sha256: self.digest()?, export: self.clone() };
        let mut text = serde_json::to_string_pretty(&sealed)?;
        text.push('\n');
        replace(&export.join(FILE), text.as_bytes())
    }

    fn digest(&self) -> io::Result<String> {
        Ok(hex(&Sha256::digest(serde_json::to_vec(self)?)))
    }

    /// Reads the manifest of an export.
    pub(super) fn read(export: &Path) -> Result<Self, ImportError> {
        let path = export.join(FILE);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ImportError::NoExport(export.to_owned()));
            }
            read => read.map_err(ImportError::files(&path))?,
        };
        let damaged = |why: String| ImportError::Manifest { path: path.clone(), why };
        let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        // A later format may have other fields, so it is asked for first.
        match value["export"]["format"].as_u64() {
            Some(found) if found != u64::from(FORMAT) => {
                return Err(ImportError::Format { found: u32::try_from(found).unwrap_or(u32::MAX), known: FORMAT });
            }
            _ => {}
        }
        let Sealed { sha256, export } = serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
        if export.digest().map_err(ImportError::files(&path))? != sha256 {
            return Err(damaged("its digest is another".to_owned()));
        }
        match export.views.iter().find_map(ExportedView::bad_name) {
            Some(why) => Err(damaged(why)),
            None => Ok(export),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
