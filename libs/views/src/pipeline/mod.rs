//! The pipeline: counts and amounts of deals by what they have in common.
//!
//! | keyspace | key | row |
//! |---|---|---|
//! | `pipeline_cells` | program, partner, then postcard of [`CellKey`] | [`Cell`] |
//! | `pipeline_deals` | program, deal | [`Facts`]: in which cell the deal counts |
//! | `pipeline_partners` | program, partner | [`Standing`]: joined at query time, because a change of it moves no deal |
//! | `pipeline_policies` | program | [`Policies`]: stage probabilities, applied at query time |
//!
//! A deal counts in exactly one cell. Where its scope names several products or territories, the whole list is part of the
//! cell's key: a filter finds the deal by any of them, and a group by product is told apart by the list, so that sums over
//! groups never count a deal twice.

mod cells;
mod columns;
mod facts;
pub mod query;

pub use columns::Columns;
pub use facts::Facts;
pub use query::{Dimension, Figures, Filter, Group, GroupKey, Pipeline as Answer, QueryError, Sums, query};

use pactum_domain::deal::DealState;
use pactum_domain::event::{AnyEvent, Moment};
use pactum_domain::money::Currency;
use pactum_domain::policy::Policy;
use pactum_domain::time::{Month, Timestamp};
use pactum_domain::{partner, program};
use pactum_events::Recorded;
use pactum_ids::{DealId, PartnerId, ProductId, ProgramId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::changes::Changes;
use crate::key::Key;
use crate::table::{Row, Table};
use crate::view::{FoldError, Folded, View};

/// Counts and sums.
pub const CELLS: Table<Cell> = Table::new("pipeline_cells");
/// Where each deal counts.
pub const FACTS: Table<Facts> = Table::new("pipeline_deals");
/// Each partner's tier and territories.
pub const PARTNERS: Table<Standing> = Table::new("pipeline_partners");
/// Each program's stage probabilities.
pub const POLICIES: Table<Policies> = Table::new("pipeline_policies");

/// What the deals of a cell have in common, besides program and partner.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CellKey {
    /// Where they stand.
    pub state: DealState,
    /// Their stage; empty where they have none.
    pub stage: SmolStr,
    /// The territories of their scope, sorted; empty where it names none.
    pub territories: Vec<SmolStr>,
    /// The products of their scope, sorted; empty where it names none.
    pub products: Vec<ProductId>,
    /// The month in which they close.
    pub month: Option<Month>,
    /// The currency of their amount; none where they have no amount.
    pub currency: Option<Currency>,
    /// Whether a conflict was ever found on them.
    pub conflicted: bool,
}

/// A count and a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// How many deals.
    pub deals: u64,
    /// The sum of their amounts, in minor units of the cell's currency.
    pub minor: i128,
}

impl Row for Cell {
    const VERSION: u8 = 1;
}

/// What a partner lends to its deals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its tier; empty before enrolment.
    pub tier: SmolStr,
    /// The territories it holds, sorted: those of its deals whose scope names none.
    pub territories: Vec<SmolStr>,
}

impl Row for Standing {
    const VERSION: u8 = 1;
}

/// The stage probabilities of every policy of a program, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies(pub Vec<Probabilities>);

/// The stage probabilities of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probabilities {
    /// The policy's version.
    pub version: u32,
    /// From when on it holds.
    pub effective_from: Timestamp,
    /// Each stage with its chance to win, in percent.
    pub stages: Vec<(SmolStr, u8)>,
}

impl Row for Policies {
    const VERSION: u8 = 1;
}

/// The read model of the pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Pipeline;

