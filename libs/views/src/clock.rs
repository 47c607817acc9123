//! How far a view has folded each program. Every view keeps it beside its rows, so that a query can say to which
//! sequence its answer holds.
//!
//! | keyspace | key | row |
//! |---|---|---|
//! | `clock` | program | [`Clock`] |

use pactum_domain::time::Timestamp;
use pactum_events::Record;
use pactum_ids::ProgramId;
use serde::{Deserialize, Serialize};

use crate::changes::Changes;
use crate::key::Key;
use crate::rows::{RowError, Rows};
use crate::table::{Row, Table};
use crate::view::FoldError;

/// The keyspace of clocks.
pub const CLOCKS: Table<Clock> = Table::new("clock");

/// How far a program has been folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The sequence of its last event.
    pub sequence: u64,
    /// When the log took it.
    pub recorded_at: Timestamp,
}

impl Row for Clock {
    const VERSION: u8 = 1;
}

/// How far a program has been folded; `None` where it has no record.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn of(rows: &dyn Rows, program: &ProgramId) -> Result<Option<Clock>, RowError> {
    CLOCKS.get(rows, Key::of(program).as_slice())
}

/// Moves the clock past a record that may come after some that were passed over.
pub(crate) fn advance_over_gap(changes: &mut Changes<'_>, record: &Record) -> Result<(), FoldError> {
    let start = Clock { sequence: 0, recorded_at: record.recorded_at };
    let clock = changes.edit_or(&CLOCKS, Key::of(&record.program).as_slice(), || start)?;
    if record.sequence <= clock.sequence {
        return Err(FoldError::Sequence { expected: clock.sequence + 1, found: record.sequence });
    }
    *clock = Clock { sequence: record.last_sequence(), recorded_at: record.recorded_at };
    Ok(())
}

/// Moves the clock past a record that is passed over. One that is not ahead of the clock leaves it.
pub(crate) fn pass(changes: &mut Changes<'_>, record: &Record) -> Result<(), FoldError> {
    match advance_over_gap(changes, record) {
        Ok(()) | Err(FoldError::Sequence { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Moves the clock past a record, which must be the program's next.
pub(crate) fn advance(changes: &mut Changes<'_>, record: &Record) -> Result<(), FoldError> {
    let start = Clock { sequence: 0, recorded_at: record.recorded_at };
    let clock = changes.edit_or(&CLOCKS, Key::of(&record.program).as_slice(), || start)?;
    if record.sequence != clock.sequence + 1 {
        return Err(FoldError::Sequence { expected: clock.sequence + 1, found: record.sequence });
    }
    *clock = Clock { sequence: record.last_sequence(), recorded_at: record.recorded_at };
    Ok(())
}
