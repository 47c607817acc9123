//! Bad input: each kind has a typed error, and none has an effect.

use std::sync::Arc;

use pactum_api::proto::common::v1::{Customer, Money};
use pactum_api::proto::deal::v1::{
    CloseOpportunityRequest, ConflictKind, Deal, DealState, OpenOpportunityRequest, Opportunity, RegisterDealRequest,
    WinDealRequest, WithdrawDealRequest,
};
use pactum_api::proto::program::v1::{CreateProgramRequest, Program};
use pactum_command::CommandOptions;
use prost::Message;
use tonic::{Code, Status};

use crate::fixture::{ADMIN, NORTH, POLICY, SOUTH, acme, deal_name, deal_of, register};
use crate::raw;
use crate::server::{Server, fields, memory_log, reason, records};

const REGISTER: &str = "/pactum.deal.v1.DealService/RegisterDeal";

fn check(status: &Status, code: Code, expected: &str) {
    assert_eq!((status.code(), reason(status).as_str()), (code, expected), "{status:?}");
}

#[tokio::test]
async fn a_registration_that_cannot_be_is_refused_with_its_field() {
    let log = memory_log();
    let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
    let admin = acme(&server).await;
    let before = records(&log).await.len();
    let deal = || deal_of("north", "example.com");
    let with = |deal: Deal| RegisterDealRequest { deal: Some(deal), ..register("north", "d-1", "") };
    let money = |code: &str, minor| Some(Money { currency_code: code.into(), minor });
    let stamp = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let rows = [
        (RegisterDealRequest { parent: "acme".into(), ..with(deal()) }, "parent"),
        (RegisterDealRequest { deal_id: "a/b".into(), ..with(deal()) }, "deal_id"),
        (RegisterDealRequest { deal_id: "x".repeat(64), ..with(deal()) }, "deal_id"),
        (RegisterDealRequest { request_id: "two words".into(), ..with(deal()) }, "request_id"),
        (RegisterDealRequest { etag: "seven".into(), ..with(deal()) }, "etag"),
        (RegisterDealRequest { deal: None, ..with(deal()) }, "deal"),
        (with(Deal { partner: "north".into(), ..deal() }), "deal.partner"),
        (with(Deal { customer: None, ..deal() }), "deal.customer"),
        (with(Deal { amount: money("USD", -1), ..deal() }), "deal.amount"),
        (with(Deal { amount: money("XXQ", 1), ..deal() }), "deal.amount.currency_code"),
        (with(Deal { amount: money("usd", 1), ..deal() }), "deal.amount.currency_code"),
        (with(Deal { close_date: "2027-02-30".into(), ..deal() }), "deal.close_date"),
        (with(Deal { close_date: "2300-01-01".into(), ..deal() }), "deal.close_date"),
        (with(Deal { close_date: "tomorrow".into(), ..deal() }), "deal.close_date"),
        (with(Deal { title: "x".repeat(500), ..deal() }), "deal.title"),
        (with(Deal { title: "bell\u{7}".into(), ..deal() }), "deal.title"),
        (with(Deal { stage: "unheard of".into(), ..deal() }), "deal.stage"),
        (RegisterDealRequest { occurred_at: stamp(9_999_999_999_999), ..with(deal()) }, "occurred_at"),
        (RegisterDealRequest { occurred_at: stamp(-9_999_999_999), ..with(deal()) }, "occurred_at"),
        (
            with(Deal { customer: Some(Customer { duns: "123456789".into(), ..Customer::default() }), ..deal() }),
            "deal.customer.duns",
        ),
    ];
    for (request, field) in rows {
        let refused = admin.deals().register_deal(admin.request(request.clone())).await;
        let refused = refused.err().unwrap_or_else(|| panic!("taken, although {field} is wrong: {request:?}"));
        check(&refused, Code::InvalidArgument, "INVALID_FIELD");
        assert!(fields(&refused).iter().any(|at| at == field), "{field}: {:?}", fields(&refused));
    }
    assert_eq!(records(&log).await.len(), before);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    let deal = Deal { partner: "?".into(), close_date: "?".into(), ..deal_of("north", "example.com") };
    let request = RegisterDealRequest { deal_id: "?".into(), deal: Some(deal), ..register("north", "", "") };
    let refused = admin.deals().register_deal(admin.request(request)).await.unwrap_err();
    assert_eq!(fields(&refused), ["deal_id", "deal.partner", "deal.close_date"]);
}

#[tokio::test]
async fn currencies_do_not_mix_and_amounts_do_not_wrap() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    admin.deals().register_deal(admin.request(register("north", "d-1", "example.com"))).await.unwrap();
    let win = |code: &str, minor| WinDealRequest {
        name: deal_name("d-1"),
        amount: Some(Money { currency_code: code.into(), minor }),
        ..WinDealRequest::default()
    };
    for (code, minor) in [("EUR", 1), ("USD", -1), ("USD", i64::MIN)] {
        let refused = admin.deals().win_deal(admin.request(win(code, minor))).await.unwrap_err();
        check(&refused, Code::InvalidArgument, "INVALID_FIELD");
    }
    let most = admin.deals().win_deal(admin.request(win("USD", i64::MAX))).await;
    match most {
        Ok(answer) => assert_eq!(answer.into_inner().deal.unwrap().amount.unwrap().minor, i64::MAX),
        Err(refused) => check(&refused, Code::InvalidArgument, "INVALID_FIELD"),
    }
}

