//! One of several: any instance takes any command, and somebody always decides.

#![expect(
    clippy::print_stdout,
    reason = "says how long takeovers took, which is not asserted more closely than any machine allows"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pactum_api::proto::bulk::v1::ExecuteRequest;
use pactum_api::proto::bulk::v1::execute_request::Request as Item;
use pactum_api::proto::bulk::v1::execute_response::Outcome;
use pactum_api::proto::deal::v1::{RegisterDealRequest, RegisterDealResponse, WithdrawDealRequest};
use pactum_api::proto::program::v1::{CreateProgramRequest, Program};
use pactum_events::Record;
use pactum_journal::Role;
use prost::Message;
use tokio_stream::StreamExt;
use tonic::{Code, Status};

use crate::cluster::{Cluster, Instance, PATIENCE};
use crate::fixture::{ADMIN, NORTH, POLICY, activate_partner, deal_name, register};
use crate::held::HeldLog;
use crate::raw;
use crate::server::{Client, memory_log, reason, records};

/// Two instances over a log of four partitions, of which the first owns what matters here, and the program is made.
async fn pair() -> (Cluster, Instance, Instance) {
    pair_over(Cluster::over(memory_log())).await
}

async fn pair_over(cluster: Cluster) -> (Cluster, Instance, Instance) {
    let first = cluster.start(0..cluster.log.partitions()).await;
    first.owns(cluster.partition("acme")).await;
    let second = cluster.start([]).await;
    assert!(second.status.ready().await);
    let admin = second.by(ADMIN).await;
    let create = CreateProgramRequest {
        program_id: "acme".into(),
        program: Some(Program { display_name: "acme".into(), currency_code: "USD".into(), ..Program::default() }),
        policy_document: POLICY.into(),
        ..CreateProgramRequest::default()
    };
    admin.programs().create_program(admin.request(create)).await.unwrap();
    activate_partner(&admin, "acme", "north").await;
    (cluster, first, second)
}

fn numbered(n: u64) -> RegisterDealRequest {
    let request_id = format!("r-{n}");
    RegisterDealRequest { request_id, ..register("north", &format!("d-{n}"), &format!("c{n}.com")) }
}

async fn send(client: &Client, request: RegisterDealRequest) -> Result<RegisterDealResponse, Status> {
    let sent = client.deals().register_deal(client.patient(request, PATIENCE)).await;
    sent.map(tonic::Response::into_inner)
}

/// The records of a request id.
async fn recorded(cluster: &Cluster, request_id: &str) -> Vec<Record> {
    let all = records(&cluster.log).await.into_iter();
    all.filter(|record| record.request.as_ref().is_some_and(|request| request.id.as_str() == request_id)).collect()
}

#[tokio::test]
async fn a_command_is_decided_by_the_owner_as_if_it_had_come_there() {
    let (cluster, first, second) = pair().await;
    let north = second.by(NORTH).await;
    let mut request = north.patient(numbered(1), PATIENCE);
    let metadata = request.metadata_mut();
    metadata.insert("x-correlation-id", "batch-7".parse().unwrap());
    metadata.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
    let answered = north.deals().register_deal(request).await.unwrap().into_inner();
    let record = recorded(&cluster, "r-1").await.remove(0);
    assert_eq!(record.actor.partner.as_ref().unwrap().as_str(), "north");
    assert_eq!(record.actor.subject, "tester");
    assert_eq!(record.correlation_id.as_deref(), Some("batch-7"));
    assert!(record.traceparent.unwrap().starts_with("00-0af7651916cd43dd"));
    // To the byte what the owner answers.
    let path = "/pactum.deal.v1.DealService/RegisterDeal";
    let there = raw::send(&first.by(NORTH).await, path, numbered(1).encode_to_vec()).await.unwrap();
    let here = raw::send(&north, path, numbered(1).encode_to_vec()).await.unwrap();
    assert_eq!(there, here);
    assert_eq!(here, answered.encode_to_vec());
    // What is wrong is told as the owner tells it.
    let refused = send(&north, register("north", "d-1", "elsewhere.com")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "ALREADY_EXISTS"));
}

#[tokio::test]
async fn what_was_sent_on_is_sent_on_no_further() {
    let (cluster, _first, second) = pair().await;
    let north = second.by(NORTH).await;
    let mut request = north.patient(numbered(1), PATIENCE);
    request.metadata_mut().insert("pactum-forwarded", "1".parse().unwrap());
    let refused = north.deals().register_deal(request).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "NOT_SERVING"));
    assert!(refused.metadata().contains_key("pactum-not-owner"));
    assert!(recorded(&cluster, "r-1").await.is_empty());
}

