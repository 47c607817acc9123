//! Too much, too slow, too late.

use std::sync::Arc;
use std::time::Duration;

use pactum_api::proto::deal::v1::RegisterDealRequest;
use pactum_command::CommandOptions;
use tonic::Code;
use tonic_types::StatusExt;

use crate::fixture::{acme, deal_name, register};
use crate::held::HeldLog;
use crate::server::{Server, memory_log, reason, records};

#[tokio::test]
async fn a_full_queue_says_when_to_come_again_and_has_no_effect() {
    let (log, gate) = HeldLog::before(memory_log());
    let mut options = CommandOptions::default();
    (options.journal.queue, options.journal.window) = (4, 2);
    options.journal.read_back_timeout = Duration::from_secs(60);
    let server = Server::start(Arc::clone(&log), options).await;
    let admin = acme(&server).await;
    gate.hold();
    let send = |n: usize| {
        let admin = admin.clone();
        tokio::spawn(async move {
            let request = register("north", &format!("d-{n}"), &format!("c{n}.com"));
            admin.deals().register_deal(admin.request(request)).await
        })
    };
    let sent: Vec<_> = (0..64).map(send).collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    gate.release();
    let (mut taken, mut refused) = (Vec::new(), 0);
    for outcome in sent {
        match outcome.await.unwrap() {
            Ok(answer) => taken.push(answer.into_inner().deal.unwrap().name),
            Err(status) => {
                assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "QUEUE_FULL"));
                assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
                refused += 1;
            }
        }
    }
    assert!(refused > 0 && taken.len() >= 4, "{refused} refused, {} taken", taken.len());
    let registered = records(&log).await.into_iter().filter(|record| record.policy_version == 1);
    let deals: Vec<_> = registered
        .filter_map(|record| match &record.events[0].event {
            pactum_domain::event::AnyEvent::Deal(id, _) => Some(deal_name(id.as_str())),
            _ => None,
        })
        .collect();
    taken.sort();
    let mut effects = deals.clone();
    effects.sort();
    assert_eq!(effects, taken);
}

#[tokio::test]
async fn a_deadline_tells_what_is_unknown_from_what_certainly_did_not_happen() {
    let (log, gate) = HeldLog::before(memory_log());
    let mut options = CommandOptions::default();
    options.journal.read_back_timeout = Duration::from_secs(60);
    let server = Server::start(Arc::clone(&log), options).await;
    let admin = acme(&server).await;
    gate.hold();
    let send = |n: usize, validate_only: bool, patience: u64| {
        let admin = admin.clone();
        let request = RegisterDealRequest {
            request_id: format!("r-{n}"),
            validate_only,
            ..register("north", &format!("d-{n}"), &format!("c{n}.com"))
        };
        tokio::spawn(async move {
            admin.deals().register_deal(admin.patient(request, Duration::from_millis(patience))).await
        })
    };
    let in_flight = send(1, false, 2_000);
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Its answer rests on the record in flight, and would append nothing.
    let waiting = send(2, true, 1_500);
    let unknown = in_flight.await.unwrap().unwrap_err();
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::DeadlineExceeded, "OUTCOME_UNKNOWN"));
    let certain = waiting.await.unwrap().unwrap_err();
    assert_eq!((certain.code(), reason(&certain).as_str()), (Code::DeadlineExceeded, "NOT_DECIDED"));

    gate.release();
    let again = send(1, false, 10_000).await.unwrap().unwrap().into_inner();
    assert_eq!(again.deal.unwrap().name, deal_name("d-1"));
    let with_id = |records: &[pactum_events::Record], id: &str| {
        records.iter().filter(|record| record.request.as_ref().is_some_and(|r| r.id.as_str() == id)).count()
    };
    let records = records(&log).await;
    assert_eq!((with_id(&records, "r-1"), with_id(&records, "r-2")), (1, 0));
}