#[tokio::test]
async fn who_may_not_ask_is_told_no_more_than_that() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    admin.deals().register_deal(admin.request(register("north", "d-1", "example.com"))).await.unwrap();

    let nobody = server.by(ADMIN).deals().register_deal(register("north", "", "example.org")).await.unwrap_err();
    check(&nobody, Code::Unauthenticated, "UNAUTHENTICATED");

    let stranger = server.by("program-admin@globex");
    let refused = stranger.deals().register_deal(stranger.request(register("north", "", "example.org"))).await;
    check(&refused.unwrap_err(), Code::PermissionDenied, "OTHER_PROGRAM");

    // A competitor's deal and one that never was are the same to a partner.
    let south = server.by(SOUTH);
    let withdraw =
        |id: &str| WithdrawDealRequest { name: deal_name(id), reason: "mine".into(), ..WithdrawDealRequest::default() };
    let theirs = south.deals().withdraw_deal(south.request(withdraw("d-1"))).await.unwrap_err();
    let none = south.deals().withdraw_deal(south.request(withdraw("d-9"))).await.unwrap_err();
    check(&theirs, Code::NotFound, "NOT_FOUND");
    assert_eq!(theirs.message().replace("d-1", "d-9"), none.message());

    let north = server.by(NORTH);
    let backdated = RegisterDealRequest {
        occurred_at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        ..register("north", "", "example.org")
    };
    let refused = north.deals().register_deal(north.request(backdated)).await.unwrap_err();
    check(&refused, Code::PermissionDenied, "FORBIDDEN");
}

#[tokio::test]
async fn programs_have_to_exist_and_be_created_by_their_own() {
    let server = Server::over_memory().await;
    let admin = server.by(ADMIN);
    let early = admin.deals().register_deal(admin.request(register("north", "", "example.com"))).await.unwrap_err();
    check(&early, Code::NotFound, "PROGRAM_NOT_FOUND");

    let create = |id: &str, policy: &str, currency: &str| CreateProgramRequest {
        program_id: id.into(),
        program: Some(Program { display_name: id.into(), currency_code: currency.into(), ..Program::default() }),
        policy_document: policy.into(),
        ..CreateProgramRequest::default()
    };
    let mut programs = admin.programs();
    let rows = [
        (create("globex", POLICY, "USD"), Code::PermissionDenied, "OTHER_PROGRAM"),
        (create("", POLICY, "USD"), Code::InvalidArgument, "INVALID_FIELD"),
        (create("acme", POLICY, "dollars"), Code::InvalidArgument, "INVALID_FIELD"),
        (create("acme", "tiers: 7", "USD"), Code::InvalidArgument, "INVALID_POLICY"),
    ];
    for (request, code, why) in rows {
        let refused = programs.create_program(admin.request(request)).await.unwrap_err();
        check(&refused, code, why);
    }
    programs.create_program(admin.request(create("acme", POLICY, "USD"))).await.unwrap();
    let twice = programs.create_program(admin.request(create("acme", POLICY, "USD"))).await.unwrap_err();
    check(&twice, Code::AlreadyExists, "ALREADY_EXISTS");
}

#[tokio::test]
async fn what_is_no_message_is_the_callers_fault() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    // `parent` is field 1, text: 0xFF is in no UTF-8.
    let not_text = raw::send(&admin, REGISTER, vec![0x0A, 2, 0xC3, 0xFF]).await.unwrap_err();
    check(&not_text, Code::InvalidArgument, "MALFORMED_MESSAGE");
    let cut_off = raw::send(&admin, REGISTER, vec![0x0A, 200]).await.unwrap_err();
    check(&cut_off, Code::InvalidArgument, "MALFORMED_MESSAGE");

    let whole = register("north", "d-1", "example.com").encode_to_vec();
    raw::send(&admin, REGISTER, whole).await.unwrap();
}

#[tokio::test]
async fn messages_have_a_limit() {
    let options = CommandOptions { max_message_bytes: 4096, ..CommandOptions::default() };
    let server = Server::start(memory_log(), options).await;
    let admin = acme(&server).await;
    let deal = Deal { title: "x".repeat(5000), ..deal_of("north", "example.com") };
    let request = RegisterDealRequest { deal: Some(deal), ..register("north", "", "") };
    let refused = admin.deals().register_deal(admin.request(request)).await.unwrap_err();
    check(&refused, Code::InvalidArgument, "TOO_LARGE");
}

#[tokio::test]
async fn an_opportunity_is_the_vendors_and_stands_in_the_way() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    let open = OpenOpportunityRequest {
        parent: "programs/acme".into(),
        opportunity_id: "o-1".into(),
        opportunity: Some(Opportunity {
            customer: Some(Customer { domain: "example.com".into(), ..Customer::default() }),
            ..Opportunity::default()
        }),
        ..OpenOpportunityRequest::default()
    };
    let opened = admin.opportunities().open_opportunity(admin.request(open.clone())).await.unwrap().into_inner();
    assert_eq!(opened.opportunity.unwrap().name, "programs/acme/opportunities/o-1");
    let twice = admin.opportunities().open_opportunity(admin.request(open)).await.unwrap_err();
    check(&twice, Code::AlreadyExists, "ALREADY_EXISTS");

    let north = server.by(NORTH);
    let deal = north.deals().register_deal(north.request(register("north", "d-1", "example.com"))).await.unwrap();
    let deal = deal.into_inner().deal.unwrap();
    assert_eq!(deal.state(), DealState::Conflicted);
    assert_eq!(deal.conflicts[0].kind(), ConflictKind::VendorOpportunity);

    let close = |id: &str| CloseOpportunityRequest {
        name: format!("programs/acme/opportunities/{id}"),
        reason: "lost".into(),
        ..CloseOpportunityRequest::default()
    };
    admin.opportunities().close_opportunity(admin.request(close("o-1"))).await.unwrap();
    let unknown = admin.opportunities().close_opportunity(admin.request(close("o-2"))).await.unwrap_err();
    check(&unknown, Code::NotFound, "NOT_FOUND");
}
