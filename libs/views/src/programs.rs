//! Programs, their policies, and where in the log their records lie.
//!
//! | keyspace | key | row |
//! |---|---|---|
//! | `programs` | program | [`ProgramRow`] |
//! | `policies` | program, version as 8 bytes | [`PolicyRow`] |
//! | `places` | program, sequence | [`PlaceRow`]: the record that begins with that sequence |

use pactum_domain::event::{AnyEvent, Moment};
use pactum_domain::money::Currency;
use pactum_domain::program::{Event, ProgramState};
use pactum_domain::time::Timestamp;
use pactum_events::Recorded;
use pactum_ids::{ImportId, ProgramId};
use serde::{Deserialize, Serialize};

use crate::changes::Changes;
use crate::key::Key;
use crate::rows::{KeyRange, Order, RowError, Rows};
use crate::table::{Row, Table};
use crate::view::{FoldError, Folded, Place, View};

/// One row a program.
pub const PROGRAMS: Table<ProgramRow> = Table::new("programs");
/// One row a published policy.
pub const POLICIES: Table<PolicyRow> = Table::new("policies");
/// A row every [`PLACE_EVERY`] records of a program or so.
pub const PLACES: Table<PlaceRow> = Table::new("places");

/// After how many events the place of a record is kept: a reader of history starts at most so many events early.
pub const PLACE_EVERY: u64 = 512;

/// A program as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramRow {
    /// How many events made it what it is: its `etag`.
    pub version: u64,
    /// Where it stands.
    pub state: ProgramState,
    /// The name shown.
    pub display_name: String,
    /// The currency its figures are reported in.
    pub currency: Currency,
    /// Every policy published, oldest first.
    pub policies: Vec<PolicyVersion>,
    /// Imports under way.
    pub open_imports: Vec<ImportId>,
    /// Imports completed.
    pub completed_imports: Vec<ImportId>,
    /// The last sequence whose record's place is kept.
    last_place: u64,
}

/// A published policy's number and beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// 1, 2, 3, …
    pub version: u32,
    /// From when on it holds.
    pub effective_from: Timestamp,
}

impl ProgramRow {
    /// The policy in force at a moment: the last that began by then.
    #[must_use]
    pub fn policy_at(&self, moment: Timestamp) -> Option<PolicyVersion> {
        self.policies.iter().rev().find(|policy| policy.effective_from <= moment).copied()
    }
}

impl Row for ProgramRow {
    const VERSION: u8 = 1;
}

/// A policy's document as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRow {
    /// YAML.
    pub document: String,
}

impl Row for PolicyRow {
    const VERSION: u8 = 1;
}

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceRow {
    offset: u64,
    term: u64,
    n: u64,
}

impl Row for PlaceRow {
    const VERSION: u8 = 1;
}

fn policy_key(program: &ProgramId, version: u32) -> Vec<u8> {
    Key::of(program).number(version.into()).bytes()
}

/// The read model of programs.
#[derive(Clone, Copy, Debug)]
pub struct Programs;

impl View for Programs {
    fn name(&self) -> &'static str {
        "programs"
    }

    fn version(&self) -> u32 {
        1
    }

    fn keyspaces(&self) -> &'static [&'static str] {
        &[PROGRAMS.keyspace, POLICIES.keyspace, PLACES.keyspace]
    }

    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        moment: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError> {
        match &recorded.event {
            AnyEvent::Program(event) => apply_event(changes, &folded.record.program, event, recorded)?,
            AnyEvent::Partner(..) | AnyEvent::Deal(..) | AnyEvent::Opportunity(..) => {}
        }
        // Only the first event of a record can be where reading starts: records are read whole.
        if moment.sequence == folded.record.sequence {
            keep_place(changes, folded)?;
        }
        Ok(())
    }
}

fn apply_event(
    changes: &mut Changes<'_>,
    program: &ProgramId,
    event: &Event,
    recorded: &Recorded,
) -> Result<(), FoldError> {
    let key = Key::of(program).bytes();
    if let Event::Created { display_name, currency } = event {
        let row = ProgramRow {
            version: recorded.aggregate_version,
            state: ProgramState::Draft,
            display_name: display_name.clone(),
            currency: *currency,
            policies: Vec::new(),
            open_imports: Vec::new(),
            completed_imports: Vec::new(),
            last_place: 0,
        };
        changes.put(&PROGRAMS, key, row);
        return Ok(());
    }
    if let Event::PolicyPublished { version, document, .. } = event {
        changes.put(&POLICIES, policy_key(program, *version), PolicyRow { document: document.clone() });
    }
    let row = changes.edit(&PROGRAMS, &key)?;
    let row = row.ok_or_else(|| FoldError::Unknown { kind: "program", id: program.to_string() })?;
    row.version = recorded.aggregate_version;
    match event {
        Event::Created { .. } => {}
        Event::PolicyPublished { version, effective_from, .. } => {
            row.policies.push(PolicyVersion { version: *version, effective_from: *effective_from });
            if row.state == ProgramState::Draft {
                row.state = ProgramState::Active;
            }
        }
        Event::HistoryImportStarted { import, .. } => row.open_imports.push(import.clone()),
        Event::HistoryImportCompleted { import } => {
            row.open_imports.retain(|open| open != import);
            row.completed_imports.push(import.clone());
        }
        Event::Archived { .. } => row.state = ProgramState::Archived,
    }
    Ok(())
}

fn keep_place(changes: &mut Changes<'_>, folded: &Folded<'_>) -> Result<(), FoldError> {
    let (program, sequence) = (&folded.record.program, folded.record.sequence);
    let key = Key::of(program);
    let Some(last) = changes.get(&PROGRAMS, key.as_slice())?.map(|row| row.last_place) else { return Ok(()) };
    if last != 0 && sequence - last < PLACE_EVERY {
        return Ok(());
    }
    if let Some(row) = changes.edit(&PROGRAMS, key.as_slice())? {
        row.last_place = sequence;
    }
    let Place { offset, term, n } = folded.place;
    changes.put(&PLACES, key.number(sequence).bytes(), PlaceRow { offset, term, n });
    Ok(())
}

/// The program as it stands.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn get(rows: &dyn Rows, program: &ProgramId) -> Result<Option<ProgramRow>, RowError> {
    PROGRAMS.get(rows, Key::of(program).as_slice())
}

/// A policy's document.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn policy(rows: &dyn Rows, program: &ProgramId, version: u32) -> Result<Option<PolicyRow>, RowError> {
    POLICIES.get(rows, &policy_key(program, version))
}

/// Where to begin reading the log for a program's history from `sequence` on: the place of a record at or before it, and
/// that record's own sequence. `None` where nothing of the program is known.
///
/// # Errors
/// [`RowError`] where the store fails.
pub fn place_before(rows: &dyn Rows, program: &ProgramId, sequence: u64) -> Result<Option<(u64, Place)>, RowError> {
    let from = Key::of(program).bytes();
    let to = Key::of(program).number(sequence.max(1).saturating_add(1)).bytes();
    let mut found = None;
    let range = KeyRange { from, to: Some(to) };
    PLACES.scan(rows, &range, Order::Descending, |key, PlaceRow { offset, term, n }| {
        let sequence = crate::key::take_text(key).and_then(|(_, rest)| crate::key::take_number(rest));
        let (sequence, _) = sequence.ok_or(RowError::Malformed { keyspace: PLACES.keyspace })?;
        found = Some((sequence, Place { offset, term, n }));
        Ok::<_, RowError>(std::ops::ControlFlow::Break(()))
    })?;
    Ok(found)
}
