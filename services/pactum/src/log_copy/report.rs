//! What was done, for people and programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::copy::Copied;
use super::digest::{Digests, ProgramDigest};
use super::location::Opened;

/// Programs that the text names; the JSON names all.
const NAMED: usize = 20;

/// What was done. There is one only where the two logs hold the same.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    from: String,
    from_partitions: u32,
    to: String,
    to_partitions: u32,
    verified: bool,
    records: u64,
    events: u64,
    bytes: u64,
    /// Written by this run.
    copied: u64,
    /// Written by runs before it, or compared only.
    already_there: u64,
    /// Entries of the source that never took effect and were left behind.
    skipped: u64,
    /// Entries that came to the source while it was copied, and are not in the copy.
    source_grew_by: u64,
    /// Of all programs' digests.
    sha256: String,
    elapsed_ms: u64,
    programs: Vec<ProgramDigest>,
}

impl Report {
    pub(super) fn new(from: &Opened, to: &Opened, source: Digests, copied: Copied, elapsed: Duration) -> Self {
        let records = source.sum(|program| program.records);
        Self {
            from: from.to_string(),
            from_partitions: from.partitions(),
            to: to.to_string(),
            to_partitions: to.partitions(),
            verified: true,
            records,
            events: source.sum(|program| program.events),
            bytes: source.sum(|program| program.bytes),
            copied: copied.records,
            already_there: records - copied.records,
            skipped: source.skipped,
            source_grew_by: copied.source_grew_by,
            sha256: source.sha256(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            programs: source.programs.into_values().collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let Self { from, from_partitions, to, to_partitions, copied, already_there, .. } = self;
        let mut text = format!(
            "from       {from}, partitions: {from_partitions}\n\
             to         {to}, partitions: {to_partitions}\n\
             copied     {copied} records; {already_there} were there\n\
             verified   {} programs, {} records, {} events, {} bytes: the same in both\n\
             sha256     {}\n\
             took       {} ms\n",
            self.programs.len(),
            self.records,
            self.events,
            self.bytes,
            self.sha256,
            self.elapsed_ms,
        );
        if self.skipped > 0 {
            let _ = writeln!(text, "left out   {} entries that never took effect", self.skipped);
        }
        for one in self.programs.iter().take(NAMED) {
            let ProgramDigest { program, last_sequence, sha256, .. } = one;
            let _ = writeln!(text, "program    {program}, to sequence {last_sequence}, {sha256}");
        }
        if self.programs.len() > NAMED {
            let _ = writeln!(text, "           and {} more: --json names all", self.programs.len() - NAMED);
        }
        if self.source_grew_by > 0 {
            let _ = writeln!(
                text,
                "warning    {} entries came to the source meanwhile and are not in the copy: stop what writes there, \
                 then run the same command again",
                self.source_grew_by
            );
        }
        text
    }
}
