//! Reading the whole log to see whether it is intact.

use super::log::Shared;
use crate::{LogError, Offset, Partition};

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The partition being read.
    pub partition: Partition,
    /// Entries of it read so far.
    pub read: Offset,
    /// Entries of it to read.
    pub end: Offset,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Entries that are intact.
    pub entries: u64,
    /// Their bytes, as they were written.
    pub bytes: u64,
    /// The first damage in each damaged partition; what lies after it was not read.
    pub damages: Vec<LogError>,
}

impl Verification {
    /// Whether everything is intact.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.damages.is_empty()
    }
}

pub(super) fn verify(log: &Shared, mut progress: impl FnMut(Progress)) -> Result<Verification, LogError> {
    let mut verification = Verification::default();
    for (partition, tail) in (0..).zip(&log.tails) {
        let end = tail.end();
        let mut read = 0;
        while read < end {
            progress(Progress { partition, read, end });
            match log.read_disk(partition, read, end) {
                Ok(entries) => {
                    read += entries.len() as u64;
                    verification.entries += entries.len() as u64;
                    verification.bytes += entries.iter().map(|entry| entry.bytes.len() as u64).sum::<u64>();
                }
                Err(damage @ LogError::Corrupt(_)) => {
                    verification.damages.push(damage);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        progress(Progress { partition, read, end });
    }
    Ok(verification)
}