#[tokio::test]
async fn a_command_waits_for_an_owner_within_its_deadline() {
    let mut cluster = Cluster::over(memory_log());
    cluster.detection.rank_delay = Duration::from_secs(3600);
    let only = cluster.start([]).await;
    cluster.forget(only.address);
    let admin = only.by(ADMIN).await;
    let create = || CreateProgramRequest {
        program_id: "acme".into(),
        program: Some(Program { display_name: "acme".into(), currency_code: "USD".into(), ..Program::default() }),
        policy_document: POLICY.into(),
        ..CreateProgramRequest::default()
    };
    let early = admin.programs().create_program(admin.patient(create(), Duration::from_millis(300))).await.unwrap_err();
    assert_eq!((early.code(), reason(&early).as_str()), (Code::DeadlineExceeded, "NOT_DECIDED"));
    let patient = admin.patient(create(), PATIENCE);
    let waiting = tokio::spawn(async move { admin.programs().create_program(patient).await });
    only.assign(0..4);
    waiting.await.unwrap().unwrap();
    assert_eq!(records(&cluster.log).await.len(), 1);
}

#[tokio::test]
async fn the_deadline_goes_along() {
    let (log, gate) = HeldLog::before(memory_log());
    let (_cluster, _first, second) = pair_over(Cluster::over(log)).await;
    let north = second.by(NORTH).await;
    gate.hold();
    let started = Instant::now();
    let request = north.patient(numbered(1), Duration::from_millis(800));
    let unknown = north.deals().register_deal(request).await.unwrap_err();
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::DeadlineExceeded, "OUTCOME_UNKNOWN"));
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    gate.release();
}

#[tokio::test]
async fn a_dead_owner_s_partitions_are_taken_over_and_requests_with_an_id_are_answered() {
    let (log, gate) = HeldLog::before(memory_log());
    let (cluster, first, second) = pair_over(Cluster::over(log)).await;
    let north = second.by(NORTH).await;
    gate.hold();
    let spawned = |request: RegisterDealRequest| {
        let north = north.clone();
        tokio::spawn(async move { send(&north, request).await })
    };
    let (with_id, without) = (spawned(numbered(1)), spawned(register("north", "d-2", "c2.com")));
    // Both are in flight: the log took their records and keeps them to itself.
    while gate.held() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let killed = Instant::now();
    first.kill().await;
    gate.release();
    let unknown = without.await.unwrap().unwrap_err();
    assert_eq!(reason(&unknown), "OUTCOME_UNKNOWN");
    let answered = with_id.await.unwrap().unwrap();
    println!("answered {:?} after the owner's death", killed.elapsed());
    assert_eq!(answered.deal.unwrap().name, deal_name("d-1"));
    assert_eq!(recorded(&cluster, "r-1").await.len(), 1);
    send(&north, numbered(3)).await.unwrap();
}

#[tokio::test]
async fn what_a_dead_owner_may_have_done_is_not_said_to_be_undone() {
    let (log, gate) = HeldLog::before(memory_log());
    let mut cluster = Cluster::over(log);
    // Nobody takes over before the caller's patience ends.
    cluster.detection.broken = Duration::from_secs(3600);
    let (cluster, first, second) = pair_over(cluster).await;
    let north = second.by(NORTH).await;
    gate.hold();
    let request = north.patient(numbered(1), Duration::from_millis(1500));
    let asked = north.clone();
    let asking = tokio::spawn(async move { asked.deals().register_deal(request).await });
    while gate.held() < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.kill().await;
    // It takes effect after its owner's death.
    gate.release();
    let unknown = asking.await.unwrap().unwrap_err();
    assert_eq!(reason(&unknown), "OUTCOME_UNKNOWN");
    assert_eq!(recorded(&cluster, "r-1").await.len(), 1);
    // What was never sent to it has certainly no effect.
    let early = north.patient(numbered(2), Duration::from_millis(300));
    let early = north.deals().register_deal(early).await.unwrap_err();
    assert_eq!(reason(&early), "NOT_DECIDED");
}

#[tokio::test]
async fn a_stalled_owner_is_taken_over_and_has_no_effect_when_it_wakes() {
    let (cluster, first, second) = pair().await;
    let partition = cluster.partition("acme");
    let north = second.by(NORTH).await;
    send(&north, numbered(0)).await.unwrap();
    let stalled = Instant::now();
    let resume = first.stall();
    for n in 1..=5 {
        send(&north, numbered(n)).await.unwrap();
        println!("answer {n} came {:?} after the stall", stalled.elapsed());
    }
    second.owns(partition).await;
    drop(resume);
    first.is(partition, Role::Standby).await;
    let through_first = first.by(NORTH).await;
    for n in 0..=10 {
        send(&through_first, numbered(n)).await.unwrap();
        assert_eq!(recorded(&cluster, &format!("r-{n}")).await.len(), 1, "request {n}");
    }
    second.owns(partition).await;
}

#[tokio::test]
async fn two_that_are_told_to_own_a_partition_do_not_fight() {
    let (cluster, first, second) = pair().await;
    let partition = cluster.partition("acme");
    let terms = |instance: &Instance| instance.status.partitions()[partition as usize].terms;
    let before = terms(&first);
    second.assign([partition]);
    second.owns(partition).await;
    first.is(partition, Role::Standby).await;
    // Longer than any wait but that for a contest.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(terms(&first), before + 1);
    first.assign([]);
    send(&first.by(NORTH).await, numbered(1)).await.unwrap();
    second.owns(partition).await;
}

