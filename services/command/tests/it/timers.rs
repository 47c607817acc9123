//! What falls due becomes an event.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pactum_api::proto::deal::v1::{HistoryTerms, RegisterDealRequest};
use pactum_api::proto::program::v1::{CompleteHistoryImportRequest, StartHistoryImportRequest};
use pactum_command::CommandOptions;
use pactum_domain::actor::Role;
use pactum_domain::deal::Event;
use pactum_domain::event::AnyEvent;
use pactum_events::Record;

use crate::fixture::{acme, register};
use crate::server::{Server, memory_log, records};

fn lapses(records: &[Record]) -> Vec<&Record> {
    let lapsed = |record: &&Record| {
        record.events.iter().any(|e| matches!(&e.event, AnyEvent::Deal(_, Event::ProtectionExpired { .. })))
    };
    records.iter().filter(lapsed).collect()
}

#[tokio::test]
async fn protection_that_is_over_when_an_import_ends_lapses_by_the_timer_and_once() {
    let log = memory_log();
    let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
    let admin = acme(&server).await;
    let name = || "programs/acme".to_owned();
    let start = StartHistoryImportRequest {
        name: name(),
        import_id: "crm".into(),
        source: "the old CRM".into(),
        ..StartHistoryImportRequest::default()
    };
    admin.programs().start_history_import(admin.request(start)).await.unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seconds = i64::try_from(now).unwrap() - 400 * 86_400;
    let old = RegisterDealRequest {
        occurred_at: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        history: Some(HistoryTerms { protection_days: 90 }),
        ..register("north", "d-1", "example.com")
    };
    admin.deals().register_deal(admin.request(old)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(lapses(&records(&log).await).is_empty(), "nothing lapses while its history is being brought in");

    let complete = CompleteHistoryImportRequest {
        name: name(),
        import_id: "crm".into(),
        ..CompleteHistoryImportRequest::default()
    };
    admin.programs().complete_history_import(admin.request(complete)).await.unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if !lapses(&records(&log).await).is_empty() {
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let all = records(&log).await;
    let lapsed = lapses(&all);
    assert_eq!(lapsed.len(), 1);
    assert_eq!(lapsed[0].actor.role, Role::Timer);
    let AnyEvent::Deal(_, Event::ProtectionExpired { until, .. }) = &lapsed[0].events[0].event else { panic!() };
    assert_eq!(lapsed[0].events[0].occurred_at, *until);
}
