//! Making the directory of an export.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::ExportError;
use super::manifest::{ExportedFile, ExportedView, FORMAT, Manifest, hex};
use super::taking::texts;
use crate::builds::remove_if_there;

/// Behind the name of an export that is being made.
const INCOMPLETE: &str = "incomplete";

/// An export that is being made. It gets its name when it is finished; what was begun before under the same name is removed.
#[derive(Debug)]
pub struct Writing {
    to: PathBuf,
    draft: PathBuf,
    views: Vec<ExportedView>,
}

/// A view of it.
#[derive(Debug)]
pub struct ViewWriting<'a> {
    export: &'a mut Writing,
    view: ExportedView,
    directory: PathBuf,
    /// Files that were begun: the last one is open, the others are on the disk.
    begun: usize,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    hash: Sha256,
    left: u64,
}

impl Writing {
    /// Begins an export into the directory `to`, which must not be there, or be empty.
    ///
    /// # Errors
    /// [`ExportError::Exists`], or [`ExportError::Files`].
    pub fn begin(to: &Path) -> Result<Self, ExportError> {
        let is_empty = match std::fs::read_dir(to) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => false,
            Err(error) => return Err(ExportError::files(to)(error)),
        };
        if !is_empty || to.file_name().is_none() {
            return Err(ExportError::Exists(to.to_owned()));
        }
        let draft = to.with_added_extension(INCOMPLETE);
        remove_if_there(&draft).and_then(|()| std::fs::create_dir_all(&draft)).map_err(ExportError::files(&draft))?;
        Ok(Self { to: to.to_owned(), draft, views: Vec::new() })
    }

    /// Begins a view. Its files' bytes come next, one file after another in their order; their digests come last.
    ///
    /// # Errors
    /// [`ExportError::Broken`] where its names are none, or [`ExportError::Files`].
    pub fn view(&mut self, view: ExportedView) -> Result<ViewWriting<'_>, ExportError> {
        if let Some(why) = view.bad_name() {
            return Err(ExportError::Broken(why));
        }
        let directory = view.directory(&self.draft);
        std::fs::create_dir_all(&directory).map_err(ExportError::files(&directory))?;
        Ok(ViewWriting { export: self, view, directory, begun: 0, open: None })
    }

    /// Writes the manifest and gives the export its name.
    ///
    /// # Errors
    /// [`ExportError::Files`].
    pub fn finish(self) -> Result<Manifest, ExportError> {
        let made_by = env!("CARGO_PKG_VERSION").to_owned();
        let manifest = Manifest { format: FORMAT, made_by, views: self.views };
        for view in &manifest.views {
            for directory in view.directory(&self.draft).ancestors().take(2) {
                sync(directory).map_err(ExportError::files(directory))?;
            }
        }
        manifest.write(&self.draft).map_err(ExportError::files(&self.draft))?;
        std::fs::rename(&self.draft, &self.to).map_err(ExportError::files(&self.to))?;
        if let Some(parent) = self.to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync(parent).map_err(ExportError::files(parent))?;
        }
        Ok(manifest)
    }
}

fn sync(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

impl ViewWriting<'_> {
    /// Writes on.
    ///
    /// # Errors
    /// [`ExportError::Broken`] where there are more bytes than files, or [`ExportError::Files`].
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), ExportError> {
        while !bytes.is_empty() {
            if self.open.as_ref().is_none_or(|open| open.left == 0) && !self.next()? {
                return Err(ExportError::Broken("more bytes than files".to_owned()));
            }
            let Some(open) = &mut self.open else { continue };
            let here = bytes.len().min(usize::try_from(open.left).unwrap_or(usize::MAX));
            let (now, later) = bytes.split_at(here);
            open.file.write_all(now).map_err(ExportError::files(&self.directory))?;
            open.hash.update(now);
            open.left -= here as u64;
            bytes = later;
        }
        Ok(())
    }

    /// Brings the open file to the disk, and begins the next one. False: there is none.
    fn next(&mut self) -> Result<bool, ExportError> {
        if let Some(open) = self.open.take() {
            let file = &mut self.view.files[self.begun - 1];
            if open.left > 0 {
                return Err(ExportError::Broken(format!("{} bytes of {} did not come", open.left, file.name)));
            }
            open.file.sync_all().map_err(ExportError::files(&self.directory))?;
            file.sha256 = hex(&open.hash.finalize());
        }
        let Some(ExportedFile { name, bytes, .. }) = self.view.files.get(self.begun) else { return Ok(false) };
        let path = self.directory.join(name);
        let file = File::create(&path).map_err(ExportError::files(&path))?;
        self.open = Some(Open { file, hash: Sha256::new(), left: *bytes });
        self.begun += 1;
        Ok(true)
    }

    /// Ends the view. Its files must have these digests.
    ///
    /// # Errors
    /// [`ExportError::Broken`] where they have others, or something is missing; [`ExportError::Files`].
    pub fn end(mut self, digests: &[[u8; 32]]) -> Result<(), ExportError> {
        while self.next()? {}
        let found: Vec<_> = self.view.files.iter().map(|file| file.sha256.clone()).collect();
        if found != texts(digests) {
            return Err(ExportError::Broken(format!("{} has another digest", self.view.name())));
        }
        self.export.views.push(self.view);
        Ok(())
    }
}
