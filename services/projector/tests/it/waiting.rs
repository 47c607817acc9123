//! Reading one's own writes.

use std::time::{Duration, Instant};

use pactum_api::proto::deal::v1::GetDealRequest;
use tempfile::tempdir;
use tonic::Code;

use crate::system::{ADMIN, System, acme, deal_name, memory_log, reason};

#[tokio::test]
async fn an_answer_right_after_the_command_holds_it_always() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    for n in 0..200 {
        let id = format!("d-{n}");
        let min_sequence = admin.register(&id, "north", &format!("c{n}.com")).await;
        let get = GetDealRequest { name: deal_name(&id), min_sequence, ..Default::default() };
        let answer = admin.deal_queries().get_deal(admin.request(get)).await.unwrap().into_inner();
        assert!(answer.sequence >= min_sequence);
    }
    system.stop().await;
}

#[tokio::test]
async fn a_query_waits_for_what_is_still_to_come() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    let sequence = acme(&system).await;
    let admin = system.by(ADMIN);
    let get = GetDealRequest { name: deal_name("d-1"), min_sequence: sequence + 2, ..Default::default() };
    let waiting = tokio::spawn({
        let admin = admin.clone();
        async move { admin.deal_queries().get_deal(admin.request(get)).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    admin.register("d-1", "north", "example.com").await;
    let answer = waiting.await.unwrap().unwrap().into_inner();
    assert_eq!(answer.sequence, sequence + 2);
    system.stop().await;
}

#[tokio::test]
async fn it_waits_no_longer_than_the_caller_does() {
    let data = tempdir().unwrap();
    let system = System::start(memory_log(), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let get = GetDealRequest { name: deal_name("d-1"), min_sequence: 1_000_000, ..Default::default() };
    let started = Instant::now();
    let request = admin.patient(get, Duration::from_millis(300));
    let error = admin.deal_queries().get_deal(request).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::DeadlineExceeded, "VIEW_BEHIND"));
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(200) && waited < Duration::from_secs(3), "{waited:?}");
    system.stop().await;
}
