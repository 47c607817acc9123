//! Reading a CSV file by column names, row by row, so that one broken row costs itself and no other.

use std::path::{Path, PathBuf};

use super::report::RejectedRow;

/// A file that cannot be read as the table it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error("{path} cannot be read: {why}")]
    Read { path: PathBuf, why: String },
    #[error("{path} has no column {column:?}; its columns are {found}. Name yours in a --mapping file")]
    NoColumn { path: PathBuf, column: String, found: String },
}

/// A row with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row<const N: usize> {
    /// The line it starts on, from 1 (the header).
    pub(crate) line: u64,
    /// The columns asked for, trimmed.
    pub(crate) fields: [String; N],
}

/// Reads the columns asked for. Rows that are not UTF-8 or have another number of fields go to `rejected`.
pub(crate) fn read<const N: usize>(
    path: &Path,
    columns: [&str; N],
    rejected: &mut Vec<RejectedRow>,
) -> Result<Vec<Row<N>>, TableError> {
    let failed = |why: String| TableError::Read { path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    // Spreadsheets like to begin a file with a byte order mark; it is not part of the first column's name.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.byte_headers().map_err(|error| failed(error.to_string()))?.clone();
    let names: Vec<String> = header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        *place = names.iter().position(|name| name == column).ok_or_else(|| TableError::NoColumn {
            path: path.to_owned(),
            column: column.to_owned(),
            found: names.join(", "),
        })?;
    }

    let mut rows = Vec::new();
    let mut record = csv::ByteRecord::new();
    let mut lines = Lines::default();
    while reader.read_byte_record(&mut record).map_err(|error| failed(error.to_string()))? {
        let line = lines.at(bytes, record.position().map_or(0, csv::Position::byte));
        let mut reject = |field: &str, reason: String| {
            rejected.push(RejectedRow { file: file_name(path), line, id: String::new(), field: field.into(), reason });
        };
        if record.len() != names.len() {
            reject("", format!("the row has {} fields, the header {}", record.len(), names.len()));
            continue;
        }
        let mut fields = [const { String::new() }; N];
        let mut whole = true;
        for ((field, place), column) in fields.iter_mut().zip(places).zip(columns) {
            match std::str::from_utf8(&record[place]) {
                Ok(text) => text.trim().clone_into(field),
                Err(_) => {
                    reject(column, "the field is not UTF-8; export the file as UTF-8".into());
                    whole = false;
                }
            }
        }
        if whole {
            rows.push(Row { line, fields });
        }
    }
    Ok(rows)
}

/// Counts lines as an editor does. The reader's own count is one short where lines end with a carriage return too, for it
/// takes the line feed to be the next row's.
#[derive(Default)]
struct Lines {
    seen: usize,
    feeds: u64,
}

impl Lines {
    /// The line of the row that begins at or after `start`, from 1. Starts must not go back.
    fn at(&mut self, bytes: &[u8], start: u64) -> u64 {
        let start = usize::try_from(start).unwrap_or(bytes.len()).min(bytes.len());
        let blank = bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.feeds += bytes[self.seen..start + blank].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.seen = start + blank;
        self.feeds + 1
    }
}

/// The file's own name, as reports show it.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_broken_row_costs_only_itself() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.csv");
        std::fs::write(&path, b"\xef\xbb\xbfid,name\r\n1, one \r\n2,\xff\r\n3\r\n4,\"four\nlines\"\r\n5,five\r\n")
            .unwrap();
        let mut rejected = Vec::new();
        let rows = read(&path, ["name", "id"], &mut rejected).unwrap();
        let read: Vec<_> = rows.iter().map(|row| (row.line, row.fields[1].as_str(), row.fields[0].as_str())).collect();
        assert_eq!(read, [(2, "1", "one"), (5, "4", "four\nlines"), (7, "5", "five")]);
        let lines: Vec<_> = rejected.iter().map(|row| (row.line, row.field.as_str())).collect();
        assert_eq!(lines, [(3, "name"), (4, "")]);
    }

    #[test]
    fn a_missing_column_is_named_with_those_there_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t.csv");
        std::fs::write(&path, "id,name\n").unwrap();
        let error = read(&path, ["nme"], &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("\"nme\"") && error.contains("id, name"), "{error}");
        assert!(read(Path::new("/nonexistent.csv"), ["a"], &mut Vec::new()).is_err());
    }
}
