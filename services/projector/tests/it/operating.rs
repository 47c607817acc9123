//! What an operator does with views while they are served.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pactum_api::proto::deal::v1::GetDealRequest;
use pactum_api::proto::projector::v1 as proto;
use pactum_api::proto::projector::v1::view_service_client::ViewServiceClient;
use pactum_log::{Log, Partition};
use pactum_projector::Projector;
use pactum_runtime::health::Condition;
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Channel;

use crate::fold::{append, until};
use crate::system::{ADMIN, Client, System, acme, deal_name, held_by_all, memory_log, options, reason};

pub(crate) const OPERATOR: &str = "operator@acme";

pub(crate) fn partition_of_acme(log: &Arc<dyn Log>) -> Partition {
    pactum_events::partition_of(&pactum_ids::ProgramId::new("acme").unwrap(), log.partitions())
}

/// A view service and its caller.
pub(crate) struct Operator(pub(crate) ViewServiceClient<Channel>, pub(crate) Client);

impl Operator {
    pub(crate) fn of(system: &System) -> Self {
        Self(ViewServiceClient::new(system.channel.clone()), system.by(OPERATOR))
    }

    pub(crate) async fn view(&self, view: &str, partition: Partition) -> proto::View {
        let request = self.1.request(proto::ListViewsRequest {});
        let views = self.0.clone().list_views(request).await.unwrap().into_inner().views;
        views.into_iter().find(|one| one.view == view && one.partition == partition).unwrap()
    }

    pub(crate) async fn rebuild(&self, view: &str, partition: Option<Partition>) -> Result<Vec<String>, tonic::Status> {
        let request = proto::RebuildViewRequest { view: view.into(), partition };
        Ok(self.0.clone().rebuild_view(self.1.request(request)).await?.into_inner().builds)
    }

    pub(crate) async fn roll_back(&self, view: &str, partition: Partition, build: &str) -> Result<(), tonic::Status> {
        let request = proto::RollBackViewRequest { view: view.into(), partition, build: build.into() };
        self.0.clone().roll_back_view(self.1.request(request)).await.map(drop)
    }

    pub(crate) async fn drop_build(&self, view: &str, partition: Partition, build: &str) -> Result<(), tonic::Status> {
        let request = proto::DropBuildRequest { view: view.into(), partition, build: build.into() };
        self.0.clone().drop_build(self.1.request(request)).await.map(drop)
    }

    pub(crate) async fn agrees(&self, view: &str, partition: Partition) -> bool {
        let request = proto::VerifyViewRequest { view: view.into(), partition };
        self.0.clone().verify_view(self.1.request(request)).await.unwrap().into_inner().agrees
    }

    pub(crate) async fn quarantine(
        &self,
        view: &str,
        partition: Partition,
        offset: u64,
        why: &str,
    ) -> Result<(), tonic::Status> {
        let request = proto::QuarantineRecordRequest { view: view.into(), partition, offset, reason: why.into() };
        self.0.clone().quarantine_record(self.1.request(request)).await.map(drop)
    }

    /// Waits until a build answers.
    pub(crate) async fn answers(&self, view: &str, partition: Partition, build: &str) {
        for _ in 0..1_500 {
            let found = self.view(view, partition).await;
            if found.builds.iter().any(|one| one.live && one.name == build) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{build} does not answer: {:?}", self.view(view, partition).await);
    }
}

fn stop_of(view: &proto::View) -> u64 {
    assert!(!view.error.is_empty(), "{view:?}");
    view.offset
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_view_is_rebuilt_under_load_without_a_failed_query() {
    let data = tempdir().unwrap();
    let log = memory_log();
    let partition = partition_of_acme(&log);
    let system = System::start(Arc::clone(&log), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    admin.register("d-first", "north", "first.com").await;
    let done = Arc::new(AtomicBool::new(false));
    // Each reads what it has just written: also from rows that took the place of others meanwhile.
    let load: Vec<_> = (0..3)
        .map(|caller| {
            let (admin, done) = (admin.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut number = 0;
                while !done.load(Ordering::Relaxed) {
                    let id = format!("d-{caller}-{number}");
                    let min_sequence = admin.register(&id, "north", &format!("c{caller}-{number}.com")).await;
                    let get = GetDealRequest { name: deal_name(&id), min_sequence, ..Default::default() };
                    admin.deal_queries().get_deal(admin.request(get)).await.unwrap();
                    number += 1;
                }
                number
            })
        })
        .collect();
    let operator = Operator::of(&system);
    for build in ["deals@2+2", "deals@2+3"] {
        assert_eq!(operator.rebuild("deals", Some(partition)).await.unwrap(), [build]);
        operator.answers("deals", partition, build).await;
        // Rows that answered before stay.
        let names: Vec<_> = operator.view("deals", partition).await.builds.into_iter().map(|one| one.name).collect();
        assert!(names.contains(&"deals@2".to_owned()), "{names:?}");
    }
    done.store(true, Ordering::Relaxed);
    let mut last = 0;
    for caller in load {
        last += caller.await.unwrap();
    }
    assert!(last > 0, "nothing was asked while the view was rebuilt");
    assert!(operator.agrees("deals", partition).await);

    // The first build again, which has to catch up with what came since.
    operator.roll_back("deals", partition, "deals@2").await.unwrap();
    operator.answers("deals", partition, "deals@2").await;
    assert!(operator.agrees("deals", partition).await);
    let error = operator.drop_build("deals", partition, "deals@2").await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::FailedPrecondition, "VIEW_REFUSED"));
    for build in ["deals@2+2", "deals@2+3"] {
        operator.drop_build("deals", partition, build).await.unwrap();
    }
    let error = operator.drop_build("deals", partition, "deals@2+2").await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(operator.rebuild("nothing", None).await.unwrap_err().code(), Code::NotFound);
    drop((operator, admin));
    system.stop().await;
    // What answered last answers after a restart.
    let system = System::start(log, data.path()).await;
    assert!(
        Operator::of(&system).view("deals", partition).await.builds.iter().any(|one| one.live && one.name == "deals@2")
    );
    system.stop().await;
}

