//! From a data directory that is not in use.

use std::path::Path;
use std::sync::Arc;

use pactum_log::Partition;
use pactum_store::Shared;
use pactum_views::View;

use super::error::ExportError;
use super::manifest::Manifest;
use super::taking::Taken;
use super::writing::Writing;
use super::{EXPORTS, remove_drafts};
use crate::builds::{Builds, remove_if_there};
use crate::decisions::Decisions;
use crate::lock::DirectoryLock;
use crate::opening::OpenError;
use crate::store::ViewStore;

/// Exports the views of a directory that no projector uses: those named, all where none is; of one partition, or of all.
/// `progress` is told of bytes written, and of how many more there are. Blocks on the disk.
///
/// # Errors
/// [`ExportError`].
pub fn export(
    data: &Path,
    views: &[&'static dyn View],
    named: &[String],
    partition: Option<Partition>,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, ExportError> {
    if !data.is_dir() {
        return Err(ExportError::NothingThere(data.to_owned()));
    }
    let _lock = DirectoryLock::take(data)?;
    remove_drafts(data).map_err(ExportError::files(data))?;
    let found = find(data, views, named, partition)?;
    let mut writing = Writing::begin(to)?;
    let mut any = false;
    for (partition, view, builds) in found {
        let taken = match take(data, partition, view, &builds) {
            // One without entries is built in no time.
            Err(ExportError::Empty { .. }) => continue,
            taken => taken?,
        };
        any = true;
        progress(0, taken.view.bytes());
        let mut of_view = writing.view(taken.view.clone())?;
        let mut failed = None;
        let digests = taken.read(&mut |piece| match of_view.write(piece) {
            Ok(()) => {
                progress(piece.len() as u64, 0);
                true
            }
            Err(error) => {
                failed = Some(error);
                false
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        of_view.end(&digests.unwrap_or_default())?;
    }
    if !any {
        return Err(ExportError::NothingThere(data.to_owned()));
    }
    let manifest = writing.finish()?;
    let exports = data.join(EXPORTS);
    remove_if_there(&exports).map_err(ExportError::files(&exports))?;
    Ok(manifest)
}

type Found = Vec<(Partition, &'static dyn View, Builds)>;

fn find(
    data: &Path,
    views: &[&'static dyn View],
    named: &[String],
    partition: Option<Partition>,
) -> Result<Found, ExportError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(data).map_err(ExportError::files(data))? {
        let entry = entry.map_err(ExportError::files(data))?;
        let Some(of) = entry.file_name().to_str().and_then(|name| name.parse::<Partition>().ok()) else { continue };
        if partition.is_some_and(|wanted| wanted != of) {
            continue;
        }
        for view in
            views.iter().copied().filter(|view| named.is_empty() || named.iter().any(|name| name == view.name()))
        {
            found.push((of, view, Builds::of(&entry.path(), view)));
        }
    }
    found.sort_by_key(|(partition, ..)| *partition);
    Ok(found)
}

fn take(data: &Path, partition: Partition, view: &'static dyn View, builds: &Builds) -> Result<Taken, ExportError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
        ExportError::Open(OpenError::View { view: view.name(), partition, source })
    };
    let name = builds.live().map_err(|error| failed(error.into()))?;
    let path = builds.path(&name);
    let of = builds.view_of(&name).filter(|_| path.is_dir());
    let Some(of) = of else { return Err(ExportError::Empty { view: view.name().to_owned(), partition }) };
    let shared = Shared::default();
    let store = ViewStore::open(&path, of, &shared).map_err(|error| failed(error.into()))?;
    let decided = Decisions::path(&data.join(partition.to_string()), view.name());
    let decisions = Arc::new(Decisions::read(&decided).map_err(|error| failed(error.into()))?);
    Taken::of(data, partition, &store, || decisions, &shared)
}
