//! The checker: a history of what clients saw against the log, read to its end.
//!
//! What has to hold, each with a counterexample in words where it does not:
//!
//! 1. An answered command is in the log exactly once, its record is what the program decides for it there, and the answer is
//!    what the record says. An answer that appended nothing (a dry run, a repeat of what held) is right at a state.
//! 2. No request takes effect twice, whatever was told of it.
//! 3. What was refused or not taken has left nothing.
//! 4. A refusal is the program's decision at a state which held everything answered before it was asked, and which the log
//!    had come to when it was told: found by replaying the program and asking it again.
//! 5. What was asked after an answer lies behind it.
//! 6. A read is never older than asked for, and shows the log at one sequence.
//! 7. Sequences have no gap, and everything in the log was asked for.
//! 8. After every event the invariants hold: one owner of protection on an account and scope; one effect a request id;
//!    what is final stays so. (No overspend and one live offer a lead wait for those aggregates.)

mod asked;
mod bounds;
pub(crate) mod decide;
mod findings;
mod gaps;
mod log;
mod probe;
mod program;
mod state;

pub use findings::{Findings, Kind, Violation};
pub use gaps::longest_gaps;
pub use log::{Located, LogContents, ReadError};

use std::collections::BTreeMap;

use pactum_api::{AccessTable, Reason};
use pactum_events::partition_of;
use pactum_ids::ProgramId;

use crate::history::{History, Outcome};
use asked::Asked;
use program::ProgramCheck;

/// Invariants of the domain that no event can break yet, because their aggregates do not exist.
pub const NOT_YET: [&str; 2] = ["no overspend (funds)", "one live offer per lead (leads)"];

/// What belongs to one program.
#[derive(Default)]
struct Share<'l> {
    commands: Vec<usize>,
    reads: Vec<usize>,
    records: Vec<&'l Located>,
}

/// Compares a history with the log.
#[must_use]
pub fn check(history: &History, log: &LogContents) -> Findings {
    let mut findings = Findings::default();
    let mut shares: BTreeMap<ProgramId, Share<'_>> = BTreeMap::new();
    let partitions = u32::try_from(log.partitions.len()).unwrap_or(u32::MAX);
    for (records, partition) in log.partitions.iter().zip(0_u32..) {
        for located in records {
            let program = &located.record.program;
            if partition_of(program, partitions) != partition {
                let text = format!("programs/{program} has a record in partition {partition} at {}", located.offset);
                findings.add(Kind::Misplaced, text);
            }
            shares.entry(program.clone()).or_default().records.push(located);
        }
    }
    for (index, call) in history.commands.iter().enumerate() {
        shares.entry(call.program().clone()).or_default().commands.push(index);
    }
    for (index, call) in history.reads.iter().enumerate() {
        shares.entry(call.caller.program.clone()).or_default().reads.push(index);
    }
    let (asked, access) = (Asked::of(history), AccessTable::load());
    unexpected(&asked, &mut findings);
    for (program, Share { commands, reads, records }) in &shares {
        let findings = &mut findings;
        ProgramCheck { asked: &asked, access: &access, program, commands, reads, findings }.run(records);
    }
    findings
}

/// Statuses that mean a bug or damage, whatever was asked.
fn unexpected(asked: &Asked<'_>, findings: &mut Findings) {
    const NEVER: [Reason; 2] = [Reason::INTERNAL, Reason::DATA_CORRUPT];
    for (index, call) in asked.history.commands.iter().enumerate() {
        let Outcome::Unknown { why } = &call.outcome else { continue };
        if NEVER.iter().any(|never| why.starts_with(never.name)) {
            findings.add(Kind::Unexpected, asked.describe(index));
        }
    }
}
