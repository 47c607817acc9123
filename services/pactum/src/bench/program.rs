//! The program that registrations are measured on.

use std::net::SocketAddr;

use anyhow::bail;
use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::partner::v1 as partner;
use pactum_api::proto::program::v1 as proto;
use pactum_runtime::token::TokenKey;

use crate::bulk;
use crate::demo::{admin, connect};

/// Its partners: `partner-0` and on.
pub(super) const PARTNERS: u64 = 50;

/// Makes a program of so many active partners and a policy that approves at once. Returns an administrator's token.
pub(super) async fn make(grpc: SocketAddr, key: &TokenKey, program: &str) -> anyhow::Result<String> {
    const POLICY: &str = "tiers: [{id: registered}]\nstages: [{id: open, probability: 20}]\n\n\
                          deal_registration: {protection_days: 90, auto_approve: \"size(deal.products) > 0\"}\n";
    let token = admin(key, program)?;
    let parent = format!("programs/{program}");
    let mut requests = vec![Request::CreateProgram(proto::CreateProgramRequest {
        program_id: program.into(),
        program: Some(proto::Program {
            display_name: "Bench".into(),
            currency_code: "USD".into(),
            ..Default::default()
        }),
        policy_document: POLICY.into(),
        ..Default::default()
    })];
    for number in 0..PARTNERS {
        let name = format!("{parent}/partners/partner-{number}");
        requests.push(Request::CreatePartner(partner::CreatePartnerRequest {
            parent: parent.clone(),
            partner_id: format!("partner-{number}"),
            partner: Some(partner::Partner { display_name: format!("Partner {number}"), ..Default::default() }),
            ..Default::default()
        }));
        requests
            .push(Request::ApprovePartner(partner::ApprovePartnerRequest { name: name.clone(), ..Default::default() }));
        requests.push(Request::EnrollPartner(partner::EnrollPartnerRequest {
            name: name.clone(),
            tier: "registered".into(),
            partner_type: "reseller".into(),
            ..Default::default()
        }));
        requests.push(Request::ActivatePartner(partner::ActivatePartnerRequest { name, ..Default::default() }));
    }
    bulk::execute(connect(grpc, &token).await?, requests, |answer| match answer.outcome {
        Some(Outcome::Result(_)) => Ok(()),
        other => bail!("the bench program could not be made: {other:?}"),
    })
    .await?;
    Ok(token)
}