/// Clients that send without pause until told to stop, and what they saw.
struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<tokio::task::JoinHandle<(u64, Duration)>>,
}

impl Load {
    fn start(client: &Client, count: u64) -> Self {
        let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(1_000)));
        let one = |_| {
            let (client, stop, next) = (client.clone(), Arc::clone(&stop), Arc::clone(&next));
            tokio::spawn(async move {
                let (mut answered, mut longest) = (0, Duration::ZERO);
                while !stop.load(Ordering::Relaxed) {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let started = Instant::now();
                    // Half without a request id: these must not fail either.
                    let mut request = numbered(n);
                    if n % 2 == 0 {
                        request.request_id.clear();
                    }
                    send(&client, request).await.unwrap_or_else(|status| panic!("request {n}: {status:?}"));
                    longest = longest.max(started.elapsed());
                    answered += 1;
                }
                (answered, longest)
            })
        };
        Self { clients: (0..count).map(one).collect(), stop }
    }

    async fn end(self) -> (u64, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut answered, mut longest) = (0, Duration::ZERO);
        for client in self.clients {
            let (count, took) = client.await.unwrap();
            (answered, longest) = (answered + count, longest.max(took));
        }
        (answered, longest)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_stop_hands_over_without_an_error() {
    let (cluster, first, second) = pair().await;
    let load = Load::start(&second.by(NORTH).await, 8);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopped = Instant::now();
    first.stop();
    second.owns(cluster.partition("acme")).await;
    println!("taken over {:?} after the stop", stopped.elapsed());
    first.ended().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (answered, longest) = load.end().await;
    println!("{answered} answered, the longest wait {longest:?}");
    let registered = records(&cluster.log).await.iter().filter(|record| record.actor.partner.is_some()).count();
    assert_eq!(registered as u64, answered);
}

#[tokio::test]
async fn a_stop_alone_waits_for_nobody() {
    let cluster = Cluster::over(memory_log());
    let only = cluster.start(0..4).await;
    assert!(only.status.ready().await);
    only.owns(0).await;
    let started = Instant::now();
    only.stop();
    only.ended().await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

fn pairs(count: u64) -> impl Iterator<Item = ExecuteRequest> {
    (0..count).flat_map(|n| {
        let withdraw = WithdrawDealRequest {
            name: deal_name(&format!("d-{n}")),
            reason: "no budget".into(),
            request_id: format!("w-{n}"),
            ..WithdrawDealRequest::default()
        };
        [Item::RegisterDeal(numbered(n)), Item::WithdrawDeal(withdraw)]
            .map(|item| ExecuteRequest { request: Some(item) })
    })
}

/// What the stream answered: each item's index and state, or its error.
fn told(answer: &pactum_api::proto::bulk::v1::ExecuteResponse) -> (u64, String) {
    match answer.outcome.as_ref().unwrap() {
        Outcome::Result(result) => (answer.index, result.state.clone()),
        Outcome::Error(error) => (answer.index, format!("{}: {}", error.reason, error.message)),
    }
}

#[tokio::test]
async fn a_stream_finds_its_owner_and_keeps_its_order() {
    let (_cluster, _first, second) = pair().await;
    let north = second.by(NORTH).await;
    let stream = north.request(tokio_stream::iter(pairs(200).collect::<Vec<_>>()));
    let mut answers = north.bulk().execute(stream).await.unwrap().into_inner();
    let mut next = 0;
    while let Some(answer) = answers.next().await {
        let state = if next % 2 == 0 { "APPROVED" } else { "WITHDRAWN" };
        assert_eq!(told(&answer.unwrap()), (next, state.to_owned()));
        next += 1;
    }
    assert_eq!(next, 400);
}

#[tokio::test]
async fn a_stream_outlives_a_change_of_owner_in_order() {
    let (cluster, first, second) = pair().await;
    let partition = cluster.partition("acme");
    for through in [&second, &first] {
        let offset = if std::ptr::eq(through, &second) { 0 } else { 300 };
        let north = through.by(NORTH).await;
        let (sender, requests) = tokio::sync::mpsc::channel(8);
        let sending = tokio::spawn(async move {
            for request in pairs(offset + 300).skip(2 * usize::try_from(offset).unwrap()) {
                sender.send(request).await.unwrap();
            }
        });
        let stream = north.request(tokio_stream::wrappers::ReceiverStream::new(requests));
        let mut answers = north.bulk().execute(stream).await.unwrap().into_inner();
        let mut next = 0;
        while let Some(answer) = answers.next().await {
            let state = if next % 2 == 0 { "APPROVED" } else { "WITHDRAWN" };
            assert_eq!(told(&answer.unwrap()), (next, state.to_owned()));
            next += 1;
            match next {
                100 => {
                    first.assign([]);
                    second.assign([partition]);
                }
                350 => {
                    second.assign([]);
                    first.assign([partition]);
                }
                _ => {}
            }
        }
        assert_eq!(next, 600);
        sending.await.unwrap();
    }
}
