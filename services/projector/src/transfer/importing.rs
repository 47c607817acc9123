//! Into a data directory that no projector uses.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use pactum_log::Partition;
use pactum_store::Shared;
use pactum_views::View;
use sha2::{Digest as _, Sha256};

use super::error::ImportError;
use super::manifest::{ExportedFile, ExportedView, Manifest, hex};
use super::placing::{Place, log_of};
use super::{IMPORTS, remove_drafts};
use crate::builds::remove_if_there;
use crate::lock::DirectoryLock;
use crate::store::ViewStore;

/// How much of a file is copied at once.
const PIECE: usize = 256 * 1024;

/// What is to be imported.
#[derive(Clone)]
pub struct Importing<'a> {
    /// The directory of the export.
    pub from: &'a Path,
    /// The directory of the views.
    pub data: &'a Path,
    /// The views that this program has.
    pub views: &'a [&'static dyn View],
    /// Those of these names; all where there is none.
    pub named: &'a [String],
    /// Of this partition; of all where there is none.
    pub partition: Option<Partition>,
    /// Whether imported rows take the place of rows that are there.
    pub replace: bool,
    /// The id of the log that the projector folds, and its number of partitions, where they are known. Views that are there
    /// say so, too.
    pub log: Option<(u128, u32)>,
}

/// A view that was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The partition.
    pub partition: Partition,
    /// The view.
    pub view: String,
    /// The build that answers from now on.
    pub build: String,
    /// The offset from which its projector goes on.
    pub offset: u64,
    /// The bytes of its files.
    pub bytes: u64,
    /// It was there already, imported from this export before.
    pub was_there: bool,
}

/// Imports views. `progress` is told of bytes copied, and of how many more there are. Blocks on the disk.
///
/// All of them are copied and checked before the first takes its place. After an error none has, unless the disk failed in
/// between; the same import can be begun again after any error and any crash.
///
/// # Errors
/// [`ImportError`], which says what to do.
pub fn import(importing: &Importing<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<Imported>, ImportError> {
    let manifest = Manifest::read(importing.from)?;
    let chosen = choose(importing, &manifest)?;
    let data = importing.data;
    let _lock = DirectoryLock::take(data)?;
    remove_drafts(data).map_err(ImportError::files(data))?;
    let mut places = Vec::new();
    for (exported, view) in chosen {
        let here = match importing.log {
            Some(log) => Some(log),
            None => log_of(&data.join(exported.partition.to_string()), importing.views)?,
        };
        is_of(exported, here)?;
        places.push(Place::find(importing, exported, view)?);
    }
    let drafts = data.join(IMPORTS);
    let imported = bring(importing.from, &places, &drafts, progress);
    // After an error nothing of it is left.
    remove_if_there(&drafts).map_err(ImportError::files(&drafts))?;
    imported
}

fn bring(
    from: &Path,
    places: &[Place<'_>],
    drafts: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Imported>, ImportError> {
    let mut drafted = Vec::new();
    for (number, place) in places.iter().enumerate() {
        let draft = drafts.join(number.to_string());
        if !place.is_taken() {
            progress(0, place.exported.bytes());
            copy(from, place.exported, &draft, progress)?;
            check(from, place.exported, place.view, &draft)?;
        }
        drafted.push(draft);
    }
    places.iter().zip(&drafted).map(|(place, draft)| place.put(draft)).collect()
}

type Chosen<'m> = Vec<(&'m ExportedView, &'static dyn View)>;

/// The views asked for, if this program folds them.
fn choose<'m>(importing: &Importing<'_>, manifest: &'m Manifest) -> Result<Chosen<'m>, ImportError> {
    let is_asked_for = |exported: &&ExportedView| {
        let named = importing.named.is_empty() || importing.named.contains(&exported.view);
        named && importing.partition.is_none_or(|partition| partition == exported.partition)
    };
    let missing = importing.named.iter().find(|name| !manifest.views.iter().any(|exported| exported.view == **name));
    let chosen: Vec<_> = manifest.views.iter().filter(is_asked_for).collect();
    if chosen.is_empty() || missing.is_some() {
        let held =
            manifest.views.iter().map(|exported| format!("{} of partition {}", exported.view, exported.partition));
        return Err(ImportError::NotInIt(held.collect::<Vec<_>>().join(", ")));
    }
    let with_view = |exported: &'m ExportedView| {
        let view = importing.views.iter().find(|view| view.name() == exported.view);
        let view = *view.ok_or_else(|| ImportError::UnknownView(exported.view.clone()))?;
        if view.version() != exported.version {
            let ExportedView { view: name, version, .. } = exported;
            let here = view.version();
            return Err(ImportError::OtherVersion { view: name.clone(), exported: *version, here });
        }
        Ok((exported, view))
    };
    chosen.into_iter().map(with_view).collect()
}

/// Whether it was folded from the log that is folded here.
fn is_of(exported: &ExportedView, here: Option<(u128, u32)>) -> Result<(), ImportError> {
    let said = |id: &str, partitions: u32| format!("{id} with {partitions} partitions");
    match here {
        Some((id, partitions))
            if (format!("{id:032x}"), partitions) != (exported.log_id.clone(), exported.partitions) =>
        {
            let exported = said(&exported.log_id, exported.partitions);
            Err(ImportError::OtherLog { exported, here: said(&format!("{id:032x}"), partitions) })
        }
        _ => Ok(()),
    }
}

/// Copies a view's files and checks each on the way.
fn copy(
    from: &Path,
    exported: &ExportedView,
    draft: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), ImportError> {
    std::fs::create_dir_all(draft).map_err(ImportError::files(draft))?;
    let mut piece = vec![0; PIECE];
    for ExportedFile { name, bytes, sha256 } in &exported.files {
        let (source, target) = (exported.directory(from).join(name), draft.join(name));
        let damaged = |why: String| ImportError::Damaged { path: source.clone(), why };
        let mut read = match File::open(&source) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ImportError::Missing(source)),
            open => open.map_err(ImportError::files(&source))?,
        };
        let length = read.metadata().map_err(ImportError::files(&source))?.len();
        if length != *bytes {
            return Err(damaged(format!("it has {length} bytes and should have {bytes}")));
        }
        let mut write = File::create(&target).map_err(ImportError::files(&target))?;
        let mut hash = Sha256::new();
        loop {
            let here = read.read(&mut piece).map_err(ImportError::files(&source))?;
            if here == 0 {
                break;
            }
            hash.update(&piece[..here]);
            write.write_all(&piece[..here]).map_err(ImportError::files(&target))?;
            progress(here as u64, 0);
        }
        if hex(&hash.finalize()) != *sha256 {
            return Err(damaged("its digest is another".to_owned()));
        }
        write.sync_all().map_err(ImportError::files(&target))?;
    }
    Ok(())
}

/// Whether the copy is a view's database, at the place that the manifest tells.
fn check(from: &Path, exported: &ExportedView, view: &'static dyn View, draft: &Path) -> Result<(), ImportError> {
    let damaged = |why: String| ImportError::Damaged { path: exported.directory(from), why };
    let looked = ViewStore::look(draft, view, &Shared::default()).and_then(|rows| rows.position());
    let position = looked.map_err(|error| damaged(crate::fold::chain(&error)))?;
    if exported.is_at(&position) {
        return Ok(());
    }
    Err(damaged(format!("its rows hold up to offset {}, the manifest says {}", position.offset, exported.offset)))
}
