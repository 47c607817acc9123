//! From one number of partitions to another, and a system on what arrived.

use pactum_api::proto::common::v1 as common;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_api::proto::pipeline::v1::pipeline_query_service_client::PipelineQueryServiceClient;
use pactum_api::proto::pipeline::v1::{PipelineDimension, PipelineFilter, QueryPipelineRequest, QueryPipelineResponse};

use super::{copied, embedded, made_source, streams_of};
use crate::system::{Connection, System, pactum, pactum_ok};

#[tokio::test(flavor = "multi_thread")]
async fn one_partition_to_four_and_back_keeps_every_byte() {
    let directory = tempfile::tempdir().unwrap();
    let [one, four, again] = ["one", "four", "again"].map(|name| directory.path().join(name));
    made_source(&one, 400).await;
    let source = streams_of(&one).await;
    assert_eq!(source.len(), 6);

    let spread = copied(&["--from", &embedded(&one), "--to", &embedded(&four), "--partitions", "4"]);
    let back = copied(&["--from", &embedded(&four), "--to", &embedded(&again), "--partitions", "1"]);
    assert_eq!(streams_of(&four).await, source);
    assert_eq!(streams_of(&again).await, source);

    let records: usize = source.values().map(Vec::len).sum();
    for report in [&spread, &back] {
        assert_eq!((&report["records"], &report["copied"]), (&records.into(), &records.into()), "{report}");
        assert_eq!(report["sha256"], spread["sha256"]);
        assert_eq!(report["programs"], spread["programs"]);
    }
    assert_eq!((&spread["from_partitions"], &spread["to_partitions"]), (&1.into(), &4.into()));

    // The copy is a log of its own, and the comparison alone writes nothing.
    let id = |data: &std::path::Path| std::fs::read_to_string(data.join("log/identity")).unwrap();
    assert_ne!(id(&one), id(&again));
    let compared = copied(&["--from", &embedded(&one), "--to", &embedded(&again), "--verify-only"]);
    assert_eq!((&compared["copied"], &compared["sha256"]), (&0.into(), &spread["sha256"]));
}

fn registration() -> deal::RegisterDealRequest {
    deal::RegisterDealRequest {
        parent: "programs/acme".into(),
        request_id: "moved-1".into(),
        deal_id: "moved".into(),
        deal: Some(deal::Deal {
            partner: "programs/acme/partners/north".into(),
            title: "moved".into(),
            customer: Some(common::Customer { domain: "moved-example.com".into(), ..Default::default() }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn register(connection: &Connection) -> (u64, deal::Deal) {
    let answer = DealServiceClient::new(connection.clone()).register_deal(registration()).await.unwrap().into_inner();
    (answer.sequence, answer.deal.unwrap())
}

/// Every deal of the demo's program, in whatever state, by state and partner.
async fn pipeline(system: &System) -> QueryPipelineResponse {
    let connection = system.connect("programs/demo", "program-admin", None).await;
    let all = (1..=20).filter(|state| deal::DealState::try_from(*state).is_ok()).collect();
    let request = QueryPipelineRequest {
        parent: "programs/demo".into(),
        min_sequence: 1,
        filter: Some(PipelineFilter { states: all, ..Default::default() }),
        group_by: vec![PipelineDimension::State.into(), PipelineDimension::Partner.into()],
        ..Default::default()
    };
    PipelineQueryServiceClient::new(connection).query_pipeline(request).await.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_on_the_copy_answers_what_the_source_answered() {
    let directory = tempfile::tempdir().unwrap();
    let [from, to] = ["from", "to"].map(|name| directory.path().join(name));
    made_source(&from, 300).await;
    let system = System::start(&from);
    let registered = register(&system.connect("programs/acme", "program-admin", None).await).await;
    let before = pipeline(&system).await;
    assert!(before.groups.len() > 10, "{before:?}");
    assert!(system.terminate().0.success());

    copied(&["--from", &embedded(&from), "--to", &embedded(&to), "--partitions", "3"]);
    let system = System::start(&to);
    let after = pipeline(&system).await;
    // Protection that lapsed meanwhile is recorded by whichever runs: it moves the sequence, not what the source had.
    assert!(after.sequence >= before.sequence);
    assert_eq!((after.totals, after.groups.len()), (before.totals, before.groups.len()));
    assert_eq!(after.groups, before.groups);
    let connection = system.connect("programs/acme", "program-admin", None).await;
    assert_eq!(register(&connection).await, registered, "the request id is known, with its answer");
    assert!(system.terminate().0.success());
    let report = pactum_ok(&["doctor", "--deep", "--data", to.to_str().unwrap()]);
    assert!(report.contains("agrees with a fold from zero"), "{report}");

    // It has a life of its own now: copying over it is refused.
    let refused = pactum(&["log", "copy", "--from", &embedded(&from), "--to", &embedded(&to)]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("used already"), "{text}");
}
