//! The fold: going on after a stop, and stopping where it must.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pactum_api::proto::deal::v1::GetDealRequest;
use pactum_journal::entry::encode_record;
use pactum_journal::{Follower, Position};
use pactum_log::{Log, Partition};
use pactum_projector::{Projector, Status};
use pactum_runtime::health::Condition;
use pactum_store::{Database, Durability, KeyspaceSpec, Options};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::system::{ADMIN, System, acme, deal_name, held_by_all, memory_log, options, reason};

pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not come about in time");
}

async fn caught_up(views: &Status) {
    until("the log's end", || views.views().iter().all(|view| view.caught_up && view.lag_records == 0)).await;
}

/// A log with some history, and the partition it is in.
pub(crate) async fn history(data: &Path) -> (Arc<dyn Log>, Partition) {
    let log = memory_log();
    let system = System::start(Arc::clone(&log), data).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    for n in 0..20 {
        admin.register(&format!("d-{n}"), "north", &format!("c{n}.com")).await;
    }
    let partition = pactum_events::partition_of(&pactum_ids::ProgramId::new("acme").unwrap(), log.partitions());
    // The end that the views know of may be a moment old, so the log itself is asked.
    let end = log.end(partition).await.unwrap();
    let folded = || system.views.views().iter().all(|view| view.partition != partition || view.offset >= end);
    until("the log's end", folded).await;
    system.stop().await;
    (log, partition)
}

async fn agrees(projector: &Projector, partitions: u32) {
    for partition in 0..partitions {
        for view in ["programs", "partners", "deals", "pipeline", "ownership"] {
            let verified = projector.verify(partition, view).await.unwrap();
            assert!(verified.agree(), "{view} of {partition}: {verified:?}");
        }
    }
}

#[tokio::test]
async fn goes_on_where_it_stopped_and_agrees_with_a_fold_from_zero() {
    let data = tempdir().unwrap();
    let (log, partition) = history(data.path()).await;
    let projector = Projector::open(Arc::clone(&log), options(data.path())).unwrap();
    let end = log.end(partition).await.unwrap();
    let at_open = projector.status().views();
    assert!(
        at_open.iter().filter(|view| view.partition == partition).all(|view| view.offset + 1 >= end),
        "{at_open:?}"
    );
    agrees(&projector, log.partitions()).await;
    assert!(projector.verify(0, "nothing").await.unwrap_err().to_string().contains("no view nothing"));
}

/// A crash may take more of one view than of another: each goes on from its own place.
#[tokio::test]
async fn a_view_that_is_behind_or_gone_catches_up_alone() {
    let data = tempdir().unwrap();
    let (log, partition) = history(data.path()).await;
    std::fs::remove_dir_all(data.path().join(partition.to_string()).join("deals@2")).unwrap();
    let projector = Projector::open(Arc::clone(&log), options(data.path())).unwrap();
    let (views, stop) = (projector.status(), CancellationToken::new());
    let offset = |name| views.views().into_iter().find(|v| v.partition == partition && v.name == name).unwrap().offset;
    assert_eq!(offset("deals"), 0);
    assert!(offset("pipeline") > 0);
    let running = tokio::spawn(projector.run(stop.clone()));
    caught_up(&views).await;
    assert_eq!(views.condition(), Condition::Ready);
    stop.cancel();
    running.await.unwrap().unwrap();
    drop(views);
    let projector = Projector::open(Arc::clone(&log), options(data.path())).unwrap();
    agrees(&projector, log.partitions()).await;
}

/// Every file below a directory with its length.
fn files(directory: &Path) -> std::io::Result<std::collections::BTreeMap<std::path::PathBuf, u64>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            let length = path.metadata()?.len();
            found.insert(path, length);
        }
    }
    Ok(found)
}

