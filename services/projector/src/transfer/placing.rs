//! Where imported rows belong, and putting them there.

use std::fs::File;
use std::path::Path;

use pactum_journal::Genesis;
use pactum_store::Shared;
use pactum_views::View;

use super::error::ImportError;
use super::importing::{Imported, Importing};
use super::manifest::ExportedView;
use crate::builds::Builds;
use crate::decisions::{Decisions, replace};
use crate::store::ViewStore;

/// A file in the directory of rows that were imported, with what tells their export from every other.
const IMPORTED: &str = "imported";

/// The place of a view in a directory of views.
pub(super) struct Place<'m> {
    pub(super) exported: &'m ExportedView,
    pub(super) view: &'static dyn View,
    builds: Builds,
    directory: std::path::PathBuf,
    target: Target,
}

enum Target {
    /// There are no rows of this version.
    Empty,
    /// They are to answer instead of others.
    Beside,
    /// They are there: this build.
    Taken(String),
}

impl<'m> Place<'m> {
    /// Finds it, and whether rows may be put there.
    pub(super) fn find(
        importing: &Importing<'_>,
        exported: &'m ExportedView,
        view: &'static dyn View,
    ) -> Result<Self, ImportError> {
        let directory = importing.data.join(exported.partition.to_string());
        let builds = Builds::of(&directory, view);
        let files = ImportError::files(&directory);
        let list = builds.list().and_then(|list| Ok((list, builds.live()?)));
        let (list, live) = list.map_err(files)?;
        let of_this_version = |name: &&String| builds.view_of(name).is_some_and(|of| of.version() == exported.version);
        let is_same = |name: &&String| {
            let imported = std::fs::read_to_string(builds.path(name).join(IMPORTED));
            imported.is_ok_and(|digest| digest == exported.digest())
        };
        let target = match list.iter().find(of_this_version) {
            None => Target::Empty,
            Some(_) if list.iter().any(|name| *name == live && is_same(&name)) => Target::Taken(live),
            Some(_) if importing.replace => Target::Beside,
            Some(_) => return Err(ImportError::Exists { partition: exported.partition, build: live }),
        };
        let place = Self { exported, view, builds, directory, target };
        place.may_decide()?;
        Ok(place)
    }

    pub(super) fn is_taken(&self) -> bool {
        matches!(self.target, Target::Taken(_))
    }

    fn decisions(&self) -> std::path::PathBuf {
        Decisions::path(&self.directory, &self.exported.view)
    }

    /// Rows are a function of the log and of the decisions, so those about what the rows hold must be the same.
    fn may_decide(&self) -> Result<(), ImportError> {
        let path = self.decisions();
        let here = Decisions::read(&path).map_err(|error| ImportError::Here(Box::new(error)))?;
        let here: Vec<u64> = here.before(self.exported.offset).map(|decision| decision.offset).collect();
        let exported: Vec<u64> = self.exported.passed_over.iter().map(|decision| decision.offset).collect();
        // Without rows of its own it has decided nothing that these rows were not made under.
        let is_free = matches!(self.target, Target::Empty) && here.iter().all(|offset| exported.contains(offset));
        if here == exported || is_free {
            return Ok(());
        }
        let text = |offsets: &[u64]| match offsets {
            [] => "no offset".to_owned(),
            offsets => offsets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        let ExportedView { view, partition, .. } = self.exported;
        Err(ImportError::OtherDecisions {
            view: view.clone(),
            partition: *partition,
            exported: text(&exported),
            here: text(&here),
            decisions: path,
        })
    }

    /// Puts the rows there: a crash leaves them there or not.
    pub(super) fn put(&self, draft: &Path) -> Result<Imported, ImportError> {
        let ExportedView { partition, view, offset, .. } = self.exported;
        let imported = |build: String, was_there| Imported {
            partition: *partition,
            view: view.clone(),
            build,
            offset: *offset,
            bytes: self.exported.bytes(),
            was_there,
        };
        let build = match &self.target {
            Target::Taken(build) => return Ok(imported(build.clone(), true)),
            Target::Empty => self.builds.first(),
            Target::Beside => self.builds.next().map_err(ImportError::files(&self.directory))?,
        };
        let path = self.builds.path(&build);
        let failed = || ImportError::files(&path);
        replace(&draft.join(IMPORTED), self.exported.digest().as_bytes()).map_err(failed())?;
        std::fs::create_dir_all(&self.directory).map_err(failed())?;
        // Decisions without the rows only say what a fold from zero passes over, too.
        self.decide()?;
        std::fs::rename(draft, &path).and_then(|()| File::open(&self.directory)?.sync_all()).map_err(failed())?;
        // Not before the rows are in place: what never answered goes at the next start.
        self.builds.set_live(&build).map_err(failed())?;
        Ok(imported(build, false))
    }

    fn decide(&self) -> Result<(), ImportError> {
        if self.exported.passed_over.is_empty() {
            return Ok(());
        }
        let path = self.decisions();
        let here = Decisions::read(&path).map_err(|error| ImportError::Here(Box::new(error)))?;
        let all = self.exported.passed_over.iter().fold(here, |all, decision| all.with(decision.clone()));
        all.save(&path).map_err(ImportError::files(&path))
    }
}

/// The log that the views of a partition were folded from, if there are any.
pub(super) fn log_of(partition: &Path, views: &[&'static dyn View]) -> Result<Option<(u128, u32)>, ImportError> {
    for view in views {
        let builds = Builds::of(partition, *view);
        let live = builds.live().map_err(ImportError::files(partition))?;
        let Some(of) = builds.view_of(&live).filter(|_| builds.path(&live).is_dir()) else { continue };
        // One that cannot be read says nothing; the projector sees to it.
        let looked = ViewStore::look(&builds.path(&live), of, &Shared::default());
        let position = looked.and_then(|rows| rows.position());
        if let Some(Genesis { log_id, partitions, .. }) = position.ok().and_then(|position| position.genesis) {
            return Ok(Some((log_id, partitions)));
        }
    }
    Ok(None)
}