impl View for Pipeline {
    fn name(&self) -> &'static str {
        "pipeline"
    }

    fn version(&self) -> u32 {
        1
    }

    fn keyspaces(&self) -> &'static [&'static str] {
        &[CELLS.keyspace, FACTS.keyspace, PARTNERS.keyspace, POLICIES.keyspace]
    }

    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        _: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError> {
        let program = &folded.record.program;
        match &recorded.event {
            AnyEvent::Program(event) => policy(changes, program, event),
            AnyEvent::Partner(id, event) => standing(changes, program, id, event),
            AnyEvent::Deal(id, event) => {
                let key = crate::deals::key(program, id);
                let is_new = changes.get(&FACTS, &key)?.is_none();
                let begin = || Facts::begin(event).ok_or(FoldError::Unknown { kind: "deal", id: id.to_string() });
                let facts = changes.edit_or_else(&FACTS, &key, begin)?;
                let before = (!is_new).then(|| Counted::of(program, facts));
                facts.advance(event);
                let after = Counted::of(program, facts);
                after.replace(before, changes, id)
            }
            AnyEvent::Opportunity(..) => Ok(()),
        }
    }
}

fn policy(changes: &mut Changes<'_>, program: &ProgramId, event: &program::Event) -> Result<(), FoldError> {
    use program::Event;
    match event {
        Event::PolicyPublished { version, effective_from, document } => {
            let policy = Policy::parse(document)
                .map_err(|error| FoldError::Impossible(format!("policy {version} cannot be read: {error}")))?;
            let stages = policy.stages.iter().map(|stage| (stage.id.clone(), stage.probability)).collect();
            let probabilities = Probabilities { version: *version, effective_from: *effective_from, stages };
            changes.edit_or(&POLICIES, Key::of(program).as_slice(), Policies::default)?.0.push(probabilities);
        }
        Event::Created { .. }
        | Event::HistoryImportStarted { .. }
        | Event::HistoryImportCompleted { .. }
        | Event::Archived { .. } => {}
    }
    Ok(())
}

fn standing(
    changes: &mut Changes<'_>,
    program: &ProgramId,
    id: &PartnerId,
    event: &partner::Event,
) -> Result<(), FoldError> {
    use partner::Event;
    let (tier, territories) = match event {
        Event::Enrolled(enrolled) => (Some(&enrolled.tier), Some(&enrolled.territories)),
        Event::ProfileUpdated(updated) => (updated.tier.as_ref(), updated.territories.as_ref()),
        Event::Applied(_)
        | Event::Approved { .. }
        | Event::Rejected { .. }
        | Event::Activated
        | Event::Suspended { .. }
        | Event::Reinstated { .. }
        | Event::Terminated { .. }
        | Event::ManagerAssigned { .. } => return Ok(()),
    };
    let key = Key::of(program).text(id.as_str()).bytes();
    let standing = changes.edit_or(&PARTNERS, &key, Standing::default)?;
    if let Some(tier) = tier {
        standing.tier.clone_from(tier);
    }
    if let Some(territories) = territories {
        standing.territories.clone_from(territories);
    }
    Ok(())
}

/// Where a deal counts, and with how much.
#[derive(PartialEq, Eq)]
struct Counted {
    cell: Vec<u8>,
    minor: i128,
}

impl Counted {
    fn of(program: &ProgramId, facts: &Facts) -> Self {
        let key = Key::of(program).text(facts.partner.as_str()).bytes();
        let cell = postcard::to_extend(&facts.borrowed_cell(), key)
            .expect("a Vec takes any number of bytes, and no part of the key refuses to serialize");
        Self { cell, minor: facts.minor().into() }
    }

    /// Counts a deal here, and no longer where it counted before.
    fn replace(&self, before: Option<Self>, changes: &mut Changes<'_>, id: &DealId) -> Result<(), FoldError> {
        if before.as_ref() == Some(self) {
            return Ok(());
        }
        let mut deals = 1;
        let mut minor = self.minor;
        if let Some(before) = before {
            let missing = || FoldError::Impossible(format!("deal {id} counts in a cell that is not there"));
            let cell = changes.edit(&CELLS, &before.cell)?.filter(|cell| cell.deals > 0).ok_or_else(missing)?;
            if before.cell == self.cell {
                deals = 0;
                minor -= before.minor;
            } else {
                cell.deals -= 1;
                cell.minor -= before.minor;
                if cell.deals == 0 {
                    changes.delete(&CELLS, before.cell);
                }
            }
        }
        let cell = changes.edit_or(&CELLS, &self.cell, Cell::default)?;
        cell.deals += deals;
        cell.minor += minor;
        Ok(())
    }
}
