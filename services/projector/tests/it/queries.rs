//! What queries answer the vendor, and what they refuse.

use pactum_api::proto::audit::v1::list_ownership_history_request::Subject;
use pactum_api::proto::audit::v1::{ClaimKind, ListOwnershipHistoryRequest};
use pactum_api::proto::common::v1::{Customer, Money};
use pactum_api::proto::deal::v1::{DealState, GetDealRequest, ListDealsRequest, ProtectionState, WinDealRequest};
use pactum_api::proto::partner::v1::{GetPartnerRequest, ListPartnersRequest, PartnerState};
use pactum_api::proto::pipeline::v1::{PipelineDimension, PipelineFilter, QueryPipelineRequest};
use pactum_api::proto::program::v1::{GetProgramRequest, ProgramState};
use tempfile::tempdir;
use tonic::Code;

use crate::system::{ADMIN, POLICY, System, acme, deal_name, memory_log, reason};

#[tokio::test]
async fn a_command_is_seen_in_every_view() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    admin.register("d-1", "north", "example.com").await;
    let min_sequence = admin.register("d-2", "south", "example.com").await;

    let get = GetDealRequest { name: deal_name("d-2"), min_sequence, ..Default::default() };
    let answer = admin.deal_queries().get_deal(admin.request(get)).await.unwrap().into_inner();
    assert!(answer.sequence >= min_sequence);
    let deal = answer.deal.unwrap();
    assert_eq!(deal.state(), DealState::Approved, "it covers another product");
    assert_eq!(deal.protection.unwrap().state(), ProtectionState::Held);

    let list = ListDealsRequest {
        parent: "programs/acme".into(),
        min_sequence,
        filter: "deal.partner == 'south'".into(),
        ..Default::default()
    };
    let answer = admin.deal_queries().list_deals(admin.request(list)).await.unwrap().into_inner();
    assert_eq!(answer.deals.iter().map(|deal| deal.name.as_str()).collect::<Vec<_>>(), [deal_name("d-2")]);

    let get = GetPartnerRequest { name: "programs/acme/partners/south".into(), min_sequence, ..Default::default() };
    let partner = admin.partner_queries().get_partner(admin.request(get)).await.unwrap().into_inner().partner.unwrap();
    assert_eq!((partner.state(), partner.tier.as_str()), (PartnerState::Active, "gold"));
    let list = ListPartnersRequest { parent: "programs/acme".into(), order_by: "id desc".into(), ..Default::default() };
    let partners = admin.partner_queries().list_partners(admin.request(list)).await.unwrap().into_inner().partners;
    assert_eq!(partners.iter().map(|partner| partner.display_name.as_str()).collect::<Vec<_>>(), ["SOUTH", "NORTH"]);

    let get = GetProgramRequest { name: "programs/acme".into(), min_sequence, ..Default::default() };
    let program = admin.program_queries().get_program(admin.request(get)).await.unwrap().into_inner().program.unwrap();
    assert_eq!((program.state(), program.policy_version), (ProgramState::Active, 1));
    assert_eq!(program.policy_document, POLICY);
    system.stop().await;
}

