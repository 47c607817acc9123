//! Two command processes and a projector: any takes any command, whatever happens to the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pactum_api::proto::common::v1::{Customer, Money, Scope};
use pactum_api::proto::deal::v1 as proto;
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use tonic::{Request, Status};

use super::process::{PATIENCE, Process, Site};
use crate::system::{Connection, POLICY, small_program_by};

/// Three seconds are promised at the default settings; a test allows for a machine that does other things.
const TAKEOVER: Duration = Duration::from_secs(6);

fn registration(id: &str, partner: &str, domain: &str, request_id: &str) -> Request<proto::RegisterDealRequest> {
    let deal = proto::Deal {
        partner: format!("programs/acme/partners/{partner}"),
        title: id.into(),
        customer: Some(Customer { domain: domain.into(), ..Customer::default() }),
        scope: Some(Scope::default()),
        amount: Some(Money { currency_code: "USD".into(), minor: 100 }),
        close_date: "2027-03-31".into(),
        ..proto::Deal::default()
    };
    let mut request = Request::new(proto::RegisterDealRequest {
        parent: "programs/acme".into(),
        deal_id: id.into(),
        deal: Some(deal),
        request_id: request_id.into(),
        ..proto::RegisterDealRequest::default()
    });
    request.set_timeout(Duration::from_secs(20));
    request
}

/// Registers deals one after another through one process until told to stop, and says how long each took.
struct Load {
    stop: Arc<AtomicBool>,
    client: tokio::task::JoinHandle<Vec<(String, u64, Duration)>>,
}

impl Load {
    fn start(connection: &Connection, name: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, mut deals, name) =
            (Arc::clone(&stop), DealServiceClient::new(connection.clone()), name.to_owned());
        let client = tokio::spawn(async move {
            let mut answered = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let id = format!("{name}-{}", answered.len());
                let started = Instant::now();
                let request = registration(&id, "north", &format!("{id}.com"), &format!("r-{id}"));
                let answer = deals.register_deal(request).await.unwrap_or_else(|status| panic!("{id}: {status:?}"));
                answered.push((id, answer.into_inner().sequence, started.elapsed()));
            }
            answered
        });
        Self { stop, client }
    }

    /// The deals with their sequences, and the longest that one took.
    async fn end(self) -> (Vec<(String, u64)>, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let answered = tokio::time::timeout(PATIENCE, self.client).await.unwrap().unwrap();
        let longest = answered.iter().map(|(.., took)| *took).max().unwrap_or_default();
        (answered.into_iter().map(|(id, sequence, _)| (id, sequence)).collect(), longest)
    }
}

async fn deal(views: &Connection, id: &str, min_sequence: u64) -> Result<proto::Deal, Status> {
    let mut request = Request::new(proto::GetDealRequest {
        name: format!("programs/acme/deals/{id}"),
        min_sequence,
        ..Default::default()
    });
    request.set_timeout(PATIENCE);
    DealQueryServiceClient::new(views.clone()).get_deal(request).await.map(|deal| deal.into_inner().deal.unwrap())
}

/// The two command processes, the one first that owns the only partition.
fn owner_first(one: Process, other: Process) -> (Process, Process) {
    if one.owns() == 1 { (one, other) } else { (other, one) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_the_owner_the_other_decides() {
    let site = Site::with_topic(1).await;
    let (mut one, mut other) = (site.start("command", "c1"), site.start("command", "c2"));
    let mut projector = site.start("projector", "p1");
    one.ready().await;
    other.ready().await;
    projector.ready().await;
    let started = Instant::now();
    while one.owns() + other.owns() != 1 {
        assert!(started.elapsed() < PATIENCE, "one of the two should own the partition");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut owner, mut standby) = owner_first(one, other);

    // Through the one that does not own it, whole streams and single commands.
    let admin = site.connect(&standby, "programs/acme", "program-admin", None).await;
    small_program_by(admin, "acme", POLICY).await;
    let views = site.connect(&projector, "programs/acme", "program-admin", None).await;
    let (north, south) = (
        site.connect(&standby, "programs/acme", "partner-sales", Some("north")).await,
        site.connect(&owner, "programs/acme", "partner-sales", Some("south")).await,
    );
    let first =
        DealServiceClient::new(north).register_deal(registration("n", "north", "contoso.com", "n")).await.unwrap();
    let second = DealServiceClient::new(south).register_deal(registration("s", "south", "contoso.com", "s")).await;
    let (first, second) = (first.into_inner(), second.unwrap().into_inner());
    assert!(first.sequence < second.sequence);
    assert_eq!(deal(&views, "n", second.sequence).await.unwrap().state(), proto::DealState::Approved);
    assert_eq!(deal(&views, "s", second.sequence).await.unwrap().state(), proto::DealState::Conflicted);

    let mut all = Vec::new();
    for (fault, signal) in [("stop", "TERM"), ("kill", "KILL"), ("stall", "STOP")] {
        let admin = site.connect(&standby, "programs/acme", "program-admin", None).await;
        let load = Load::start(&admin, fault);
        tokio::time::sleep(Duration::from_millis(500)).await;
        owner.signal(signal);
        standby.until("owner", |process| process.owns() == 1).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let (answered, longest) = load.end().await;
        println!("{fault}: {} answered, the longest wait {longest:?}", answered.len());
        assert!(longest < TAKEOVER, "{fault}: {longest:?}");
        all.extend(answered);
        match signal {
            "TERM" => assert!(owner.ended().await, "a clean stop ends well:\n{}", owner.log()),
            "KILL" => assert!(!owner.ended().await),
            _ => {
                owner.signal("CONT");
                owner.ready().await;
                // What it believed when it was stalled has no effect, and it finds the owner like any other.
                let admin = site.connect(&owner, "programs/acme", "program-admin", None).await;
                let load = Load::start(&admin, "woken");
                tokio::time::sleep(Duration::from_millis(300)).await;
                all.extend(load.end().await.0);
                break;
            }
        }
        owner = standby;
        standby = site.start("command", &format!("after-{fault}"));
        standby.ready().await;
        // The group may give the partition to the new one; either way one of them has it.
        let started = Instant::now();
        while owner.owns() + standby.owns() != 1 {
            assert!(started.elapsed() < PATIENCE, "one of the two should own the partition");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        (owner, standby) = owner_first(owner, standby);
    }
    let last = all.iter().map(|(_, sequence)| *sequence).max().unwrap();
    let mut sequences: Vec<_> = all.iter().map(|(_, sequence)| *sequence).collect();
    sequences.sort_unstable();
    sequences.dedup();
    assert_eq!(sequences.len(), all.len(), "two commands were answered with one sequence");
    for (id, _) in &all {
        deal(&views, id, last).await.unwrap_or_else(|status| panic!("{id} was answered and is not there: {status}"));
    }
}
