//! A disk that is small enough to be filled.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Explain as _};

const BALLAST: &str = "ballast";

/// Mounts a file system of so many MiB, in memory, on `directory`. The watcher unmounts it.
pub(crate) fn mount(directory: &Path, mebibytes: u32) -> Result<(), Error> {
    let options = format!("size={mebibytes}m,mode=0700");
    let output = Command::new("mount")
        .args(["-t", "tmpfs", "-o", &options, "pactum-test-broker"])
        .arg(directory)
        .stdin(Stdio::null())
        .output()
        .explain(|| "cannot run mount, which gives a broker its disk".into())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(std::io::Error::other(said))
        .explain(|| "a disk of limited size could not be mounted: run the test as root, or without disk_mib".into())
}

/// Writes until nothing more fits.
pub(crate) fn fill(directory: &Path) -> Result<(), Error> {
    let path = directory.join(BALLAST);
    let filled = || -> std::io::Result<()> {
        let mut ballast = File::options().create(true).append(true).open(&path)?;
        // In pieces of a page too, so that the last byte is gone.
        for piece in [vec![0; 1 << 20], vec![0; 4096]] {
            loop {
                match ballast.write(&piece) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    };
    filled().explain(|| format!("cannot fill {}", directory.display()))
}

/// Takes back what [`fill`] wrote.
pub(crate) fn free(directory: &Path) -> Result<(), Error> {
    let path = directory.join(BALLAST);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).explain(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
