//! The directories of a view of a partition, and which of them answers.
//!
//! | name | what |
//! |---|---|
//! | `deals@1` | the first build of version 1 |
//! | `deals@1+2` | another build of it, made beside it |
//! | `deals@1.live` | a file with the name of the build that answers; without it the newest that ever did, or else the first |
//!
//! A build that has answered has a file `answered`. One without it was cut off, and goes at the next start; the others stay
//! until they are dropped. The file `damaged` in a build says what was found to be wrong with it.
//!
//! A program that also folds an earlier version ([`View::previous`]) has the rows of that one answer until its own have
//! caught up, and can go back to them: `deals@2.live` may then name `deals@1`.
//!
//! What is to go is first given a name that no build has, so that a crash leaves none of which half is there.

use std::io;
use std::path::{Path, PathBuf};

use pactum_views::View;

use crate::decisions::replace;

/// A file in the directory of a build that answers, or did.
const ANSWERED: &str = "answered";
/// A file in the directory of a build whose files are damaged, with what was found.
const DAMAGED: &str = "damaged";
/// Behind the name of a build whose files are damaged and were put aside.
const ASIDE: &str = ".damaged";
/// Behind the name of one that is being removed.
const DROPPED: &str = ".dropped";
/// Behind the name of the rows of a fold from zero to compare with.
pub(crate) const VERIFY: &str = ".verify";

/// The directories of a view of a partition.
#[derive(Clone)]
pub(crate) struct Builds {
    partition: PathBuf,
    view: &'static dyn View,
}

impl Builds {
    pub(crate) fn of(partition: &Path, view: &'static dyn View) -> Self {
        Self { partition: partition.to_owned(), view }
    }

    /// The name of the first build of this version.
    pub(crate) fn first(&self) -> String {
        format!("{}@{}", self.view.name(), self.view.version())
    }

    fn pointer(&self) -> PathBuf {
        self.partition.join(format!("{}.live", self.first()))
    }

    /// The name of the build that answers, once it is there.
    pub(crate) fn live(&self) -> io::Result<String> {
        let named = self.pointed()?;
        if let Some(name) = named.as_ref().filter(|name| self.view_of(name).is_some() && self.path(name).is_dir()) {
            return Ok(name.clone());
        }
        let answered = self.list()?.into_iter().filter(|name| self.has_answered(name));
        let newest = answered.filter_map(|name| Some((self.number(&name)?, name))).max();
        let instead = newest.map_or_else(|| self.first(), |(_, name)| name);
        if let Some(gone) = named {
            tracing::warn!(view = self.view.name(), gone, instead, "the build that answered is gone; another does");
        }
        Ok(instead)
    }

