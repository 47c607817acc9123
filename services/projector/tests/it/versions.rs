//! A view changes its version within one process: the version before answers until the new one has caught up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use pactum_api::proto::common::v1::{AsOf, as_of::Moment as AsOfMoment};
use pactum_api::proto::deal::v1::{DealState, GetDealRequest, LoseDealRequest};
use pactum_domain::event::Moment;
use pactum_events::{Recorded, event_type};
use pactum_projector::ProjectorOptions;
use pactum_runtime::health::Condition;
use pactum_views::deals::Deals;
use pactum_views::{Changes, FoldError, Folded, View};
use tempfile::tempdir;

use crate::fold::until;
use crate::operating::{Operator, partition_of_acme};
use crate::system::{ADMIN, Client, System, acme, deal_name, memory_log, options, reason};

/// The version before: it did not know that deals are lost.
struct OldDeals;

impl View for OldDeals {
    fn name(&self) -> &'static str {
        "deals"
    }

    fn version(&self) -> u32 {
        0
    }

    fn keyspaces(&self) -> &'static [&'static str] {
        Deals.keyspaces()
    }

    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        moment: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError> {
        if event_type(&recorded.event) == "DealLost" {
            return Ok(());
        }
        Deals.apply(changes, folded, moment, recorded)
    }
}

/// Shut: the new version waits before the first deal, so that there is time to look.
static GATE: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn open_gate() {
    *GATE.0.lock().unwrap() = true;
    GATE.1.notify_all();
}

/// Behind the gate, or not.
struct NewDeals {
    gated: bool,
}

impl View for NewDeals {
    fn name(&self) -> &'static str {
        "deals"
    }

    fn version(&self) -> u32 {
        Deals.version()
    }

    fn previous(&self) -> Option<&'static dyn View> {
        Some(&OldDeals)
    }

    fn keyspaces(&self) -> &'static [&'static str] {
        Deals.keyspaces()
    }

    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        moment: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError> {
        if self.gated {
            drop(GATE.1.wait_while(GATE.0.lock().unwrap(), |open| !*open).unwrap());
        }
        Deals.apply(changes, folded, moment, recorded)
    }
}

const OLD: &[&dyn View] = &[
    &pactum_views::programs::Programs,
    &pactum_views::partners::Partners,
    &OldDeals,
    &pactum_views::pipeline::Pipeline,
    &pactum_views::ownership::Ownership,
];

const GATED: &[&dyn View] = &[
    &pactum_views::programs::Programs,
    &pactum_views::partners::Partners,
    &NewDeals { gated: true },
    &pactum_views::pipeline::Pipeline,
    &pactum_views::ownership::Ownership,
];

const NEW: &[&dyn View] = &[
    &pactum_views::programs::Programs,
    &pactum_views::partners::Partners,
    &NewDeals { gated: false },
    &pactum_views::pipeline::Pipeline,
    &pactum_views::ownership::Ownership,
];