/// Copies a directory once nothing in it moves: with a file of before and one of after some background work, the copy would
/// be what no crash leaves.
fn copy_at_rest(from: &Path, to: &Path) {
    let copy = || -> std::io::Result<bool> {
        let before = files(from)?;
        for path in before.keys() {
            let copied = to.join(path.strip_prefix(from).unwrap());
            std::fs::create_dir_all(copied.parent().unwrap())?;
            std::fs::copy(path, copied)?;
        }
        Ok(files(from)? == before)
    };
    for _ in 0..100 {
        if copy().unwrap_or(false) {
            return;
        }
        std::fs::remove_dir_all(to).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} does not come to rest", from.display());
}

/// The files of a running projector are what a crash at this moment leaves: what was not flushed is not there.
#[tokio::test]
async fn a_crash_takes_back_rows_and_offset_together() {
    let (data, crashed) = (tempdir().unwrap(), tempdir().unwrap());
    let (log, partition) = history(data.path()).await;
    let system = System::start(Arc::clone(&log), data.path()).await;
    let admin = system.by(ADMIN);
    let mut last = 0;
    for n in 20..40 {
        last = admin.register(&format!("d-{n}"), "south", &format!("c{n}.com")).await;
    }
    held_by_all(&admin, last).await;
    copy_at_rest(data.path(), crashed.path());
    drop(admin);
    system.stop().await;

    let end = log.end(partition).await.unwrap();
    let projector = Projector::open(Arc::clone(&log), options(crashed.path())).unwrap();
    let (views, stop) = (projector.status(), CancellationToken::new());
    for view in views.views().iter().filter(|view| view.partition == partition) {
        assert!(view.offset > 0 && view.offset + 20 <= end, "{view:?}");
    }
    agrees(&projector, log.partitions()).await;
    let running = tokio::spawn(projector.run(stop.clone()));
    caught_up(&views).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    drop(views);
    let projector = Projector::open(Arc::clone(&log), options(crashed.path())).unwrap();
    assert!(projector.status().views().iter().filter(|v| v.partition == partition).all(|v| v.offset + 2 > end));
    agrees(&projector, log.partitions()).await;
}

/// Appends a record that is valid for the journal, with this body.
pub(crate) async fn append(log: &Arc<dyn Log>, partition: Partition, body: &[u8]) {
    let end = log.end(partition).await.unwrap();
    let mut follower = Follower::open(Arc::clone(log), partition, Position::default()).await.unwrap();
    while follower.position().offset < end {
        follower.next(1_000).await.unwrap();
    }
    let Position { term, next, .. } = follower.position().clone();
    log.appender(partition).unwrap().append(encode_record(term.unwrap(), next, body)).unwrap();
}

async fn stopped(log: &Arc<dyn Log>, data: &Path) -> String {
    let projector = Projector::open(Arc::clone(log), options(data)).unwrap();
    let (views, stop) = (projector.status(), CancellationToken::new());
    let running = tokio::spawn(projector.run(stop.clone()));
    until("a stopped view", || matches!(views.condition(), Condition::Failed(_))).await;
    assert!(!running.is_finished(), "the process goes on, and says what is wrong");
    let stopped = views.views();
    stop.cancel();
    running.await.unwrap().unwrap();
    stopped.into_iter().find_map(|view| view.error).unwrap()
}

#[tokio::test]
async fn stops_at_a_record_that_cannot_be_read_and_keeps_what_is_before() {
    let data = tempdir().unwrap();
    let (log, partition) = history(data.path()).await;
    let end = log.end(partition).await.unwrap();
    append(&log, partition, b"\xffnonsense").await;
    let why = stopped(&log, data.path()).await;
    assert!(why.contains(&format!("offset {end}")) && why.contains("version 255"), "{why}");
    // From zero too: everything before it is folded, in the same batch or not.
    let fresh = tempdir().unwrap();
    assert_eq!(stopped(&log, fresh.path()).await, why);
    let projector = Projector::open(Arc::clone(&log), options(fresh.path())).unwrap();
    let at = projector.status().views().into_iter().find(|view| view.partition == partition).unwrap().offset;
    assert_eq!(at, end);
    agrees(&projector, log.partitions()).await;
}

