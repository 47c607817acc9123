//! Drafts and registrations. `RegisterDeal` is the busiest request of all: its texts are moved, not copied.

use pactum_domain::command::{Command, DealCommand, Draft, HistoryTerms, Submission};
use pactum_ids::{DealId, DealName, PartnerId, PartnerName, ProgramId};

use super::to;
use crate::proto::deal::v1 as proto;
use crate::request::fields::{Fields, optional};

/// `CreateDeal`.
pub(in crate::request) fn draft(
    request: proto::CreateDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let program = fields.program("parent", &request.parent);
    let id = deal_id(fields, &request.deal_id);
    let deal = fields.required("deal", request.deal)?;
    let partner = partner(fields, &deal.partner);
    let customer = match &deal.customer {
        None => Some(None),
        Some(customer) => fields.customer("deal.customer", customer).map(Some),
    };
    let scope = fields.scope("deal.scope", deal.scope.as_ref());
    let amount = fields.optional_money("deal.amount", deal.amount.as_ref());
    let expected_close = fields.date("deal.close_date", &deal.close_date);
    let previous_deal = fields.optional_reference::<DealName>("deal.previous_deal", &deal.previous_deal);
    let draft = Draft {
        partner: partner?,
        title: deal.title,
        customer: customer?,
        scope: scope?,
        amount: amount?,
        expected_close: expected_close?,
        stage: optional(&deal.stage),
        previous_deal: previous_deal?,
    };
    Some((program?, Command::Deal(id?, DealCommand::Draft(draft))))
}

/// `RegisterDeal`.
pub(in crate::request) fn register(
    request: proto::RegisterDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let program = fields.program("parent", &request.parent);
    let id = deal_id(fields, &request.deal_id);
    if request.history.is_some() && !fields.caller().brings_history() {
        fields.forbid("only program admins and connectors may bring history in");
    }
    let history = request.history.map(|terms| HistoryTerms { protection_days: terms.protection_days });
    let submission = submission(fields, request.deal, history);
    Some((program?, Command::Deal(id?, DealCommand::Register(submission?))))
}

/// `ResubmitDeal`.
pub(in crate::request) fn resubmit(
    request: proto::ResubmitDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let command = submission(fields, request.deal, None).map(DealCommand::Resubmit);
    to(fields, &request.name, command)
}

/// `SubmitDeal`.
pub(in crate::request) fn submit(
    request: proto::SubmitDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    let command = DealCommand::Submit { new_account: fields.ids().account() };
    to(fields, &request.name, Some(command))
}

/// `WithdrawDeal`.
pub(in crate::request) fn withdraw(
    request: proto::WithdrawDealRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    to(fields, &request.name, Some(DealCommand::Withdraw { reason: request.reason }))
}

fn deal_id(fields: &mut Fields<'_>, id: &str) -> Option<DealId> {
    fields.id("deal_id", id, |ids| ids.deal())
}

/// Whose deal it is: the caller's own partner where the field is left out.
fn partner(fields: &mut Fields<'_>, name: &str) -> Option<PartnerId> {
    match fields.caller().partner() {
        Some(own) if name.is_empty() => Some(own.clone()),
        None if name.is_empty() => fields.required("deal.partner", None),
        _ => fields.reference::<PartnerName>("deal.partner", name),
    }
}

fn submission(fields: &mut Fields<'_>, deal: Option<proto::Deal>, history: Option<HistoryTerms>) -> Option<Submission> {
    let deal = fields.required("deal", deal)?;
    let partner = partner(fields, &deal.partner);
    let customer = fields
        .required("deal.customer", deal.customer.as_ref())
        .and_then(|customer| fields.customer("deal.customer", customer));
    let scope = fields.scope("deal.scope", deal.scope.as_ref());
    let amount = fields.optional_money("deal.amount", deal.amount.as_ref());
    let expected_close = fields.date("deal.close_date", &deal.close_date);
    let previous_deal = fields.optional_reference::<DealName>("deal.previous_deal", &deal.previous_deal);
    Some(Submission {
        partner: partner?,
        title: deal.title,
        customer: customer?,
        new_account: fields.ids().account(),
        scope: scope?,
        amount: amount?,
        expected_close: expected_close?,
        stage: optional(&deal.stage),
        previous_deal: previous_deal?,
        history,
    })
}
