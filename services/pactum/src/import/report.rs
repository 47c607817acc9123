//! What became of an import's rows, for a person and for a program.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RejectedRow {
    /// The file's name.
    pub(crate) file: String,
    /// The line it starts on.
    pub(crate) line: u64,
    /// The opportunity's id, where it could be read.
    pub(crate) id: String,
    /// The column at fault; empty where it is the whole row.
    pub(crate) field: String,
    /// What is wrong, what was expected.
    pub(crate) reason: String,
}

/// A registration that met another partner's protection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ConflictRow {
    /// The line it starts on.
    pub(crate) line: u64,
    /// The deal.
    pub(crate) id: String,
    /// Its partner.
    pub(crate) partner: String,
}

/// The whole import.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// The program.
    pub(crate) program: String,
    /// Rows read of the pipeline.
    pub(crate) rows: u64,
    /// Rows that are in the program now, drafts among them.
    pub(crate) accepted: u64,
    /// Of these: drafts, because the account or the date is missing.
    pub(crate) drafts: u64,
    /// Of these: won.
    pub(crate) won: u64,
    /// Of these: lost.
    pub(crate) lost: u64,
    /// Of these: approved without protection, because another partner held it.
    pub(crate) conflicts: u64,
    /// Conflicts by partner.
    pub(crate) conflicts_by_partner: BTreeMap<String, u64>,
    /// The conflicts, row by row.
    pub(crate) conflict_rows: Vec<ConflictRow>,
    /// Rows that were not taken.
    pub(crate) rejected: Vec<RejectedRow>,
    /// Events that this run appended; 0 where everything had been imported before.
    pub(crate) events_appended: u64,
    /// The program's last sequence after the import.
    pub(crate) sequence: u64,
    /// How long it took, in milliseconds.
    pub(crate) elapsed_ms: u64,
}

impl Report {
    /// Writes the whole report as JSON.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        std::fs::write(path, text + "\n")
    }

    /// The report in lines for a person; the details are in the file.
    pub(crate) fn summary(&self, path: &Path) -> String {
        use std::fmt::Write as _;
        let mut text = format!(
            "{} rows: {} accepted ({} won, {} lost, {} drafts), {} in conflict, {} rejected\n{} events appended in {:.2} s; {} is at sequence {}\n",
            self.rows,
            self.accepted,
            self.won,
            self.lost,
            self.drafts,
            self.conflicts,
            self.rejected.len(),
            self.events_appended,
            self.elapsed_ms as f64 / 1000.0,
            self.program,
            self.sequence,
        );
        for row in self.rejected.iter().take(10) {
            let _ = writeln!(text, "  {}:{} {} {}: {}", row.file, row.line, row.id, row.field, row.reason);
        }
        if self.rejected.len() > 10 {
            let _ = writeln!(text, "  and {} more", self.rejected.len() - 10);
        }
        let _ = writeln!(text, "the whole report is in {}", path.display());
        text
    }
}