async fn state(client: &Client, id: &str, min_sequence: u64, as_of: Option<u64>) -> DealState {
    let as_of = as_of.map(|sequence| AsOf { moment: Some(AsOfMoment::Sequence(sequence)) });
    let get = GetDealRequest { name: deal_name(id), min_sequence, as_of };
    client.deal_queries().get_deal(client.request(get)).await.unwrap().into_inner().deal.unwrap().state()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_version_before_answers_until_the_new_one_has_caught_up() {
    let data = tempdir().unwrap();
    let log = memory_log();
    let partition = partition_of_acme(&log);
    let with = |views| ProjectorOptions { views, ..options(data.path()) };
    let system = System::start_with(Arc::clone(&log), with(OLD)).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    admin.register("d-lost", "north", "lost.com").await;
    let lose = LoseDealRequest { name: deal_name("d-lost"), reason: "price".into(), ..Default::default() };
    let lost = admin.deals().lose_deal(admin.request(lose)).await.unwrap().into_inner().sequence;
    assert_eq!(state(&admin, "d-lost", lost, None).await, DealState::Approved, "the version before does not know");
    drop(admin);
    system.stop().await;

    let system = System::start_with(Arc::clone(&log), with(GATED)).await;
    // Ready, with the new version not begun: nobody waits for it.
    until("readiness", || system.views.condition() == Condition::Ready).await;
    let admin = system.by(ADMIN);
    assert_eq!(state(&admin, "d-lost", lost, None).await, DealState::Approved);
    assert_eq!(state(&admin, "d-lost", 0, Some(lost)).await, DealState::Approved);
    let operator = Operator::of(&system);
    let view = loop {
        let view = operator.view("deals", partition).await;
        if view.builds.iter().any(|one| one.progress.is_some()) {
            break view;
        }
        // It begins with the fold.
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(view.version, 0);
    let builds: Vec<_> = view.builds.iter().map(|one| (one.name.as_str(), one.live, one.progress.is_some())).collect();
    assert_eq!(builds, [("deals@0", true, false), ("deals@2", false, true)]);
    // Load over the change: each reads what it has just written, and none fails.
    let done = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn({
        let (admin, done) = (admin.clone(), Arc::clone(&done));
        async move {
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                let id = format!("d-{number}");
                let sequence = admin.register(&id, "south", &format!("c{number}.com")).await;
                assert_eq!(state(&admin, &id, sequence, None).await, DealState::Approved);
                state(&admin, "d-lost", 0, Some(lost)).await;
                number += 1;
            }
            number
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    open_gate();
    operator.answers("deals", partition, "deals@2").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    done.store(true, Ordering::Relaxed);
    assert!(load.await.unwrap() > 1);
    assert_eq!(operator.view("deals", partition).await.version, Deals.version());
    assert_eq!(state(&admin, "d-lost", lost, None).await, DealState::Lost);
    assert_eq!(state(&admin, "d-lost", 0, Some(lost)).await, DealState::Lost, "the past is told by the same rows");
    assert!(operator.agrees("deals", partition).await);

    // Back to the version before, which holds over a restart until somebody goes forward again.
    operator.roll_back("deals", partition, "deals@0").await.unwrap();
    operator.answers("deals", partition, "deals@0").await;
    assert_eq!(state(&admin, "d-lost", lost, None).await, DealState::Approved);
    assert!(operator.agrees("deals", partition).await);
    drop((admin, operator));
    system.stop().await;
    let system = System::start_with(Arc::clone(&log), with(NEW)).await;
    until("readiness", || system.views.condition() == Condition::Ready).await;
    let (admin, operator) = (system.by(ADMIN), Operator::of(&system));
    assert_eq!(state(&admin, "d-lost", lost, None).await, DealState::Approved);
    operator.roll_back("deals", partition, "deals@2").await.unwrap();
    operator.answers("deals", partition, "deals@2").await;
    assert_eq!(state(&admin, "d-lost", lost, None).await, DealState::Lost);
    // Whoever folded or read them may take a moment to let go; the refusal says to try again.
    let mut tries = 0..200;
    while let Err(refused) = operator.drop_build("deals", partition, "deals@0").await {
        assert!(refused.message().ends_with("try again") && tries.next().is_some(), "{refused:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(operator.agrees("deals", partition).await);
    drop((admin, operator));
    system.stop().await;

    // The program before finds its rows gone and builds them; those of a version it does not know it leaves alone.
    let system = System::start_with(Arc::clone(&log), with(OLD)).await;
    until("readiness", || system.views.condition() == Condition::Ready).await;
    let (admin, operator) = (system.by(ADMIN), Operator::of(&system));
    assert_eq!(state(&admin, "d-lost", lost, None).await, DealState::Approved);
    let error = operator.roll_back("deals", partition, "deals@2").await.unwrap_err();
    assert_eq!(reason(&error), "VIEW_REFUSED");
    drop((admin, operator));
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_version_that_is_cut_off_goes_on_at_the_next_start() {
    let data = tempdir().unwrap();
    let log = memory_log();
    let partition = partition_of_acme(&log);
    let with = |views| ProjectorOptions { views, ..options(data.path()) };
    let system = System::start_with(Arc::clone(&log), with(OLD)).await;
    acme(&system).await;
    system.stop().await;
    // As a crash leaves it: rows that hold less than those of the version before, and never answered.
    let begun = data.path().join(partition.to_string()).join("deals@2");
    std::fs::create_dir(&begun).unwrap();
    let system = System::start_with(Arc::clone(&log), with(NEW)).await;
    let operator = Operator::of(&system);
    operator.answers("deals", partition, "deals@2").await;
    assert!(operator.agrees("deals", partition).await);
    drop(operator);
    system.stop().await;
    assert!(begun.join("answered").exists());
}