#[tokio::test]
async fn the_pipeline_moves_with_the_deals() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    admin.register("d-1", "north", "example.com").await;
    let mut sequence = admin.register("d-2", "south", "example.org").await;
    let ask = |min_sequence, states: Vec<DealState>| QueryPipelineRequest {
        parent: "programs/acme".into(),
        min_sequence,
        filter: Some(PipelineFilter { states: states.into_iter().map(Into::into).collect(), ..Default::default() }),
        group_by: vec![PipelineDimension::Partner.into(), PipelineDimension::CloseMonth.into()],
        ..Default::default()
    };
    let mut pipeline = admin.pipeline();
    // Twice, so that a kept answer is seen not to outlive its sequence.
    for _ in 0..2 {
        let answer = pipeline.query_pipeline(admin.request(ask(sequence, vec![]))).await.unwrap().into_inner();
        let groups: Vec<_> = answer
            .groups
            .iter()
            .map(|group| {
                let (key, figures) = (group.key.as_ref().unwrap(), group.figures.as_ref().unwrap());
                (key.partner().to_owned(), key.close_month().to_owned(), figures.deals)
            })
            .collect();
        let expected = ["north", "south"].map(|id| (format!("programs/acme/partners/{id}"), "2199-03".to_owned(), 1));
        assert_eq!(groups, expected);
        let totals = answer.totals.unwrap();
        assert_eq!(totals.amounts[0].amount.as_ref().unwrap().minor, 15_555_554);
        // A tenth, 1,555,555.4, to the nearest.
        assert_eq!(totals.amounts[0].weighted_amount.as_ref().unwrap().minor, 1_555_555);
        assert_eq!(answer.policy_version, 1);
    }
    let amount = Some(Money { currency_code: "USD".into(), minor: 5 });
    let win = WinDealRequest { name: deal_name("d-1"), amount, ..Default::default() };
    sequence = admin.deals().win_deal(admin.request(win)).await.unwrap().into_inner().sequence;
    let open = pipeline.query_pipeline(admin.request(ask(sequence, vec![]))).await.unwrap().into_inner();
    assert_eq!((open.totals.unwrap().deals, open.sequence), (1, sequence));
    let won = pipeline.query_pipeline(admin.request(ask(sequence, vec![DealState::Won]))).await.unwrap().into_inner();
    let totals = won.totals.unwrap();
    assert_eq!((totals.deals, totals.amounts[0].weighted_amount.as_ref().unwrap().minor), (1, 5));
    system.stop().await;
}

#[tokio::test]
async fn ownership_is_found_by_account_deal_and_key() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let min_sequence = admin.register("d-1", "north", "example.com").await;
    let ask = |subject| ListOwnershipHistoryRequest {
        parent: "programs/acme".into(),
        min_sequence,
        subject: Some(subject),
        ..Default::default()
    };
    let customer = Customer { domain: "www.example.com".into(), ..Default::default() };
    let mut ownership = admin.ownership();
    let by_deal = ask(Subject::Deal(deal_name("d-1")));
    let by_deal = ownership.list_ownership_history(admin.request(by_deal)).await.unwrap().into_inner();
    let by_key = ask(Subject::Customer(customer));
    let by_key = ownership.list_ownership_history(admin.request(by_key)).await.unwrap().into_inner();
    let by_account = ask(Subject::Account(by_deal.accounts[0].clone()));
    let by_account = ownership.list_ownership_history(admin.request(by_account)).await.unwrap().into_inner();
    assert_eq!(by_deal, by_key);
    assert_eq!(by_deal, by_account);
    let kinds: Vec<_> = by_deal.claims.iter().map(|claim| claim.kind()).collect();
    assert_eq!(kinds, [ClaimKind::Registered, ClaimKind::Approved]);
    let approved = &by_deal.claims[1];
    assert_eq!(approved.request_id, "request-d-1");
    assert_eq!(approved.decision.as_ref().unwrap().reason_code, "AUTO_APPROVED");
    assert_eq!(approved.protection.as_ref().unwrap().state(), ProtectionState::Held);
    assert_eq!(by_deal.current[0].deal, deal_name("d-1"));
    system.stop().await;
}

