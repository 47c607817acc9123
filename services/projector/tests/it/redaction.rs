//! Callers of a partner: their own deals, and nothing by which a competitor could be told.

use pactum_api::proto::audit::v1::list_ownership_history_request::Subject;
use pactum_api::proto::audit::v1::{ClaimKind, ListOwnershipHistoryRequest, ListOwnershipHistoryResponse};
use pactum_api::proto::common::v1::Customer;
use pactum_api::proto::deal::v1::{
    Deal, GetDealRequest, ListDealsRequest, MarkDealDuplicateRequest, ReassignDealRequest, RegisterDealRequest,
};
use pactum_api::proto::partner::v1::{GetPartnerRequest, ListPartnersRequest};
use pactum_api::proto::pipeline::v1::{PipelineDimension, PipelineFilter, QueryPipelineRequest};
use pactum_api::proto::program::v1::GetProgramRequest;
use tempfile::{TempDir, tempdir};
use tonic::Code;

use crate::system::{ADMIN, Client, NORTH, SOUTH, System, acme, deal_name, deal_of, held_by_all, memory_log, reason};

/// `north` holds `example.com`; `south` came later, in conflict.
async fn contested() -> (System, TempDir, u64) {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let (north, south) = (system.by(NORTH), system.by(SOUTH));
    register(&north, "n-1", "north").await;
    let sequence = register(&south, "s-1", "south").await;
    held_by_all(&system.by(ADMIN), sequence).await;
    (system, data, sequence)
}

/// Registers on every product, so that any two collide.
async fn register(client: &Client, id: &str, partner: &str) -> u64 {
    let deal = Deal { scope: None, ..deal_of(partner, "example.com") };
    let register = RegisterDealRequest {
        parent: "programs/acme".into(),
        deal_id: id.into(),
        deal: Some(deal),
        ..Default::default()
    };
    client.deals().register_deal(client.request(register)).await.unwrap().into_inner().sequence
}

async fn history(client: &Client, subject: Subject, min_sequence: u64) -> ListOwnershipHistoryResponse {
    let ask = ListOwnershipHistoryRequest {
        parent: "programs/acme".into(),
        min_sequence,
        subject: Some(subject),
        ..Default::default()
    };
    client.ownership().list_ownership_history(client.request(ask)).await.unwrap().into_inner()
}