#[tokio::test]
async fn a_build_that_was_cut_off_goes_at_the_next_start() {
    let data = tempdir().unwrap();
    let log = memory_log();
    let partition = partition_of_acme(&log);
    let system = System::start(Arc::clone(&log), data.path()).await;
    acme(&system).await;
    let operator = Operator::of(&system);
    operator.rebuild("partners", Some(partition)).await.unwrap();
    operator.answers("partners", partition, "partners@1+2").await;
    drop(operator);
    system.stop().await;
    // As a crash leaves it: a directory that never answered, and a pointer that was not replaced yet.
    let folder = data.path().join(partition.to_string());
    copy(&folder.join("partners@1+2"), &folder.join("partners@1+3"));
    std::fs::remove_file(folder.join("partners@1+3/answered")).unwrap();
    std::fs::write(folder.join("partners@1.live.new"), "partn").unwrap();
    let system = System::start(Arc::clone(&log), data.path()).await;
    let operator = Operator::of(&system);
    let builds = operator.view("partners", partition).await.builds;
    let builds: Vec<_> = builds.iter().map(|one| (one.name.as_str(), one.live)).collect();
    assert_eq!(builds, [("partners@1", false), ("partners@1+2", true)]);
    assert!(operator.agrees("partners", partition).await);
    drop(operator);
    system.stop().await;
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_folded_is_passed_over_once_that_is_decided() {
    let data = tempdir().unwrap();
    let log = memory_log();
    let partition = partition_of_acme(&log);
    let system = System::start(Arc::clone(&log), data.path()).await;
    let sequence = acme(&system).await;
    held_by_all(&system.by(ADMIN), sequence).await;
    let offset = log.end(partition).await.unwrap();
    append(&log, partition, b"\xffnonsense").await;
    until("a stopped view", || matches!(system.views.condition(), Condition::Failed(_))).await;
    let operator = Operator::of(&system);
    for view in ["programs", "partners", "deals", "pipeline", "ownership"] {
        until("every view stopped", || {
            system.views.views().iter().filter(|one| one.partition == partition).all(|one| one.error.is_some())
        })
        .await;
        assert_eq!(stop_of(&operator.view(view, partition).await), offset);
        let wrong = operator.quarantine(view, partition, offset + 1, "wrong").await.unwrap_err();
        assert_eq!(reason(&wrong), "VIEW_REFUSED");
        assert_eq!(
            operator.quarantine(view, partition, offset, " ").await.unwrap_err().code(),
            Code::FailedPrecondition
        );
    }
    // It is as it was: trying again does not help.
    let retry = proto::RetryViewRequest { view: "deals".into(), partition: None };
    assert_eq!(operator.0.clone().retry_view(operator.1.request(retry)).await.unwrap().into_inner().retried, 1);
    until("the view stopped again", || {
        let stopped = |one: &pactum_projector::ViewStatus| one.name == "deals" && one.error.is_some();
        system.views.views().iter().any(stopped)
    })
    .await;
    for view in ["programs", "partners", "deals", "pipeline", "ownership"] {
        operator.quarantine(view, partition, offset, "a test wrote it").await.unwrap();
    }
    until("the log's end", || system.views.condition() == Condition::Ready).await;
    let found = operator.view("deals", partition).await;
    assert_eq!(found.offset, offset + 1);
    let decided = &found.quarantined[0];
    assert_eq!(
        (decided.offset, decided.by.as_str(), decided.reason.as_str()),
        (offset, "user-of-vendor", "a test wrote it")
    );
    // The decision holds for whoever folds from zero: a rebuild, and a start without the rows.
    operator.rebuild("deals", Some(partition)).await.unwrap();
    operator.answers("deals", partition, "deals@2+2").await;
    assert!(operator.agrees("deals", partition).await);
    drop(operator);
    system.stop().await;
    std::fs::remove_dir_all(data.path().join(partition.to_string()).join("pipeline@1")).unwrap();
    let projector = Projector::open(Arc::clone(&log), options(data.path())).unwrap();
    let (views, stop) = (projector.status(), CancellationToken::new());
    let running = tokio::spawn(projector.run(stop.clone()));
    until("the log's end", || views.condition() == Condition::Ready).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    drop(views);
    let projector = Projector::open(Arc::clone(&log), options(data.path())).unwrap();
    for view in ["pipeline", "deals"] {
        assert!(projector.verify(partition, view).await.unwrap().agree(), "{view}");
    }
    assert!(projector.status().views().iter().filter(|one| one.partition == partition).all(|one| one.offset > offset));
}
