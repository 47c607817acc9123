//! How the sale goes.

use pactum_domain::command::{Command, DealCommand};
use pactum_ids::ProgramId;
use smol_str::SmolStr;

use super::to;
use crate::proto::deal::v1 as proto;
use crate::request::fields::Fields;

/// `ChangeDealStage`.
pub(in crate::request) fn change_stage(
    request: proto::ChangeDealStageRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, Some(DealCommand::ChangeStage { stage: SmolStr::new(&request.stage) }))
}

/// `WinDeal`.
pub(in crate::request) fn win(request: proto::WinDealRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    let amount = fields.required("amount", request.amount.as_ref()).and_then(|amount| fields.money("amount", amount));
    let closed_on = fields.date("closed_on", &request.closed_on);
    let command = amount.zip(closed_on).map(|(amount, closed_on)| DealCommand::Win { amount, closed_on });
    to(fields, &request.name, command)
}

/// `LoseDeal`.
pub(in crate::request) fn lose(
    request: proto::LoseDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let closed_on = fields.date("closed_on", &request.closed_on);
    let command = closed_on.map(|closed_on| DealCommand::Lose { reason: request.reason, closed_on });
    to(fields, &request.name, command)
}

/// `ReopenDeal`.
pub(in crate::request) fn reopen(
    request: proto::ReopenDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, Some(DealCommand::Reopen { reason: request.reason }))
}
