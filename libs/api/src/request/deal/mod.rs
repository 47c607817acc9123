//! Requests about deals.

pub(super) mod registration;
pub(super) mod review;
pub(super) mod sale;

use pactum_domain::command::{Command, DealCommand};
use pactum_ids::{DealName, ProgramId};

use super::fields::Fields;

/// A command to the deal of that name.
fn to(fields: &mut Fields<'_>, name: &str, command: Option<DealCommand>) -> Option<(ProgramId, Command)> {
    let (program, id) = fields.name::<DealName>("name", name)?;
    Some((program, Command::Deal(id, command?)))
}