#[tokio::test]
async fn what_cannot_be_answered_is_told_by_reason() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let list = |filter: &str, order_by: &str, page_token: &str, page_size| ListDealsRequest {
        parent: "programs/acme".into(),
        filter: filter.into(),
        order_by: order_by.into(),
        page_token: page_token.into(),
        page_size,
        ..Default::default()
    };
    for (request, code, expected) in [
        (list("deal.nothing == 1", "", "", 0), Code::InvalidArgument, "INVALID_FILTER"),
        (list("deal.title >", "", "", 0), Code::InvalidArgument, "INVALID_FILTER"),
        (list("", "title", "", 0), Code::InvalidArgument, "INVALID_FIELD"),
        (list("", "", "00", 0), Code::InvalidArgument, "INVALID_PAGE_TOKEN"),
        (list("", "", "", -1), Code::InvalidArgument, "INVALID_FIELD"),
        (ListDealsRequest { parent: "acme".into(), ..Default::default() }, Code::InvalidArgument, "INVALID_FIELD"),
        (
            ListDealsRequest { parent: "programs/b".into(), ..Default::default() },
            Code::PermissionDenied,
            "OTHER_PROGRAM",
        ),
    ] {
        let error = admin.deal_queries().list_deals(admin.request(request.clone())).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (code, expected), "{request:?}");
    }
    let get = |name: String| GetDealRequest { name, min_sequence: 0, ..Default::default() };
    for (caller, name, code, expected) in [
        (ADMIN, deal_name("nothing"), Code::NotFound, "NOT_FOUND"),
        (ADMIN, "programs/acme/deals/".into(), Code::InvalidArgument, "INVALID_FIELD"),
        (ADMIN, "programs/other/deals/d".into(), Code::PermissionDenied, "OTHER_PROGRAM"),
        ("analyst@nowhere", "programs/nowhere/deals/d".into(), Code::NotFound, "PROGRAM_NOT_FOUND"),
    ] {
        let caller = system.by(caller);
        let error = caller.deal_queries().get_deal(caller.request(get(name.clone()))).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (code, expected), "{name}");
    }
    let ask = |filter: PipelineFilter, group_by: Vec<i32>| QueryPipelineRequest {
        parent: "programs/acme".into(),
        filter: Some(filter),
        group_by,
        ..Default::default()
    };
    let both = PipelineFilter { all_states: true, states: vec![DealState::Won.into()], ..Default::default() };
    for request in [
        ask(both, vec![]),
        ask(PipelineFilter { states: vec![99], ..Default::default() }, vec![]),
        ask(PipelineFilter { close_month_from: "2027-13".into(), ..Default::default() }, vec![]),
        ask(PipelineFilter { currencies: vec!["QQQ".into()], ..Default::default() }, vec![]),
        ask(PipelineFilter { partners: vec!["a b".into()], ..Default::default() }, vec![]),
        ask(PipelineFilter { products: vec!["x".into(); 101], ..Default::default() }, vec![]),
        ask(PipelineFilter::default(), vec![0]),
        ask(PipelineFilter::default(), vec![1, 1]),
    ] {
        let error = admin.pipeline().query_pipeline(admin.request(request.clone())).await.unwrap_err();
        assert_eq!(reason(&error), "INVALID_FIELD", "{request:?}");
    }
    let without = ListOwnershipHistoryRequest { parent: "programs/acme".into(), ..Default::default() };
    let error = admin.ownership().list_ownership_history(admin.request(without)).await.unwrap_err();
    assert_eq!(reason(&error), "INVALID_FIELD");
    let mut unnamed = tonic::Request::new(get(deal_name("d")));
    unnamed.metadata_mut().clear();
    let error = admin.deal_queries().get_deal(unnamed).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    system.stop().await;
}

#[tokio::test]
async fn pages_go_through_the_service() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let mut min_sequence = 0;
    for n in 0..7 {
        min_sequence = admin.register(&format!("d-{n}"), "north", &format!("c{n}.com")).await;
    }
    let mut found = Vec::new();
    let mut page_token = String::new();
    loop {
        let parent = "programs/acme".to_owned();
        let list = ListDealsRequest { parent, min_sequence, page_size: 3, page_token, ..Default::default() };
        let answer = admin.deal_queries().list_deals(admin.request(list)).await.unwrap().into_inner();
        found.extend(answer.deals.into_iter().map(|deal| deal.name));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
        min_sequence = 0;
    }
    assert_eq!(found, (0..7).map(|n| deal_name(&format!("d-{n}"))).collect::<Vec<_>>());
    system.stop().await;
}