    /// What the file says that names the build that answers, if there is one. What is damaged names none.
    fn pointed(&self) -> io::Result<Option<String>> {
        match std::fs::read(self.pointer()) {
            Ok(name) => Ok(Some(String::from_utf8_lossy(&name).into_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The build of an earlier version that answers until this version has rows that do: none where one ever answered, or
    /// where there is none.
    pub(crate) fn earlier(&self) -> io::Result<Option<(String, &'static dyn View)>> {
        if self.pointed()?.is_some()
            || self.list()?.iter().any(|name| self.number(name).is_some() && self.has_answered(name))
        {
            return Ok(None);
        }
        for view in versions(self.view).skip(1) {
            let name = Self::of(&self.partition, view).live()?;
            if let Some(of) = self.view_of(&name).filter(|_| self.path(&name).is_dir()) {
                return Ok(Some((name, of)));
            }
        }
        Ok(None)
    }

    /// From now on this build answers, also after a crash.
    pub(crate) fn set_live(&self, name: &str) -> io::Result<()> {
        replace(&self.path(name).join(ANSWERED), b"")?;
        replace(&self.pointer(), name.as_bytes())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.partition.join(name)
    }

    pub(crate) fn has_answered(&self, name: &str) -> bool {
        self.path(name).join(ANSWERED).exists()
    }

    /// A name for another build of this version.
    pub(crate) fn next(&self) -> io::Result<String> {
        let last = self.list()?.iter().filter_map(|name| self.number(name)).max().unwrap_or(0);
        Ok(format!("{}+{}", self.first(), last.max(1) + 1))
    }

    /// Every build there is, of other versions too, sorted.
    pub(crate) fn list(&self) -> io::Result<Vec<String>> {
        let mut names = self.directories()?;
        names.retain(|name| is_build(name, self.view.name()));
        names.sort();
        Ok(names)
    }

    fn directories(&self) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(&self.partition) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }

    /// Removes what a crash left: builds that never answered, and what was being removed. To be called while nothing is built.
    pub(crate) fn remove_unfinished(&self) -> io::Result<()> {
        let live = self.live()?;
        for name in self.list()? {
            let is_later = versions(self.view).any(|view| number(view, &name).is_some_and(|number| number > 1));
            if name != live && is_later && !self.has_answered(&name) {
                tracing::warn!(build = name, "a rebuild was cut off; its files go, and it can be begun again");
                self.remove(&name)?;
            } else if name != live
                && let Some(why) = self.damage(&name)
            {
                self.set_aside(&name, &why)?;
            }
        }
        for name in self.directories()? {
            let is_rest = |end| name.strip_suffix(end).is_some_and(|build| is_build(build, self.view.name()));
            if is_rest(DROPPED) || is_rest(VERIFY) {
                std::fs::remove_dir_all(self.path(&name))?;
            }
        }
        Ok(())
    }

    /// Removes a build that nobody uses.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        let dropped = self.path(&format!("{name}{DROPPED}"));
        remove_if_there(&dropped)?;
        std::fs::rename(self.path(name), &dropped)?;
        std::fs::remove_dir_all(dropped)
    }

    /// Takes a build whose files are damaged, and which nobody uses, out of the way. It is kept for whoever looks into it.
    pub(crate) fn set_aside(&self, name: &str, why: &str) -> io::Result<()> {
        let aside = self.path(&format!("{name}{ASIDE}"));
        remove_if_there(&aside)?;
        std::fs::rename(self.path(name), &aside)?;
        std::fs::File::open(&self.partition)?.sync_all()?;
        let aside = aside.display().to_string();
        tracing::error!(build = name, why, aside, "rows of a view are damaged and were put aside");
        Ok(())
    }

    /// Writes down that a build is damaged.
    pub(crate) fn note_damage(&self, name: &str, why: &str) -> io::Result<()> {
        replace(&self.path(name).join(DAMAGED), why.as_bytes())
    }

    /// What was written down about damage of a build.
    pub(crate) fn damage(&self, name: &str) -> Option<String> {
        let why = std::fs::read(self.path(name).join(DAMAGED)).ok()?;
        Some(String::from_utf8_lossy(&why).into_owned())
    }

    /// The view, of the version of a build; none where this program does not fold that.
    pub(crate) fn view_of(&self, name: &str) -> Option<&'static dyn View> {
        versions(self.view).find(|view| number(*view, name).is_some())
    }

    fn number(&self, name: &str) -> Option<u32> {
        number(self.view, name)
    }
}

/// Which build of a version it is, from 1; none where it is of another.
fn number(view: &dyn View, name: &str) -> Option<u32> {
    match name.strip_prefix(&format!("{}@{}", view.name(), view.version()))? {
        "" => Some(1),
        rest => rest.strip_prefix('+')?.parse().ok(),
    }
}

/// The versions of a view that this program folds, the newest first.
fn versions(view: &'static dyn View) -> impl Iterator<Item = &'static dyn View> {
    std::iter::successors(Some(view), |view| view.previous())
}

/// Whether a directory's name is that of a build: `{view}@{version}`, and for others than the first `+{number}`.
fn is_build(name: &str, view: &str) -> bool {
    let Some(rest) = name.strip_prefix(view).and_then(|rest| rest.strip_prefix('@')) else { return false };
    let (version, number) = rest.split_once('+').unwrap_or((rest, "1"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(version) && is_number(number)
}

/// Removes a directory with all that is in it.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
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
        assert_eq!((builds.live().unwrap().as_str(), builds.list().unwrap().len()), ("deals@2", 0));
        let make = |name: &str| std::fs::create_dir(directory.path().join(name)).unwrap();
        for name in ["deals@2", "deals@2.verify", "deals@2+7.dropped", "deals@0", "deal_orders@1", "deals@x"] {
            make(name);
        }
        assert_eq!(builds.list().unwrap(), ["deals@0", "deals@2"]);
        assert_eq!(builds.next().unwrap(), "deals@2+2");
        make("deals@2+2");
        assert_eq!(builds.live().unwrap(), "deals@2");
        builds.set_live("deals@2+2").unwrap();
        make("deals@2+10");
        assert_eq!(builds.next().unwrap(), "deals@2+11");
        builds.remove_unfinished().unwrap();
        assert_eq!(builds.list().unwrap(), ["deals@0", "deals@2", "deals@2+2"]);
        assert!(!directory.path().join("deals@2.verify").exists());
        assert!(!directory.path().join("deals@2+7.dropped").exists());
        builds.set_aside("deals@2+2", "a test").unwrap();
        assert_eq!(builds.live().unwrap(), "deals@2");
    }

    #[test]
    fn a_pointer_that_is_damaged_is_as_none() {
        let directory = tempfile::tempdir().unwrap();
        let builds = Builds::of(directory.path(), &Deals);
        for name in ["deals@2", "deals@2+2", "deals@2+3"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        builds.set_live("deals@2+2").unwrap();
        for damaged in [&b""[..], b"deals@2+", b"deals@2+3\0", b"\xff\xfe"] {
            std::fs::write(directory.path().join("deals@2.live"), damaged).unwrap();
            assert_eq!(builds.live().unwrap(), "deals@2+2", "{damaged:?}");
        }
    }
}