/// Nothing in an answer may name what belongs to `north`.
fn tells_nothing_of_north(answer: &impl std::fmt::Debug) {
    let text = format!("{answer:?}");
    for secret in ["north", "n-1", "7777777", "a-north"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn anothers_deal_does_not_exist() {
    let (system, _data, min_sequence) = contested().await;
    let south = system.by(SOUTH);
    let get = |id: &str| GetDealRequest { name: deal_name(id), min_sequence, ..Default::default() };
    let foreign = south.deal_queries().get_deal(south.request(get("n-1"))).await.unwrap_err();
    let missing = south.deal_queries().get_deal(south.request(get("nothing"))).await.unwrap_err();
    assert_eq!((foreign.code(), reason(&foreign)), (missing.code(), reason(&missing)));
    assert_eq!(foreign.message().replace("n-1", "nothing"), missing.message());

    let own = south.deal_queries().get_deal(south.request(get("s-1"))).await.unwrap().into_inner();
    let mut deal = own.deal.unwrap();
    assert!(!deal.conflicts.is_empty() && deal.conflicts.iter().any(|conflict| conflict.redacted));
    deal.amount = None;
    tells_nothing_of_north(&deal);

    let list =
        |filter: &str| ListDealsRequest { parent: "programs/acme".into(), filter: filter.into(), ..Default::default() };
    for filter in ["", "deal.partner == 'north'", "deal.partner != 'south' || true"] {
        let answer = south.deal_queries().list_deals(south.request(list(filter))).await.unwrap().into_inner();
        assert!(answer.deals.iter().all(|deal| deal.name == deal_name("s-1")), "{filter}");
    }
    system.stop().await;
}

#[tokio::test]
async fn other_partners_and_the_policy_are_not_shown() {
    let (system, _data, min_sequence) = contested().await;
    let south = system.by(SOUTH);
    let get = GetPartnerRequest { name: "programs/acme/partners/north".into(), min_sequence, ..Default::default() };
    let error = south.partner_queries().get_partner(south.request(get)).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let list = ListPartnersRequest { parent: "programs/acme".into(), ..Default::default() };
    let answer = south.partner_queries().list_partners(south.request(list)).await.unwrap().into_inner();
    assert_eq!(answer.partners.len(), 1);
    tells_nothing_of_north(&answer);
    let get = GetProgramRequest { name: "programs/acme".into(), min_sequence, ..Default::default() };
    let program = south.program_queries().get_program(south.request(get)).await.unwrap().into_inner().program.unwrap();
    assert_eq!((program.policy_version, program.policy_document.as_str()), (1, ""));
    system.stop().await;
}

#[tokio::test]
async fn the_pipeline_counts_own_deals_only() {
    let (system, _data, min_sequence) = contested().await;
    let south = system.by(SOUTH);
    for partners in [vec![], vec!["north".to_owned()]] {
        let ask = QueryPipelineRequest {
            parent: "programs/acme".into(),
            min_sequence,
            filter: Some(PipelineFilter { all_states: true, partners: partners.clone(), ..Default::default() }),
            group_by: vec![PipelineDimension::Partner.into()],
            ..Default::default()
        };
        let answer = south.pipeline().query_pipeline(south.request(ask.clone())).await.unwrap().into_inner();
        assert_eq!(answer.totals.unwrap().deals, u64::from(partners.is_empty()));
        // The same question of the vendor is another answer, kept or not.
        let admin = system.by(ADMIN);
        let whole = admin.pipeline().query_pipeline(admin.request(ask)).await.unwrap().into_inner();
        assert_eq!(whole.totals.unwrap().deals, if partners.is_empty() { 2 } else { 1 });
    }
    system.stop().await;
}

#[tokio::test]
async fn history_tells_that_others_were_there_and_when_but_not_who() {
    let (system, _data, min_sequence) = contested().await;
    let (admin, south) = (system.by(ADMIN), system.by(SOUTH));
    let whole = history(&admin, Subject::Deal(deal_name("s-1")), min_sequence).await;
    let seen = history(&south, Subject::Deal(deal_name("s-1")), min_sequence).await;
    let order = |answer: &ListOwnershipHistoryResponse| {
        answer.claims.iter().map(|claim| (claim.sequence, claim.kind())).collect::<Vec<_>>()
    };
    assert_eq!(order(&seen), order(&whole));
    assert_eq!(seen.claims[0].kind(), ClaimKind::Registered);
    assert!(seen.claims[0].redacted && seen.claims[0].recorded_at.is_some());
    let own: Vec<_> = seen.claims.iter().filter(|claim| claim.deal == deal_name("s-1")).collect();
    assert!(own.len() >= 2);
    assert_eq!(own[0].amount.as_ref().unwrap().minor, 7_777_777, "its own amount is its own");
    assert!(seen.current.iter().all(|current| current.redacted));
    assert_eq!(whole.current[0].deal, deal_name("n-1"));
    let mut others = seen.clone();
    others.claims.iter_mut().for_each(|claim| claim.amount = None);
    // The account's id was minted when `north` registered, and says nothing of it.
    tells_nothing_of_north(&others);
    system.stop().await;
}

#[tokio::test]
async fn accounts_are_found_only_by_who_has_a_deal_there() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let (admin, south) = (system.by(ADMIN), system.by(SOUTH));
    let min_sequence = register(&admin, "n-1", "north").await;
    let account = history(&admin, Subject::Deal(deal_name("n-1")), min_sequence).await.accounts[0].clone();
    let customer = |domain: &str| Subject::Customer(Customer { domain: domain.into(), ..Default::default() });
    let known = history(&south, customer("example.com"), min_sequence).await;
    let unknown = history(&south, customer("example.org"), min_sequence).await;
    assert_eq!(known, unknown, "a customer of others looks like one nobody knows");
    for (subject, missing) in [
        (Subject::Account(account), Subject::Account("programs/acme/accounts/nothing".into())),
        (Subject::Deal(deal_name("n-1")), Subject::Deal(deal_name("nothing"))),
    ] {
        let ask = |subject| {
            let parent = "programs/acme".to_owned();
            ListOwnershipHistoryRequest { parent, subject: Some(subject), ..Default::default() }
        };
        let mut ownership = south.ownership();
        let foreign = ownership.list_ownership_history(south.request(ask(subject))).await.unwrap_err();
        let missing = ownership.list_ownership_history(south.request(ask(missing))).await.unwrap_err();
        assert_eq!((foreign.code(), reason(&foreign)), (missing.code(), reason(&missing)));
    }
    system.stop().await;
}

#[tokio::test]
async fn a_reassignment_names_neither_side_to_the_other() {
    let (system, _data, _) = contested().await;
    let (admin, north, south) = (system.by(ADMIN), system.by(NORTH), system.by(SOUTH));
    let reassign = ReassignDealRequest {
        name: deal_name("n-1"),
        partner: "programs/acme/partners/south".into(),
        evidence: vec![1],
        reason_code: "DISPUTE".into(),
        note: "north gave way to south".into(),
        ..Default::default()
    };
    let min_sequence = admin.deals().reassign_deal(admin.request(reassign)).await.unwrap().into_inner().sequence;
    let loses = history(&north, Subject::Account(account(&admin, min_sequence).await), min_sequence).await;
    let step = loses.claims.iter().find(|claim| claim.kind() == ClaimKind::Reassigned).unwrap();
    assert_eq!(
        (step.deal.as_str(), step.previous_partner.as_str()),
        (deal_name("n-1").as_str(), "programs/acme/partners/north")
    );
    assert_eq!(step.decision.as_ref().unwrap().reason_code, "DISPUTE");
    assert!(step.redacted && !format!("{step:?}").contains("south"));

    let wins = history(&south, Subject::Deal(deal_name("s-1")), min_sequence).await;
    let step = wins.claims.iter().find(|claim| claim.kind() == ClaimKind::Reassigned).unwrap();
    assert_eq!(step.partner, "programs/acme/partners/south");
    assert!(step.redacted && !format!("{step:?}").contains("north"));
    system.stop().await;
}

async fn account(admin: &Client, min_sequence: u64) -> String {
    history(admin, Subject::Deal(deal_name("n-1")), min_sequence).await.accounts[0].clone()
}

#[tokio::test]
async fn a_duplicate_does_not_say_of_what() {
    let (system, _data, _) = contested().await;
    let (admin, south) = (system.by(ADMIN), system.by(SOUTH));
    let mark = MarkDealDuplicateRequest {
        name: deal_name("s-1"),
        duplicate_of: deal_name("n-1"),
        note: "the same as north's".into(),
        ..Default::default()
    };
    let min_sequence = admin.deals().mark_deal_duplicate(admin.request(mark)).await.unwrap().into_inner().sequence;
    let get = GetDealRequest { name: deal_name("s-1"), min_sequence, ..Default::default() };
    let mut deal = south.deal_queries().get_deal(south.request(get)).await.unwrap().into_inner().deal.unwrap();
    deal.amount = None;
    tells_nothing_of_north(&deal);
    let seen = history(&south, Subject::Deal(deal_name("s-1")), min_sequence).await;
    let step = seen.claims.iter().find(|claim| claim.kind() == ClaimKind::MarkedDuplicate).unwrap();
    assert!(step.redacted);
    tells_nothing_of_north(step);
    // A filter must not tell either what the answer does not.
    for filter in ["deal.duplicate_of == 'n-1'", "has(deal.duplicate_of)"] {
        let list = ListDealsRequest { parent: "programs/acme".into(), filter: filter.into(), ..Default::default() };
        let answer = south.deal_queries().list_deals(south.request(list)).await.unwrap().into_inner();
        assert!(answer.deals.is_empty(), "{filter}");
    }
    system.stop().await;
}
