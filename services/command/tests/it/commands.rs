//! What a caller of one command at a time can rely on.

use std::sync::Arc;

use pactum_api::proto::deal::v1::{
    ApproveDealRequest, ConflictKind, Deal, DealState, ProtectionState, RegisterDealRequest, UpdateDealRequest,
    WithdrawDealRequest,
};
use pactum_api::proto::partner::v1::{Partner, UpdatePartnerRequest};
use pactum_command::CommandOptions;
use tonic::Code;

use crate::fixture::{ADMIN, NORTH, SOUTH, acme, deal_name, register};
use crate::server::{Server, memory_log, reason, records};

#[tokio::test]
async fn of_two_competing_deals_the_first_is_protected_and_the_other_learns_nothing_of_it() {
    let server = Server::over_memory().await;
    acme(&server).await;
    let (north, south) = (server.by(NORTH), server.by(SOUTH));

    let first = north.deals().register_deal(north.request(register("north", "d-1", "example.com"))).await.unwrap();
    let first = first.into_inner();
    let won = first.deal.unwrap();
    assert_eq!(won.name, deal_name("d-1"));
    assert_eq!(won.state(), DealState::Approved);
    assert_eq!(won.protection.unwrap().state(), ProtectionState::Held);

    let second = south.deals().register_deal(south.request(register("south", "d-2", "www.example.com"))).await.unwrap();
    let second = second.into_inner();
    assert!(second.sequence > first.sequence);
    let lost = second.deal.unwrap();
    assert_eq!(lost.state(), DealState::Conflicted);
    assert_eq!(lost.account, won.account);
    let conflict = &lost.conflicts[0];
    assert_eq!(conflict.kind(), ConflictKind::ProtectedByOther);
    let shown = format!("{lost:?}");
    assert!(!shown.contains("north") && !shown.contains("d-1"), "{shown}");

    let refused = south
        .deals()
        .approve_deal(
            server.by(ADMIN).request(ApproveDealRequest { name: deal_name("d-2"), ..ApproveDealRequest::default() }),
        )
        .await
        .unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "PROTECTED"));
}

#[tokio::test]
async fn a_request_that_comes_again_gets_its_first_answer_and_no_second_effect() {
    let (log, north_first, answer) = {
        let log = memory_log();
        let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
        acme(&server).await;
        let north = server.by(NORTH);
        let request = RegisterDealRequest { request_id: "r-1".into(), ..register("north", "", "example.com") };
        let first = north.deals().register_deal(north.request(request.clone())).await.unwrap().into_inner();
        // The deal has moved on; the answer has not.
        let withdraw = WithdrawDealRequest {
            name: first.deal.as_ref().unwrap().name.clone(),
            reason: "no budget".into(),
            ..WithdrawDealRequest::default()
        };
        north.deals().withdraw_deal(north.request(withdraw)).await.unwrap();
        let again = north.deals().register_deal(north.request(request.clone())).await.unwrap().into_inner();
        assert_eq!(again, first);
        let checked = RegisterDealRequest { validate_only: true, ..request.clone() };
        assert_eq!(north.deals().register_deal(north.request(checked)).await.unwrap().into_inner(), first);

        let other = RegisterDealRequest { request_id: "r-1".into(), ..register("north", "", "example.org") };
        let reused = north.deals().register_deal(north.request(other)).await.unwrap_err();
        assert_eq!((reused.code(), reason(&reused).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));

        // Another party's ids are its own: neither its answer nor a refusal may tell of ours.
        let south = server.by(SOUTH);
        let theirs = RegisterDealRequest { request_id: "r-1".into(), ..register("south", "", "example.net") };
        south.deals().register_deal(south.request(theirs)).await.unwrap();
        server.stop().await;
        (log, request, first)
    };
    let with_id = |records: Vec<pactum_events::Record>| {
        records.iter().filter(|record| record.request.as_ref().is_some_and(|r| r.id.as_str() == "r-1")).count()
    };
    assert_eq!(with_id(records(&log).await), 2);

    // The memory is part of the history, not of the process.
    let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
    let north = server.by(NORTH);
    let again = north.deals().register_deal(north.request(north_first)).await.unwrap().into_inner();
    assert_eq!(again, answer);
    server.stop().await;
    assert_eq!(with_id(records(&log).await), 2);
}

