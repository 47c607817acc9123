//! What is remembered of each program, so that two logs can be compared without holding either.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pactum_events::Record;
use pactum_ids::ProgramId;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// A program's records so far, in sequence order.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// The sequence that its next record must start at.
    pub(super) next: u64,
    pub(super) records: u64,
    events: u64,
    bytes: u64,
    digest: Sha256,
}

impl Default for Tally {
    fn default() -> Self {
        Self { next: 1, records: 0, events: 0, bytes: 0, digest: Sha256::new() }
    }
}

impl Tally {
    /// Adds the next record: the length of its body, then the body, so that where one ends is part of what is compared.
    pub(super) fn add(&mut self, record: &Record, body: &[u8]) {
        let (events, bytes) = (record.events.len() as u64, body.len() as u64);
        self.next += events;
        self.records += 1;
        self.events += events;
        self.bytes += bytes;
        self.digest.update(bytes.to_le_bytes());
        self.digest.update(body);
    }

    fn finish(self, program: &ProgramId) -> ProgramDigest {
        ProgramDigest {
            program: program.to_string(),
            records: self.records,
            events: self.events,
            bytes: self.bytes,
            last_sequence: self.next - 1,
            sha256: hex(&self.digest.finalize()),
        }
    }
}

/// What a log holds of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ProgramDigest {
    pub(super) program: String,
    pub(super) records: u64,
    pub(super) events: u64,
    /// Of all its records' bodies.
    pub(super) bytes: u64,
    pub(super) last_sequence: u64,
    /// Of each record's length (8 bytes, little-endian) and body, in sequence order.
    pub(super) sha256: String,
}

/// What a log holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Digests {
    /// By program.
    pub(super) programs: BTreeMap<ProgramId, ProgramDigest>,
    /// Entries that had no effect.
    pub(super) skipped: u64,
}

impl Digests {
    /// Adds what was read of a partition; a program lies in one only.
    pub(super) fn add(&mut self, tallies: impl IntoIterator<Item = (ProgramId, Tally)>, skipped: u64) {
        self.skipped += skipped;
        self.programs.extend(tallies.into_iter().map(|(program, tally)| {
            let digest = tally.finish(&program);
            (program, digest)
        }));
    }

    pub(super) fn sum(&self, of: impl Fn(&ProgramDigest) -> u64) -> u64 {
        self.programs.values().map(of).sum()
    }

    /// One figure for the whole log: of a line `PROGRAM LAST_SEQUENCE SHA256` a program, in the order of their ids.
    pub(super) fn sha256(&self) -> String {
        let mut digest = Sha256::new();
        for one in self.programs.values() {
            digest.update(format!("{} {} {}\n", one.program, one.last_sequence, one.sha256));
        }
        hex(&digest.finalize())
    }

    /// What `other` holds otherwise, a sentence a program.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (program, ours) in &self.programs {
            match other.programs.get(program) {
                None => found.push(format!("program {program} is missing")),
                Some(theirs) if theirs.last_sequence != ours.last_sequence => found.push(format!(
                    "program {program} ends at sequence {} instead of {}",
                    theirs.last_sequence, ours.last_sequence
                )),
                Some(theirs) if theirs != ours => found.push(format!("program {program} has other records")),
                Some(_) => {}
            }
        }
        let unknown = other.programs.keys().filter(|program| !self.programs.contains_key(*program));
        found.extend(unknown.map(|program| format!("program {program} is not in the source")));
        found
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
