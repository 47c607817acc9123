//! Updates: the fields that a mask names, or else those that are set. A field left out is never cleared.

use pactum_domain::command::{Amendment, Command, DealCommand, PartnerCommand};
use pactum_domain::partner::ProfileUpdated;
use pactum_ids::{DealName, PartnerName, ProgramId};
use prost_types::FieldMask;
use smol_str::SmolStr;

use super::fields::{Fields, texts};
use super::partner::sorted;
use crate::proto::{common, deal, partner};

/// The fields to change: those the mask names, or where there is none those of `set` that are set.
fn paths(fields: &mut Fields<'_>, mask: Option<FieldMask>, set: &[(&str, bool)]) -> Vec<String> {
    let paths = mask
        .map(|mask| mask.paths)
        .filter(|paths| !paths.is_empty())
        .unwrap_or_else(|| set.iter().filter(|(_, set)| *set).map(|(path, _)| (*path).to_owned()).collect());
    if paths.is_empty() {
        fields.wrong("update_mask", "it names no field, and none is set");
    }
    paths
}

/// Why a path of the mask cannot be changed.
fn refused(fields: &mut Fields<'_>, path: &str, verbs: &[(&str, &str)], allowed: &str) {
    let problem = match verbs.iter().find(|(field, _)| *field == path) {
        Some((_, verb)) => format!("{path} is changed by {verb}"),
        None if path == "*" => format!("name the fields to change: {allowed}"),
        None => format!("{path:?} cannot be changed; what can: {allowed}"),
    };
    fields.wrong("update_mask", problem);
}

/// `UpdateDeal`.
pub(super) fn deal(request: deal::v1::UpdateDealRequest, fields: &mut Fields<'_>) -> Option<(ProgramId, Command)> {
    const ALLOWED: &str = "title, customer, scope, scope.products, scope.territories, amount, close_date";
    const VERBS: [(&str, &str); 3] =
        [("stage", "ChangeDealStage"), ("partner", "ReassignDeal"), ("state", "the verbs of DealService")];
    let mut deal = fields.required("deal", request.deal)?;
    let name = fields.name::<DealName>("deal.name", &deal.name);
    let scope = deal.scope.take().unwrap_or_default();
    let set = [
        ("title", !deal.title.is_empty()),
        ("customer", deal.customer.is_some()),
        ("scope.products", !scope.products.is_empty()),
        ("scope.territories", !scope.territories.is_empty()),
        ("amount", deal.amount.is_some()),
        ("close_date", !deal.close_date.is_empty()),
    ];
    let mut amendment = Amendment::default();
    for path in paths(fields, request.update_mask, &set) {
        match path.as_str() {
            "title" => amendment.title = Some(std::mem::take(&mut deal.title)),
            "customer" => {
                let customer = fields
                    .required("deal.customer", deal.customer.as_ref())
                    .and_then(|customer| fields.customer("deal.customer", customer));
                amendment.customer = customer.map(|customer| (customer, fields.ids().account()));
            }
            "scope" => {
                amendment.products = products(fields, &scope);
                amendment.territories = Some(texts(&scope.territories));
            }
            "scope.products" => amendment.products = products(fields, &scope),
            "scope.territories" => amendment.territories = Some(texts(&scope.territories)),
            "amount" => amendment.amount = fields.optional_money("deal.amount", deal.amount.as_ref()),
            "close_date" => amendment.expected_close = fields.date("deal.close_date", &deal.close_date),
            other => refused(fields, other, &VERBS, ALLOWED),
        }
    }
    let (program, id) = name?;
    Some((program, Command::Deal(id, DealCommand::Amend(amendment))))
}

fn products(fields: &mut Fields<'_>, scope: &common::v1::Scope) -> Option<Vec<pactum_ids::ProductId>> {
    fields.products("deal.scope.products", &scope.products)
}

/// `UpdatePartner`.
pub(super) fn partner(
    request: partner::v1::UpdatePartnerRequest,
    fields: &mut Fields<'_>,
) -> Option<(ProgramId, Command)> {
    const ALLOWED: &str = "display_name, country_code, domain, territories, specialisations, tier";
    const VERBS: [(&str, &str); 3] = [
        ("manager", "AssignPartnerManager"),
        ("partner_type", "EnrollPartner"),
        ("state", "the verbs of PartnerService"),
    ];
    let mut partner = fields.required("partner", request.partner)?;
    let name = fields.name::<PartnerName>("partner.name", &partner.name);
    let set = [
        ("display_name", !partner.display_name.is_empty()),
        ("country_code", !partner.country_code.is_empty()),
        ("domain", !partner.domain.is_empty()),
        ("territories", !partner.territories.is_empty()),
        ("specialisations", !partner.specialisations.is_empty()),
        ("tier", !partner.tier.is_empty()),
    ];
    let mut updated = ProfileUpdated::default();
    for path in paths(fields, request.update_mask, &set) {
        match path.as_str() {
            "display_name" => updated.display_name = Some(std::mem::take(&mut partner.display_name)),
            "country_code" => updated.country = fields.country("partner.country_code", &partner.country_code),
            "domain" => updated.domain = fields.domain("partner.domain", &partner.domain),
            // What a partner holds is the vendor's to grant.
            "territories" | "specialisations" | "tier" if fields.caller().actor.role.is_partner() => {
                fields.forbid("a partner may change its display_name, country_code and domain, nothing else");
            }
            "territories" => updated.territories = Some(sorted(&partner.territories)),
            "specialisations" => updated.specialisations = Some(sorted(&partner.specialisations)),
            "tier" => updated.tier = Some(SmolStr::new(&partner.tier)),
            other => refused(fields, other, &VERBS, ALLOWED),
        }
    }
    let (program, id) = name?;
    Some((program, Command::Partner(id, PartnerCommand::Update(updated))))
}
