//! Copies of a database that is not open, made of hard links.

use crate::StoreError;
use crate::error::Place;
use std::fs;
use std::path::Path;

/// Copies the closed, rebuildable database in `from` into the new directory `to`. Files of rows never change once written, so
/// they are hard links, which takes no space; everything else is small and copied. Both have to be on one filesystem. The copy
/// is not fsynced: it is for what may be made again.
pub fn link(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), StoreError> {
    let (from, to) = (from.as_ref(), to.as_ref());
    let place = Place { path: to, rebuildable: true };
    fs::create_dir(to).map_err(|error| place.io("make the directory", &error))?;
    let source = Place { path: from, rebuildable: true };
    let entries = fs::read_dir(from).map_err(|error| source.io("list the directory", &error))?;
    for entry in entries {
        let path = entry.map_err(|error| source.io("list the directory", &error))?.path();
        let Some(name) = path.file_name() else { continue };
        if name == "LOCK" || name == "LOG" || name == "owner.lock" || !path.is_file() {
            continue;
        }
        let target = to.join(name);
        if path.extension().is_some_and(|kind| kind == "sst") {
            fs::hard_link(&path, &target).map_err(|error| place.io("link a file", &error))?;
        } else {
            fs::copy(&path, &target).map_err(|error| place.io("copy a file", &error))?;
        }
    }
    Ok(())
}
