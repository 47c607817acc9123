//! Room on the disk.

use std::io;
use std::path::Path;

/// How many bytes this process may still write to the filesystem that holds `path`.
pub fn available_bytes(path: &Path) -> io::Result<u64> {
    fs4::available_space(path)
}
