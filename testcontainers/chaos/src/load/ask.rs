//! What clients ask: requests that meet on few accounts, so that most of them depend on each other.

use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::proto::common::v1 as common;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::partner::v1 as partner;
use pactum_api::proto::program::v1 as program;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Partners of every program.
pub(super) const PARTNERS: [&str; 3] = ["north", "south", "east"];

/// Customers of every program.
const ACCOUNTS: u32 = 12;

/// Approves at once what meets nothing.
const POLICY: &str = "\
tiers:
  - id: silver
stages:
  - id: open
    probability: 25
  - id: proposal
    probability: 50
products:
  - id: platform
  - id: add-on
deal_registration:
  protection_days: 90
  max_extensions: 2
  max_extension_days: 30
  auto_approve: \"true\"
";

/// The requests that make a program with active partners, in order.
pub(super) fn setup(id: &str) -> Vec<Request> {
    let parent = format!("programs/{id}");
    let mut requests = vec![Request::CreateProgram(program::CreateProgramRequest {
        program_id: id.into(),
        request_id: format!("setup-{id}"),
        program: Some(program::Program { display_name: id.into(), currency_code: "USD".into(), ..Default::default() }),
        policy_document: POLICY.into(),
        ..Default::default()
    })];
    for own in PARTNERS {
        let name = format!("{parent}/partners/{own}");
        let request_id = |step: &str| format!("setup-{own}-{step}");
        requests.push(Request::CreatePartner(partner::CreatePartnerRequest {
            parent: parent.clone(),
            partner_id: own.into(),
            request_id: request_id("create"),
            partner: Some(partner::Partner { display_name: own.into(), ..Default::default() }),
            ..Default::default()
        }));
        requests.push(Request::ApprovePartner(partner::ApprovePartnerRequest {
            name: name.clone(),
            request_id: request_id("approve"),
            ..Default::default()
        }));
        requests.push(Request::EnrollPartner(partner::EnrollPartnerRequest {
            name: name.clone(),
            request_id: request_id("enroll"),
            tier: "silver".into(),
            partner_type: "reseller".into(),
            ..Default::default()
        }));
        requests.push(Request::ActivatePartner(partner::ActivatePartnerRequest {
            name,
            request_id: request_id("activate"),
            ..Default::default()
        }));
    }
    requests
}

/// A registration for one of few customers, all products or one.
pub(super) fn register(
    program: &str,
    partner: &str,
    request_id: String,
    id: String,
    validate_only: bool,
    rng: &mut ChaCha8Rng,
) -> Request {
    let products = [&[][..], &["platform"], &["add-on"]][rng.random_range(0..3)];
    Request::RegisterDeal(deal::RegisterDealRequest {
        parent: format!("programs/{program}"),
        request_id,
        validate_only,
        deal: Some(deal::Deal {
            partner: format!("programs/{program}/partners/{partner}"),
            title: format!("deal {id}"),
            customer: Some(common::Customer {
                domain: format!("c{}-example.com", rng.random_range(0..ACCOUNTS)),
                ..Default::default()
            }),
            scope: Some(common::Scope {
                products: products.iter().map(ToString::to_string).collect(),
                ..Default::default()
            }),
            amount: rng.random_bool(0.7).then(|| usd(rng.random_range(1..1_000_000))),
            ..Default::default()
        }),
        deal_id: id,
        ..Default::default()
    })
}

fn usd(minor: i64) -> common::Money {
    common::Money { currency_code: "USD".into(), minor }
}

/// Something done to a deal that may or may not be there, open, protected, or another's.
pub(super) fn verb(name: String, request_id: String, rng: &mut ChaCha8Rng) -> Request {
    // Now and then with an etag, which is mostly stale by then.
    let etag = if rng.random_bool(0.1) { rng.random_range(1..4_u32).to_string() } else { String::new() };
    match rng.random_range(0..100) {
        0..25 => Request::WithdrawDeal(deal::WithdrawDealRequest {
            name,
            request_id,
            etag,
            validate_only: rng.random_bool(0.2),
            reason: "no budget".into(),
            ..Default::default()
        }),
        25..45 => Request::WinDeal(deal::WinDealRequest {
            name,
            request_id,
            etag,
            // Below nothing is refused before any rule is asked.
            amount: Some(usd(rng.random_range(-50..1_000))),
            ..Default::default()
        }),
        45..65 => Request::LoseDeal(deal::LoseDealRequest {
            name,
            request_id,
            etag,
            reason: "price".into(),
            ..Default::default()
        }),
        65..78 => Request::ExtendDealProtection(deal::ExtendDealProtectionRequest {
            name,
            request_id,
            etag,
            days: rng.random_range(0..35),
            reason: "the customer needs longer".into(),
            evidence: vec![1],
            ..Default::default()
        }),
        78..86 => Request::ApproveDeal(deal::ApproveDealRequest { name, request_id, etag, ..Default::default() }),
        86..90 => Request::RejectDeal(deal::RejectDealRequest {
            name,
            request_id,
            etag,
            reason_code: "CONFLICT".into(),
            ..Default::default()
        }),
        90..96 => Request::ChangeDealStage(deal::ChangeDealStageRequest {
            name,
            request_id,
            etag,
            stage: ["open", "proposal", "nowhere"][rng.random_range(0..3)].into(),
            ..Default::default()
        }),
        _ => Request::ReopenDeal(deal::ReopenDealRequest {
            name,
            request_id,
            etag,
            reason: "they called again".into(),
            ..Default::default()
        }),
    }
}