#[tokio::test]
async fn stops_at_a_record_that_does_not_follow() {
    let data = tempdir().unwrap();
    let (log, partition) = history(data.path()).await;
    let mut follower = Follower::open(Arc::clone(&log), partition, Position::default()).await.unwrap();
    let mut first: Option<Bytes> = None;
    while first.is_none() {
        first = follower.next(10).await.unwrap().records.into_iter().next().map(|record| record.body);
    }
    append(&log, partition, &first.unwrap()).await;
    let why = stopped(&log, data.path()).await;
    assert!(why.contains("sequence 1 of programs/acme") && why.contains("next sequence is"), "{why}");
}

#[tokio::test]
async fn a_stopped_view_answers_what_it_holds_and_says_so_for_the_rest() {
    let data = tempdir().unwrap();
    let log = memory_log();
    let system = System::start(Arc::clone(&log), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let sequence = admin.register("d-1", "north", "example.com").await;
    caught_up(&system.views).await;
    let partition = pactum_events::partition_of(&pactum_ids::ProgramId::new("acme").unwrap(), log.partitions());
    append(&log, partition, b"").await;
    until("a stopped view", || matches!(system.views.condition(), Condition::Failed(_))).await;
    let get = |min_sequence| GetDealRequest { name: deal_name("d-1"), min_sequence, ..Default::default() };
    admin.deal_queries().get_deal(admin.request(get(sequence))).await.unwrap();
    let error = admin.deal_queries().get_deal(admin.request(get(sequence + 1))).await.unwrap_err();
    assert_eq!((error.code(), reason(&error).as_str()), (Code::Unavailable, "VIEW_STOPPED"));
}

#[tokio::test]
async fn a_truncated_log_and_another_log_are_told_apart_from_lag() {
    let data = tempdir().unwrap();
    let (_, partition) = history(data.path()).await;
    let empty = memory_log();
    let why = stopped(&empty, data.path()).await;
    assert!(why.contains("the log was truncated") && why.contains("ends at 0"), "{why}");

    let other_data = tempdir().unwrap();
    let (longer, _) = history(other_data.path()).await;
    for _ in 0..5 {
        append(&longer, partition, b"").await;
    }
    let why = stopped(&longer, data.path()).await;
    assert!(why.contains("another log"), "{why}");
}

#[tokio::test]
async fn verifying_finds_a_row_that_was_tampered_with() {
    let data = tempdir().unwrap();
    let (log, partition) = history(data.path()).await;
    let path = data.path().join(partition.to_string()).join("partners@1");
    let specs: Vec<_> = ["partners", "partner_names", "clock", "meta"].map(KeyspaceSpec::new).into();
    let open = Options { rebuildable: true, ..Options::default() };
    let database = Database::open(&path, &specs, &open).unwrap();
    let mut batch = database.batch();
    batch.delete(&database.keyspace("partners").unwrap(), b"acme\0north\0");
    database.write(&batch, Durability::Deferred).unwrap();
    database.flush().unwrap();
    drop((batch, database));
    let projector = Projector::open(Arc::clone(&log), options(data.path())).unwrap();
    assert!(!projector.verify(partition, "partners").await.unwrap().agree());
    assert!(projector.verify(partition, "deals").await.unwrap().agree());
}

#[tokio::test]
async fn two_projectors_do_not_share_a_directory() {
    let data = tempdir().unwrap();
    let (log, _) = history(data.path()).await;
    let first = Projector::open(Arc::clone(&log), options(data.path())).unwrap();
    let error = Projector::open(Arc::clone(&log), options(data.path())).unwrap_err();
    assert!(error.to_string().contains("is in use by process"), "{error:?}");
    drop(first);
    Projector::open(log, options(data.path())).unwrap();
}
