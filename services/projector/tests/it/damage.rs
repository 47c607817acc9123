//! Files of a view that are damaged.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pactum_api::proto::deal::v1::GetDealRequest;
use pactum_projector::Projector;
use tempfile::tempdir;
use tonic::Code;

use crate::fold::{history, until};
use crate::operating::Operator;
use crate::system::{ADMIN, System, deal_name, options, reason};

fn files_of_rows(build: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(build).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "sst")).collect();
    files.sort_by_key(|path| std::cmp::Reverse(std::fs::metadata(path).unwrap().len()));
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn damaged_rows_are_made_anew_while_the_rest_answers() {
    let data = tempdir().unwrap();
    let (log, partition) = history(data.path()).await;
    let folder = data.path().join(partition.to_string());
    // Where rows are: opening does not look there.
    let largest = &files_of_rows(&folder.join("deals@2"))[0];
    let mut bytes = std::fs::read(largest).unwrap();
    bytes.iter_mut().skip(5).take(40).for_each(|byte| *byte ^= 0x5a);
    std::fs::write(largest, bytes).unwrap();
    let system = System::start(Arc::clone(&log), data.path()).await;
    let (admin, operator) = (system.by(ADMIN), Operator::of(&system));
    let get = async |id: &str| {
        let request = GetDealRequest { name: deal_name(id), ..Default::default() };
        admin.deal_queries().get_deal(admin.request(request)).await
    };
    let mut refused = Vec::new();
    for n in 0..20 {
        if let Err(error) = get(&format!("d-{n}")).await {
            assert_eq!((error.code(), reason(&error).as_str()), (Code::DataLoss, "DATA_CORRUPT"));
            refused.push(n);
        }
    }
    if refused.is_empty() {
        // It was the rows of the order; whoever compares reads these.
        let request = pactum_api::proto::projector::v1::VerifyViewRequest { view: "deals".into(), partition };
        operator.0.clone().verify_view(operator.1.request(request)).await.unwrap_err();
    }
    // Nobody did anything about it.
    operator.answers("deals", partition, "deals@2+2").await;
    for n in 0..20 {
        get(&format!("d-{n}")).await.unwrap();
    }
    assert!(operator.agrees("deals", partition).await);
    until("the damaged files put aside", || folder.join("deals@2.damaged").is_dir()).await;
    assert!(!folder.join("deals@2").exists());
    drop((admin, operator));
    system.stop().await;
}

#[tokio::test]
async fn a_view_that_cannot_be_opened_is_built_anew_and_the_others_go_on() {
    let data = tempdir().unwrap();
    let (log, partition) = history(data.path()).await;
    let folder = data.path().join(partition.to_string());
    std::fs::remove_file(&files_of_rows(&folder.join("pipeline@1"))[0]).unwrap();
    std::fs::write(folder.join("partners@1/CURRENT"), "MANIFEST-").unwrap();
    let projector = Projector::open(Arc::clone(&log), options(data.path())).unwrap();
    let offset = |name| {
        let views = projector.status().views();
        views.iter().find(|view| view.partition == partition && view.name == name).unwrap().offset
    };
    assert_eq!((offset("pipeline"), offset("partners")), (0, 0));
    assert!(offset("deals") > 0);
    assert!(folder.join("pipeline@1.damaged").is_dir() && folder.join("partners@1.damaged").is_dir());
    drop(projector);
    let system = System::start(log, data.path()).await;
    let operator = Operator::of(&system);
    until("the log's end", || system.views.views().iter().all(|view| view.caught_up && view.lag_records == 0)).await;
    for view in ["pipeline", "partners"] {
        assert!(operator.agrees(view, partition).await);
    }
    drop(operator);
    system.stop().await;
}

/// What people decided cannot be made again, so it is not made up for.
#[tokio::test]
async fn damaged_decisions_are_told_and_not_passed_over() {
    let data = tempdir().unwrap();
    let (log, partition) = history(data.path()).await;
    let decisions = data.path().join(partition.to_string()).join("deals.decisions");
    std::fs::write(&decisions, b"{\"offset\":7,\"by\":\"ann\",\"at\":1,\"reason\":\"x\"}\n{\"offset\":\xff").unwrap();
    let error = Projector::open(Arc::clone(&log), options(data.path())).unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("deals.decisions is damaged in line 2"), "{why}");
    std::fs::remove_file(decisions).unwrap();
    Projector::open(log, options(data.path())).unwrap();
}
