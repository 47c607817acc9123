//! The directories of a view of a partition, and which of them answers.
//!
//! | name | what |
//! |---|---|
//! | `deals@1` | the first build of version 1 |
//! | `deals@1+2` | another build of it, made beside it |
//! | `deals@1.live` | a file with the name of the build that answers; without it the first one does |
//!
//! A build that has answered has a file `answered`. One without it was cut off, and goes at the next start; the others stay
//! until they are dropped.

use std::io;
use std::path::{Path, PathBuf};

use pactum_views::View;

use crate::decisions::replace;

/// A file in the directory of a build that answers, or did.
const ANSWERED: &str = "answered";

/// The directories of a view of a partition.
#[derive(Clone, Debug)]
pub(crate) struct Builds {
    partition: PathBuf,
    view: &'static str,
    version: u32,
}

impl Builds {
    pub(crate) fn of(partition: &Path, view: &dyn View) -> Self {
        Self { partition: partition.to_owned(), view: view.name(), version: view.version() }
    }

    fn first(&self) -> String {
        format!("{}@{}", self.view, self.version)
    }

    fn pointer(&self) -> PathBuf {
        self.partition.join(format!("{}.live", self.first()))
    }

    /// The name of the build that answers.
    pub(crate) fn live(&self) -> io::Result<String> {
        match std::fs::read_to_string(self.pointer()) {
            Ok(name) if self.number(&name).is_some() && self.path(&name).is_dir() => Ok(name),
            Ok(name) => {
                let first = self.first();
                tracing::warn!(
                    view = self.view,
                    name,
                    first,
                    "the build that answered is gone; another takes its place"
                );
                Ok(first)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.first()),
            Err(error) => Err(error),
        }
    }

    /// From now on this build answers, also after a crash.
    pub(crate) fn set_live(&self, name: &str) -> io::Result<()> {
        replace(&self.path(name).join(ANSWERED), b"")?;
        replace(&self.pointer(), name.as_bytes())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.partition.join(name)
    }

    /// A name for another build of this version.
    pub(crate) fn next(&self) -> io::Result<String> {
        let last = self.list()?.iter().filter_map(|name| self.number(name)).max().unwrap_or(0);
        Ok(format!("{}+{}", self.first(), last.max(1) + 1))
    }

    /// Every build there is, of other versions too, sorted.
    pub(crate) fn list(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.partition) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() && is_build(&name, self.view) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes what a crash left of builds of this version that never answered.
    pub(crate) fn remove_unfinished(&self) -> io::Result<()> {
        let live = self.live()?;
        let is_cut_off = |name: &&String| {
            let is_later = self.number(name).is_some_and(|number| number > 1);
            is_later && **name != live && !self.path(name).join(ANSWERED).exists()
        };
        for name in self.list()?.iter().filter(is_cut_off) {
            tracing::warn!(build = name, "a rebuild was cut off; its files go, and it can be begun again");
            std::fs::remove_dir_all(self.path(name))?;
        }
        Ok(())
    }

    /// Whether this program folds it.
    pub(crate) fn is_of_this_version(&self, name: &str) -> bool {
        self.number(name).is_some()
    }

    /// Which build of this version it is, from 1; none where it is of another.
    fn number(&self, name: &str) -> Option<u32> {
        match name.strip_prefix(&self.first())? {
            "" => Some(1),
            rest => rest.strip_prefix('+')?.parse().ok(),
        }
    }
}

/// Whether a directory's name is that of a build: `{view}@{version}`, and for others than the first `+{number}`.
fn is_build(name: &str, view: &str) -> bool {
    let Some(rest) = name.strip_prefix(view).and_then(|rest| rest.strip_prefix('@')) else { return false };
    let (version, number) = rest.split_once('+').unwrap_or((rest, "1"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(version) && is_number(number)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use pactum_views::deals::Deals;

    #[test]
    fn the_newest_that_ever_answered_answers_and_what_was_cut_off_goes() {
        let directory = tempfile::tempdir().unwrap();
        let builds = Builds::of(directory.path(), &Deals);
        assert_eq!((builds.live().unwrap().as_str(), builds.list().unwrap().len()), ("deals@1", 0));
        let make = |name: &str| std::fs::create_dir(directory.path().join(name)).unwrap();
        for name in ["deals@1", "deals@1.verify", "deals@0", "deal_orders@1", "deals@x"] {
            make(name);
        }
        assert_eq!(builds.list().unwrap(), ["deals@0", "deals@1"]);
        assert_eq!(builds.next().unwrap(), "deals@1+2");
        make("deals@1+2");
        assert_eq!(builds.live().unwrap(), "deals@1");
        builds.set_live("deals@1+2").unwrap();
        make("deals@1+10");
        assert_eq!(builds.next().unwrap(), "deals@1+11");
        builds.remove_unfinished().unwrap();
        assert_eq!(builds.list().unwrap(), ["deals@0", "deals@1", "deals@1+2"]);
        std::fs::remove_dir_all(directory.path().join("deals@1+2")).unwrap();
        assert_eq!(builds.live().unwrap(), "deals@1");
    }
}
