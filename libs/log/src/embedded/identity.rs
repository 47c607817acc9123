//! What a log is: written once, when it is made.
//!
//! A text file of its own, so that it can be read before the database is opened, and by people:
//!
//! ```text
//! pactum embedded log
//! format 1
//! id 5f0c2a94d1b34e6f8a7b9c0d1e2f3a4b
//! partitions 4
//! check 8c1f02ab
//! ```

use super::{MOST_PARTITIONS, OpenError};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

const FILE: &str = "identity";
const HEADER: &str = "pactum embedded log";

/// The format this version writes, and the newest it reads.
const FORMAT: u32 = 1;

/// What a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// A random number that no other log has.
    pub id: u128,
    /// How many partitions it has.
    pub partitions: u32,
}

impl Identity {
    /// Reads what the log in `directory` is, without opening it. `None` if there is no log.
    pub fn read(directory: &Path) -> Result<Option<Self>, OpenError> {
        let path = directory.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => Self::parse(&bytes, &path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(OpenError::Io { path, detail: error.to_string() }),
        }
    }

    /// Writes the file, whole or not at all, and reads what is there then: another process may have been first.
    pub(super) fn create(directory: &Path, partitions: u32) -> Result<Self, OpenError> {
        let identity = Self { id: rand::random(), partitions };
        let path = directory.join(FILE);
        let failed = |error: io::Error| OpenError::Io { path: path.clone(), detail: error.to_string() };
        let draft = directory.join(format!("{FILE}.{:032x}", identity.id));
        let written = File::create(&draft).and_then(|mut file| {
            file.write_all(identity.render().as_bytes())?;
            file.sync_all()
        });
        // A link does not replace what is there, as a renaming would.
        let linked = written.and_then(|()| match fs::hard_link(&draft, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
        let removed = fs::remove_file(&draft);
        linked.and(removed).and_then(|()| File::open(directory)?.sync_all()).map_err(failed)?;
        Self::read(directory)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }

    fn render(&self) -> String {
        let text = format!("{HEADER}\nformat {FORMAT}\nid {:032x}\npartitions {}\n", self.id, self.partitions);
        let check = crc32c::crc32c(text.as_bytes());
        format!("{text}check {check:08x}\n")
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, OpenError> {
        let damaged = || OpenError::Identity { path: path.to_owned(), detail: "the file is damaged".into() };
        let text = str::from_utf8(bytes).map_err(|_| damaged())?;
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next().and_then(|line| line.strip_prefix(name)).ok_or_else(damaged);
        field(HEADER)?;
        let recorded: u32 = field("format ")?.parse().map_err(|_| damaged())?;
        // Before anything else is looked at, which may well mean something different there.
        if recorded > FORMAT {
            return Err(OpenError::NewerFormat { path: path.to_owned(), recorded, known: FORMAT });
        }
        let id = u128::from_str_radix(field("id ")?, 16).map_err(|_| damaged())?;
        let partitions = field("partitions ")?.parse().map_err(|_| damaged())?;
        let identity = Self { id, partitions };
        let intact = identity.render() == text && (1..=MOST_PARTITIONS).contains(&partitions);
        if intact { Ok(identity) } else { Err(damaged()) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn is_made_once_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Identity::read(directory.path()), Ok(None));
        let made = Identity::create(directory.path(), 7).unwrap();
        assert_eq!(Identity::read(directory.path()), Ok(Some(made)));
        assert_eq!(Identity::create(directory.path(), 9), Ok(made), "the first stays");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no drafts are left");
    }

    #[test]
    fn any_damaged_byte_is_noticed() {
        let text = Identity { id: 12, partitions: 7 }.render();
        let path = Path::new("identity");
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            assert!(Identity::parse(&bytes, path).is_err(), "byte {at}");
            assert!(Identity::parse(&text.as_bytes()[..at], path).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_newer_format_is_told_whatever_follows() {
        let text = format!("{HEADER}\nformat 2\nsomething else\n");
        let error = Identity::parse(text.as_bytes(), Path::new("/d/identity")).unwrap_err();
        assert_eq!(error, OpenError::NewerFormat { path: "/d/identity".into(), recorded: 2, known: 1 });
    }
}
