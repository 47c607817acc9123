//! A program to play in, and requests to it.

use pactum_api::proto::common::v1::{Customer, Money, Scope};
use pactum_api::proto::deal::v1::{Deal, RegisterDealRequest};
use pactum_api::proto::partner::v1::{
    ActivatePartnerRequest, ApprovePartnerRequest, CreatePartnerRequest, EnrollPartnerRequest, Partner,
};
use pactum_api::proto::program::v1::{CreateProgramRequest, Program};

use crate::server::{Client, Server};

/// Everything is approved at once that is not in conflict.
pub(crate) const POLICY: &str = r#"
tiers:
  - id: gold
stages:
  - { id: new, probability: 10 }
  - { id: late, probability: 80 }
deal_registration:
  protection_days: 30
  max_extensions: 2
  max_extension_days: 10
  auto_approve: "true"
  on_conflict: review
request_window_days: 7
"#;

pub(crate) const ADMIN: &str = "program-admin@acme";
pub(crate) const NORTH: &str = "partner-sales:north@acme";
pub(crate) const SOUTH: &str = "partner-sales:south@acme";

/// A server with the program `acme` and its active partners `north` and `south`.
pub(crate) async fn acme(server: &Server) -> Client {
    let admin = server.by(ADMIN);
    create_program(&admin, "acme").await;
    for partner in ["north", "south"] {
        activate_partner(&admin, "acme", partner).await;
    }
    admin
}

pub(crate) async fn create_program(admin: &Client, id: &str) {
    let create = CreateProgramRequest {
        program_id: id.into(),
        program: Some(Program { display_name: id.into(), currency_code: "USD".into(), ..Program::default() }),
        policy_document: POLICY.into(),
        ..CreateProgramRequest::default()
    };
    admin.programs().create_program(admin.request(create)).await.unwrap();
}

pub(crate) async fn activate_partner(admin: &Client, program: &str, id: &str) {
    let mut partners = admin.partners();
    let name = format!("programs/{program}/partners/{id}");
    let create = CreatePartnerRequest {
        parent: format!("programs/{program}"),
        partner_id: id.into(),
        partner: Some(Partner { display_name: id.into(), ..Partner::default() }),
        ..CreatePartnerRequest::default()
    };
    partners.create_partner(admin.request(create)).await.unwrap();
    let approve = ApprovePartnerRequest { name: name.clone(), ..ApprovePartnerRequest::default() };
    partners.approve_partner(admin.request(approve)).await.unwrap();
    let enroll = EnrollPartnerRequest {
        name: name.clone(),
        tier: "gold".into(),
        partner_type: "reseller".into(),
        ..EnrollPartnerRequest::default()
    };
    partners.enroll_partner(admin.request(enroll)).await.unwrap();
    let activate = ActivatePartnerRequest { name, ..ActivatePartnerRequest::default() };
    partners.activate_partner(admin.request(activate)).await.unwrap();
}

pub(crate) fn deal_of(partner: &str, domain: &str) -> Deal {
    Deal {
        partner: format!("programs/acme/partners/{partner}"),
        title: format!("{partner} sells to {domain}"),
        customer: Some(Customer { domain: domain.into(), ..Customer::default() }),
        scope: Some(Scope::default()),
        amount: Some(Money { currency_code: "USD".into(), minor: 105_400 }),
        close_date: "2027-03-31".into(),
        ..Deal::default()
    }
}

pub(crate) fn register(partner: &str, id: &str, domain: &str) -> RegisterDealRequest {
    RegisterDealRequest {
        parent: "programs/acme".into(),
        deal_id: id.into(),
        deal: Some(deal_of(partner, domain)),
        ..RegisterDealRequest::default()
    }
}

pub(crate) fn deal_name(id: &str) -> String {
    format!("programs/acme/deals/{id}")
}
