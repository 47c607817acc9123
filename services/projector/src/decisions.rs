//! What was decided about records that a view cannot fold.
//!
//! A decision is kept in a file beside the view's directories, one line of JSON each, so that it outlives restarts, rebuilds
//! and versions: whoever folds the view from zero passes over the same records. The file is replaced whole.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A record that a view passes over, with who decided it, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Where the record is in the partition.
    pub offset: u64,
    /// Who decided.
    pub by: String,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Why.
    pub reason: String,
}

/// What was decided cannot be read. It is not made up for: without it the rows would be others.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecisionsError {
    #[error("{} cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{} is damaged in line {line}; mend it or take it from a backup, or move it away together with the view's \
         directories: the view is then built anew and stops at those records again",
        path.display()
    )]
    Damaged { path: PathBuf, line: usize, source: serde_json::Error },
}

/// The decisions about a view of a partition, by offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decisions(BTreeMap<u64, Decision>);

impl Decisions {
    pub(crate) fn path(partition: &Path, view: &str) -> PathBuf {
        partition.join(format!("{view}.decisions"))
    }

    /// Reads the file; none there: nothing was decided.
    pub(crate) fn read(path: &Path) -> Result<Self, DecisionsError> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(|source| DecisionsError::Read { path: path.to_owned(), source })?,
        };
        let damaged = |line: usize, source| DecisionsError::Damaged { path: path.to_owned(), line: line + 1, source };
        let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
        let decisions = lines.map(|(number, line)| {
            let decision: Decision = serde_json::from_slice(line).map_err(|source| damaged(number, source))?;
            Ok((decision.offset, decision))
        });
        Ok(Self(decisions.collect::<Result<_, _>>()?))
    }

    /// Replaces the file: after a crash it is the old one or the new one.
    pub(crate) fn save(&self, path: &Path) -> io::Result<()> {
        let mut text = String::new();
        for decision in self.all() {
            text.push_str(&serde_json::to_string(decision)?);
            text.push('\n');
        }
        replace(path, text.as_bytes())
    }

    #[must_use]
    pub(crate) fn with(mut self, decision: Decision) -> Self {
        self.0.insert(decision.offset, decision);
        self
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Decision> {
        self.0.values()
    }

    /// Whether the record at an offset is passed over.
    pub(crate) fn holds(&self, offset: u64) -> bool {
        self.0.contains_key(&offset)
    }

    /// Those about records before that offset.
    pub(crate) fn before(&self, offset: u64) -> impl Iterator<Item = &Decision> {
        self.0.range(..offset).map(|(_, decision)| decision)
    }

    /// Whether a record before that offset is.
    pub(crate) fn any_before(&self, offset: u64) -> bool {
        self.0.first_key_value().is_some_and(|(first, _)| *first < offset)
    }
}

/// Puts a file in the place of another, on the disk before it returns.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), |parent| std::fs::File::open(parent)?.sync_all())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn decisions_come_back_from_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let path = Decisions::path(directory.path(), "deals");
        assert_eq!(Decisions::read(&path).unwrap(), Decisions::default());
        let decision = |offset| Decision { offset, by: "ann".into(), at: 5, reason: "a \"bad\" record\n".into() };
        let decisions = Decisions::default().with(decision(7)).with(decision(3));
        decisions.save(&path).unwrap();
        let read = Decisions::read(&path).unwrap();
        assert_eq!(read, decisions);
        assert!(read.holds(3) && read.holds(7) && !read.holds(5));
        assert!(!read.any_before(3) && read.any_before(4));
        std::fs::write(&path, "{\"offset\":").unwrap();
        assert!(Decisions::read(&path).is_err(), "a file that is cut off is not taken for an empty one");
    }
}