#[tokio::test]
async fn a_stale_etag_aborts_and_the_current_one_does_not() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    let register = register("north", "d-1", "example.com");
    let deal = admin.deals().register_deal(admin.request(register)).await.unwrap().into_inner().deal.unwrap();
    let update = |title: &str, etag: &str| UpdateDealRequest {
        deal: Some(Deal { name: deal_name("d-1"), title: title.into(), ..Deal::default() }),
        etag: etag.into(),
        update_mask: Some(prost_types::FieldMask { paths: vec!["title".into()] }),
        ..UpdateDealRequest::default()
    };
    let updated = admin.deals().update_deal(admin.request(update("new", &deal.etag))).await.unwrap().into_inner();
    assert_ne!(updated.deal.unwrap().etag, deal.etag);
    let stale = admin.deals().update_deal(admin.request(update("newer", &deal.etag))).await.unwrap_err();
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "STALE_ETAG"));
}

#[tokio::test]
async fn to_validate_decides_and_answers_and_leaves_nothing() {
    let log = memory_log();
    let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
    let admin = acme(&server).await;
    let before = records(&log).await.len();
    let check = RegisterDealRequest { validate_only: true, ..register("north", "d-1", "example.com") };
    let checked = admin.deals().register_deal(admin.request(check)).await.unwrap().into_inner();
    assert_eq!(checked.deal.as_ref().unwrap().state(), DealState::Approved);

    // A refusal is told, too.
    let wrong = RegisterDealRequest { validate_only: true, ..register("nobody", "d-1", "example.com") };
    let refused = admin.deals().register_deal(admin.request(wrong)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(records(&log).await.len(), before);

    let done = admin.deals().register_deal(admin.request(register("north", "d-1", "example.com"))).await.unwrap();
    let done = done.into_inner();
    assert!(done.sequence > checked.sequence);
    assert_eq!(done.deal.unwrap().etag, checked.deal.unwrap().etag);
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_clears_nothing_else() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    admin.deals().register_deal(admin.request(register("north", "d-1", "example.com"))).await.unwrap();
    let update = UpdateDealRequest {
        deal: Some(Deal { name: deal_name("d-1"), close_date: "2027-06-30".into(), ..Deal::default() }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["close_date".into()] }),
        ..UpdateDealRequest::default()
    };
    let deal = admin.deals().update_deal(admin.request(update)).await.unwrap().into_inner().deal.unwrap();
    assert_eq!(deal.close_date, "2027-06-30");
    assert_eq!(deal.title, "north sells to example.com");
    assert_eq!(deal.amount.unwrap().minor, 105_400);

    let update = UpdatePartnerRequest {
        partner: Some(Partner {
            name: "programs/acme/partners/north".into(),
            country_code: "DE".into(),
            display_name: "ignored".into(),
            ..Partner::default()
        }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["country_code".into()] }),
        ..UpdatePartnerRequest::default()
    };
    let partner = admin.partners().update_partner(admin.request(update)).await.unwrap().into_inner().partner.unwrap();
    assert_eq!((partner.country_code.as_str(), partner.display_name.as_str()), ("DE", "north"));
}

#[tokio::test]
async fn what_holds_already_is_a_success_without_an_event() {
    let log = memory_log();
    let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
    let admin = acme(&server).await;
    let registered = admin.deals().register_deal(admin.request(register("north", "d-1", "example.com"))).await.unwrap();
    let before = records(&log).await.len();
    let approve = ApproveDealRequest { name: deal_name("d-1"), ..ApproveDealRequest::default() };
    let approved = admin.deals().approve_deal(admin.request(approve)).await.unwrap().into_inner();
    assert_eq!(approved.sequence, registered.get_ref().sequence);
    assert_eq!(approved.deal, registered.into_inner().deal);
    assert_eq!(records(&log).await.len(), before);
}
