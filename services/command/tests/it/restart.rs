//! The same log gives the same role again.

use std::sync::Arc;

use pactum_api::proto::deal::v1::{RegisterDealRequest, WithdrawDealRequest};
use pactum_command::CommandOptions;
use pactum_journal::Role;
use pactum_runtime::health::Condition;

use crate::fixture::{acme, activate_partner, create_program, deal_name, register};
use crate::server::{Server, memory_log, records};

#[tokio::test]
async fn a_role_that_read_the_log_equals_the_one_that_wrote_it() {
    let log = memory_log();
    let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
    let admin = acme(&server).await;
    let globex = server.by("program-admin@globex");
    create_program(&globex, "globex").await;
    activate_partner(&globex, "globex", "west").await;
    for n in 0..50 {
        let request = RegisterDealRequest {
            request_id: format!("r-{n}"),
            ..register(["north", "south"][n % 2], &format!("d-{n}"), &format!("c{}.com", n / 3))
        };
        admin.deals().register_deal(admin.request(request)).await.unwrap();
        if n % 7 == 0 {
            let name = deal_name(&format!("d-{n}"));
            let withdraw = WithdrawDealRequest { name, reason: "x".into(), ..WithdrawDealRequest::default() };
            admin.deals().withdraw_deal(admin.request(withdraw)).await.unwrap();
        }
    }
    drop((admin, globex));
    let wrote = server.stop().await;
    assert_eq!(wrote.iter().map(pactum_command::ProgramsMachine::programs).sum::<usize>(), 2);

    let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
    let read = server.stop().await;
    assert!(read == wrote, "the folded machines differ");
    assert!(!records(&log).await.is_empty());
}

#[tokio::test]
async fn metadata_goes_into_the_record() {
    let log = memory_log();
    let server = Server::start(Arc::clone(&log), CommandOptions::default()).await;
    let admin = acme(&server).await;
    let mut request = admin.request(register("north", "d-1", "example.com"));
    request.metadata_mut().insert("x-correlation-id", "batch-7".parse().unwrap());
    request.metadata_mut().insert("x-causation-id", "mail-3".parse().unwrap());
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", trace.parse().unwrap());
    admin.deals().register_deal(request).await.unwrap();
    let record = records(&log).await.into_iter().find(|record| record.correlation_id.is_some()).unwrap();
    assert_eq!(record.correlation_id.as_deref(), Some("batch-7"));
    assert_eq!(record.causation_id.as_deref(), Some("mail-3"));
    assert_eq!(record.traceparent.as_deref(), Some(trace));
    assert_eq!((record.actor.subject.as_str(), record.policy_version), ("tester", 1));
}

#[tokio::test]
async fn its_condition_follows_the_role_to_its_end() {
    let server = Server::over_memory().await;
    let status = server.role.status();
    assert_eq!(status.condition(), Condition::Ready);
    assert!(status.partitions().iter().all(|partition| partition.role == Role::Owner));
    server.stop().await;
    assert!(matches!(status.condition(), Condition::Failed(_)));
    assert!(!status.ready().await);
}
