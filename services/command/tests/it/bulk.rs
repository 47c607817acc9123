//! Many requests over one stream.

use std::sync::Arc;
use std::time::Duration;

use pactum_api::proto::bulk::v1::execute_request::Request as Item;
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::bulk::v1::{ExecuteRequest, ExecuteResponse};
use pactum_api::proto::deal::v1::{RegisterDealRequest, RejectDealRequest, WithdrawDealRequest};
use pactum_command::CommandOptions;
use tokio_stream::StreamExt;
use tonic::Code;

use crate::fixture::{ADMIN, acme, deal_name, register};
use crate::server::{Client, Server, connect, memory_log, reason, records};

fn items(items: impl IntoIterator<Item = Item>) -> Vec<ExecuteRequest> {
    items.into_iter().map(|item| ExecuteRequest { request: Some(item) }).collect()
}

async fn execute(client: &Client, requests: Vec<ExecuteRequest>) -> Vec<ExecuteResponse> {
    let answers = client.bulk().execute(client.request(tokio_stream::iter(requests))).await.unwrap();
    answers.into_inner().collect::<Result<Vec<_>, _>>().await.unwrap()
}

fn withdraw(id: &str) -> Item {
    Item::WithdrawDeal(WithdrawDealRequest {
        name: deal_name(id),
        reason: "no budget".into(),
        ..WithdrawDealRequest::default()
    })
}

#[tokio::test]
async fn each_is_decided_on_the_effects_of_those_before_and_one_refused_does_not_stop_the_rest() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    let register = |id: &str, domain: &str| {
        Item::RegisterDeal(RegisterDealRequest { request_id: format!("r-{id}"), ..register("north", id, domain) })
    };
    let mut requests = items([
        register("d-1", "example.com"),
        withdraw("d-1"),
        withdraw("d-2"),
        register("d-2", "example.org"),
        register("d-2", "example.org"),
        register("?", "example.net"),
    ]);
    requests.push(ExecuteRequest { request: None });
    let answers = execute(&admin, requests).await;
    let told: Vec<_> = answers
        .into_iter()
        .map(|answer| match answer.outcome.unwrap() {
            Outcome::Result(result) => (answer.index, result.state, result.name),
            Outcome::Error(error) => (answer.index, error.reason, String::new()),
        })
        .collect();
    let expected = [
        (0, "APPROVED", deal_name("d-1")),
        (1, "WITHDRAWN", deal_name("d-1")),
        (2, "NOT_FOUND", String::new()),
        (3, "APPROVED", deal_name("d-2")),
        (4, "APPROVED", deal_name("d-2")),
        (5, "INVALID_FIELD", String::new()),
        (6, "INVALID_FIELD", String::new()),
    ];
    assert_eq!(told, expected.map(|(index, state, name)| (index, state.to_owned(), name)));
}

#[tokio::test]
async fn an_item_and_its_own_method_are_the_same_request() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    let request = RegisterDealRequest { request_id: "r-1".into(), ..register("north", "", "example.com") };
    let first = admin.deals().register_deal(admin.request(request.clone())).await.unwrap().into_inner();
    let again = execute(&admin, items([Item::RegisterDeal(request)])).await;
    let Some(Outcome::Result(result)) = &again[0].outcome else { panic!("{again:?}") };
    assert_eq!((&result.name, result.sequence), (&first.deal.unwrap().name, first.sequence));
}

#[tokio::test]
async fn the_stream_does_not_lift_what_a_role_may_do() {
    let server = Server::over_memory().await;
    acme(&server).await;
    let connector = server.by("connector@acme");
    let reject = RejectDealRequest { name: deal_name("d-1"), ..RejectDealRequest::default() };
    let answers = execute(&connector, items([Item::RejectDeal(reject)])).await;
    let Some(Outcome::Error(error)) = &answers[0].outcome else { panic!("{answers:?}") };
    assert_eq!((error.code, error.reason.as_str()), (Code::PermissionDenied.into(), "ROLE_NOT_ALLOWED"));
}

#[tokio::test]
async fn ten_thousand_keep_their_order_through_a_small_queue() {
    let log = memory_log();
    let mut options = CommandOptions::default();
    (options.journal.queue, options.journal.window, options.bulk_window) = (16, 8, 64);
    let server = Server::start(Arc::clone(&log), options).await;
    let admin = acme(&server).await;
    let before = records(&log).await.len();
    let requests = (0..10_000).map(|n| Item::RegisterDeal(register("north", &format!("d-{n}"), &format!("c{n}.com"))));
    let answers = execute(&admin, items(requests)).await;
    assert_eq!(answers.len(), 10_000);
    let mut sequence = 0;
    for (answer, n) in answers.into_iter().zip(0_u64..) {
        let Some(Outcome::Result(result)) = answer.outcome else { panic!("{answer:?}") };
        assert_eq!((answer.index, result.name), (n, deal_name(&format!("d-{n}"))));
        assert!(result.sequence > sequence);
        sequence = result.sequence;
    }
    assert_eq!(records(&log).await.len(), before + 10_000);
}

#[tokio::test]
async fn a_stream_that_the_stop_cuts_off_does_not_look_complete() {
    let server = Server::over_memory().await;
    let admin = acme(&server).await;
    let (sender, receiver) = tokio::sync::mpsc::channel(8);
    let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut answers = admin.bulk().execute(admin.request(requests)).await.unwrap().into_inner();
    sender.send(ExecuteRequest { request: Some(withdraw("d-1")) }).await.unwrap();
    assert!(matches!(answers.message().await.unwrap().unwrap().outcome, Some(Outcome::Error(_))));
    let stopped = tokio::spawn(server.stop());
    let cut_off = answers.message().await.unwrap_err();
    assert_eq!((cut_off.code(), reason(&cut_off).as_str()), (Code::Unavailable, "NOT_SERVING"));
    drop((admin, answers, sender));
    stopped.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_client_that_goes_away_leaves_nothing_running() {
    let server = Server::over_memory().await;
    acme(&server).await;
    let address = server.address;
    let client = async move {
        let admin = Client::new(connect(address).await, ADMIN);
        let (sender, receiver) = tokio::sync::mpsc::channel(8);
        let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
        let mut answers = admin.bulk().execute(admin.request(requests)).await.unwrap().into_inner();
        sender.send(ExecuteRequest { request: Some(withdraw("d-1")) }).await.unwrap();
        answers.message().await.unwrap().unwrap();
        (sender, answers)
    };
    // The connection lives in a runtime of its own, and breaks off with it, in the middle of the stream.
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let open = runtime.block_on(client);
        drop(runtime);
        drop(open);
    })
    .join()
    .unwrap();
    // The role goes on, so only the client's end can have ended the stream.
    tokio::time::timeout(Duration::from_secs(10), server.hang_up()).await.unwrap();
}
