//! `kill -9` under load, again and again: what was answered is there, once, and the views are what the log says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pactum_api::proto::common::v1 as common;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_api::proto::replay::v1::ReadEventsRequest;
use pactum_api::proto::replay::v1::replay_service_client::ReplayServiceClient;

use crate::system::{Connection, POLICY, System, pactum_ok, small_program};

const ROUNDS: usize = 6;
const CALLERS: usize = 16;

type Answered = Arc<Mutex<HashMap<String, u64>>>;

fn registration(id: &str, number: usize) -> deal::RegisterDealRequest {
    deal::RegisterDealRequest {
        parent: "programs/crash".into(),
        request_id: id.into(),
        deal_id: id.into(),
        deal: Some(deal::Deal {
            partner: format!("programs/crash/partners/{}", ["north", "south", "east"][number % 3]),
            title: format!("deal {id}"),
            // Few customers, so that most registrations meet another partner's protection.
            customer: Some(common::Customer { domain: format!("c{}-example.com", number % 50), ..Default::default() }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn register_until(connection: Connection, prefix: String, stop: Arc<AtomicBool>, answered: Answered) {
    let mut client = DealServiceClient::new(connection);
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let id = format!("{prefix}-{number}");
        match client.register_deal(registration(&id, number)).await {
            Ok(answer) => {
                answered.lock().unwrap().insert(id, answer.into_inner().sequence);
            }
            // The process is gone; what became of this one is for the log to say.
            Err(_) => return,
        }
        number += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_answered_is_lost_or_doubled_by_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let answered = Answered::default();
    for round in 0..ROUNDS {
        let system = System::start(directory.path());
        let connection = if round == 0 {
            small_program(&system, "crash", POLICY).await
        } else {
            system.connect("programs/crash", "program-admin", None).await
        };
        let before = answered.lock().unwrap().len();
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..CALLERS {
            let prefix = format!("r{round}c{caller}");
            callers.spawn(register_until(connection.clone(), prefix, Arc::clone(&stop), Arc::clone(&answered)));
        }
        // A different moment of the load each round.
        tokio::time::sleep(Duration::from_millis(150 + 130 * round as u64)).await;
        system.kill();
        stop.store(true, Ordering::Relaxed);
        while callers.join_next().await.is_some() {}
        assert!(answered.lock().unwrap().len() > before, "round {round} answered nothing: the load did not run");
    }

    let system = System::start(directory.path());
    let connection = system.connect("programs/crash", "program-admin", None).await;
    let answered = answered.lock().unwrap().clone();
    let registered = registrations(&connection).await;
    for (id, sequence) in &answered {
        let found = registered.get(id).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(found.len(), 1, "{id} was answered and is {} times in the log", found.len());
        assert!(found[0] <= *sequence, "{id} was answered with {sequence} and lies at {}", found[0]);
    }
    assert!(registered.values().all(|places| places.len() == 1), "a registration is in the log twice");

    // A repeat after all that gives the first answer.
    let (id, sequence) = answered.iter().next().unwrap();
    let number = id.rsplit('-').next().unwrap().parse().unwrap();
    let again = DealServiceClient::new(connection.clone()).register_deal(registration(id, number)).await.unwrap();
    assert_eq!(again.into_inner().sequence, *sequence);

    let list = deal::ListDealsRequest { parent: "programs/crash".into(), page_size: 1000, ..Default::default() };
    let mut seen = 0;
    let mut token = String::new();
    loop {
        let request = deal::ListDealsRequest { page_token: token, ..list.clone() };
        let page = DealQueryServiceClient::new(connection.clone()).list_deals(request).await.unwrap().into_inner();
        seen += page.deals.len();
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, registered.len(), "the view has another number of deals than the log");

    assert!(system.terminate().0.success());
    let report = pactum_ok(&["doctor", "--deep", "--data", directory.path().to_str().unwrap()]);
    assert!(report.contains("agrees with a fold from zero"), "{report}");
}

/// Deal id → the sequences of its registrations, and a check that sequences have no gap.
async fn registrations(connection: &Connection) -> HashMap<String, Vec<u64>> {
    let request = ReadEventsRequest { parent: "programs/crash".into(), ..Default::default() };
    let mut events = ReplayServiceClient::new(connection.clone()).read_events(request).await.unwrap().into_inner();
    let mut registered: HashMap<String, Vec<u64>> = HashMap::new();
    let mut next = 1;
    while let Some(answer) = events.message().await.unwrap() {
        let event = answer.event.unwrap();
        assert_eq!(event.sequence, next, "the history has a gap");
        next += 1;
        if event.r#type == "DealRegistered" {
            let id = event.resource.rsplit('/').next().unwrap().to_owned();
            registered.entry(id).or_default().push(event.sequence);
        }
    }
    registered
}
