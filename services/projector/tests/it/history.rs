//! Replay.

use pactum_api::proto::replay::v1::{ReadEventsRequest, RecordedEvent};
use tempfile::tempdir;
use tokio_stream::StreamExt as _;
use tonic::Code;

use crate::system::{ADMIN, Client, System, acme, memory_log, reason};

fn ask(from_sequence: u64, follow: bool, min_sequence: u64) -> ReadEventsRequest {
    ReadEventsRequest { parent: "programs/acme".into(), from_sequence, follow, min_sequence, ..Default::default() }
}

async fn read(client: &Client, request: ReadEventsRequest) -> Vec<RecordedEvent> {
    let events = client.replay().read_events(client.request(request)).await.unwrap().into_inner();
    events.map(|answer| answer.unwrap().event.unwrap()).collect().await
}

#[tokio::test]
async fn every_event_once_in_order_from_anywhere() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let mut last = 0;
    for n in 0..400 {
        last = admin.register(&format!("d-{n}"), "north", &format!("c{n}.com")).await;
    }
    let all = read(&admin, ask(0, false, last)).await;
    assert_eq!(all.iter().map(|event| event.sequence).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    assert_eq!((all[0].r#type.as_str(), all[0].resource.as_str()), ("ProgramCreated", "programs/acme"));
    assert_eq!(all[0].name, "programs/acme/events/1");
    let registered = &all[usize::try_from(last).unwrap() - 2];
    assert_eq!(
        (registered.r#type.as_str(), registered.type_version, registered.resource_version),
        ("DealRegistered", 1, 1)
    );
    assert_eq!(registered.request_id, "request-d-399");
    assert!(registered.data_json.contains(r#""amount":"77777.77""#), "{}", registered.data_json);
    // In the middle of a record, behind the first kept place, at and beyond the end.
    for from in [2, 500, 513, 700, last, last + 1] {
        let some = read(&admin, ask(from, false, last)).await;
        assert_eq!(some, all[usize::try_from(from).unwrap() - 1..], "{from}");
    }
    system.stop().await;
}

#[tokio::test]
async fn a_filter_runs_where_the_history_is_read() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let mut last = 0;
    for (n, partner) in ["north", "south", "north"].into_iter().enumerate() {
        last = admin.register(&format!("d-{n}"), partner, &format!("c{n}.com")).await;
    }
    let filtered = |filter: &str| ReadEventsRequest { filter: filter.into(), ..ask(0, false, last) };
    let north =
        r#"event.type == "DealRegistered" && event.data.partner == "north" && event.actor.role == "program-admin""#;
    let found = read(&admin, filtered(north)).await;
    assert_eq!(found.iter().map(|event| event.request_id.as_str()).collect::<Vec<_>>(), ["request-d-0", "request-d-2"]);
    assert!(read(&admin, filtered("event.data.nothing == 1")).await.is_empty());
    let error = admin.replay().read_events(admin.request(filtered("event.type ="))).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::InvalidArgument, "INVALID_FILTER"));
    system.stop().await;
}

#[tokio::test]
async fn following_goes_on_with_what_comes_and_ends_with_the_server() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    let sequence = acme(&system).await;
    let admin = system.by(ADMIN);
    let request = admin.request(ask(sequence + 1, true, sequence));
    let mut events = admin.replay().read_events(request).await.unwrap().into_inner();
    for n in 0..3 {
        admin.register(&format!("d-{n}"), "north", &format!("c{n}.com")).await;
        for expected in ["DealRegistered", "DealApproved"] {
            assert_eq!(events.message().await.unwrap().unwrap().event.unwrap().r#type, expected);
        }
    }
    drop(admin);
    let stopped = tokio::spawn(system.stop());
    let error = events.message().await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::Unavailable, "NOT_SERVING"));
    drop(events);
    stopped.await.unwrap();
}
