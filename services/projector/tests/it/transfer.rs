//! Views taken from one projector to another.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pactum_api::proto::projector::v1 as proto;
use pactum_api::proto::projector::v1::export_view_response::Part;
use pactum_log::{Log, Partition};
use pactum_projector::{ExportError, ImportError, Imported, Importing, Projector, ProjectorOptions, export, import};
use pactum_runtime::health::Condition;
use tempfile::{TempDir, tempdir};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::fold::{append, until};
use crate::operating::{Operator, partition_of_acme};
use crate::system::{ADMIN, System, acme, held_by_all, memory_log, options, reason};

const VIEWS: [&str; 5] = ["programs", "partners", "deals", "pipeline", "ownership"];

fn importing<'a>(from: &'a Path, data: &'a Path) -> Importing<'a> {
    let views = ProjectorOptions::default().views;
    Importing { from, data, views, named: &[], partition: None, replace: false, log: None }
}

fn brought(importing: &Importing<'_>) -> Result<Vec<Imported>, ImportError> {
    import(importing, &mut |_, _| ())
}

fn taken(data: &Path, named: &[String], to: &Path) -> Result<pactum_projector::Manifest, ExportError> {
    export(data, ProjectorOptions::default().views, named, None, to, &mut |_, _| ())
}

/// A log with a history, and the directory of a projector that folded it.
async fn history() -> (Arc<dyn Log>, TempDir) {
    let (log, data) = (memory_log(), tempdir().unwrap());
    let system = System::start(Arc::clone(&log), data.path()).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let mut last = 0;
    for n in 0..20 {
        last = admin.register(&format!("d-{n}"), "north", &format!("c{n}.com")).await;
    }
    held_by_all(&admin, last).await;
    drop(admin);
    system.stop().await;
    (log, data)
}

/// Folds to the log's end and compares every view with a fold from zero.
async fn agrees(log: &Arc<dyn Log>, data: &Path) {
    let projector = Projector::open(Arc::clone(log), options(data)).unwrap();
    let (views, stop) = (projector.status(), CancellationToken::new());
    let running = tokio::spawn(projector.run(stop.clone()));
    until("the log's end", || views.condition() == Condition::Ready).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    drop(views);
    let projector = Projector::open(Arc::clone(log), options(data)).unwrap();
    for partition in 0..log.partitions() {
        for view in VIEWS {
            let verified = projector.verify(partition, view).await.unwrap();
            assert!(verified.agree() && verified.offset > 0, "{view} of {partition}: {verified:?}");
        }
    }
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
}

#[tokio::test]
async fn a_projector_goes_on_from_anothers_rows() {
    let (log, data) = history().await;
    let (place, other) = (tempdir().unwrap(), tempdir().unwrap());
    let to = place.path().join("export");
    let manifest = taken(data.path(), &[], &to).unwrap();
    assert_eq!(manifest.views.len(), 10);
    assert!(!data.path().join("exports").exists(), "what was put aside is left");
    assert!(matches!(taken(data.path(), &[], &to), Err(ExportError::Exists(_))));
    let wanted = importing(&to, other.path());
    let imported = brought(&wanted).unwrap();
    assert!(
        imported.iter().all(|one| one.offset > 0 && !one.was_there && one.build.starts_with(&format!("{}@", one.view)))
    );
    // It knows from where it goes on before it has read anything.
    let projector = Projector::open(Arc::clone(&log), options(other.path())).unwrap();
    let views = projector.status().views();
    for one in &imported {
        let is_it = |view: &&pactum_projector::ViewStatus| view.partition == one.partition && view.name == one.view;
        assert_eq!(views.iter().find(is_it).unwrap().offset, one.offset);
    }
    let in_use = brought(&wanted).unwrap_err();
    assert!(matches!(in_use, ImportError::InUse(_)) && in_use.to_string().contains("in use"), "{in_use}");
    assert!(matches!(taken(other.path(), &[], &place.path().join("two")), Err(ExportError::InUse(_))));
    drop(projector);
    agrees(&log, other.path()).await;
    // Once more is no error, and changes nothing.
    assert!(brought(&wanted).unwrap().iter().all(|one| one.was_there));
    agrees(&log, other.path()).await;
}

#[tokio::test]
async fn imported_rows_take_the_place_of_others_where_that_is_asked_for() {
    let (log, data) = history().await;
    let (place, other) = (tempdir().unwrap(), tempdir().unwrap());
    let to = place.path().join("export");
    taken(data.path(), &["deals".to_owned()], &to).unwrap();
    agrees(&log, other.path()).await;
    let wanted = importing(&to, other.path());
    let there = brought(&wanted).unwrap_err();
    assert!(matches!(there, ImportError::Exists { .. }) && there.to_string().contains("--replace"), "{there}");
    let imported = brought(&Importing { replace: true, ..wanted.clone() }).unwrap();
    assert_eq!(imported.iter().map(|one| one.build.as_str()).collect::<Vec<_>>(), ["deals@2+2", "deals@2+2"]);
    agrees(&log, other.path()).await;
    // Those that answered before are kept.
    assert!(other.path().join("0/deals@2").is_dir());
}

#[tokio::test]
async fn what_is_not_whole_or_not_fitting_is_refused_and_changes_nothing() {
    let (log, data) = history().await;
    let (place, empty) = (tempdir().unwrap(), tempdir().unwrap());
    let whole = place.path().join("whole");
    taken(data.path(), &[], &whole).unwrap();
    let check = |what: &str, harm: &dyn Fn(&Path), is_right: &dyn Fn(&ImportError) -> bool| {
        let harmed = tempdir().unwrap();
        copy(&whole, harmed.path());
        harm(harmed.path());
        let error = brought(&importing(harmed.path(), empty.path())).expect_err(what);
        assert!(is_right(&error), "{what}: {error:?}");
        let left: Vec<_> = files(empty.path()).into_iter().filter(|path| !path.ends_with("projector.lock")).collect();
        assert!(left.is_empty(), "{what}: {left:?}");
    };
    let manifest = |directory: &Path| directory.join("manifest.json");
    check("no manifest", &|at| std::fs::remove_file(manifest(at)).unwrap(), &|e| matches!(e, ImportError::NoExport(_)));
    let of_log = |at: &Path| {
        let text = std::fs::read_to_string(manifest(at)).unwrap();
        std::fs::write(manifest(at), text.replacen("\"offset\": ", "\"offset\": 1", 1)).unwrap();
    };
    check("an edited manifest", &of_log, &|e| matches!(e, ImportError::Manifest { .. }));
    let cut = |at: &Path| std::fs::write(manifest(at), &std::fs::read(manifest(at)).unwrap()[..100]).unwrap();
    check("a manifest cut off", &cut, &|e| matches!(e, ImportError::Manifest { .. }));
    let newer = |at: &Path| {
        let text = std::fs::read_to_string(manifest(at)).unwrap();
        std::fs::write(manifest(at), text.replacen("\"format\": 1", "\"format\": 9", 1)).unwrap();
    };
    check("a newer format", &newer, &|e| matches!(e, ImportError::Format { found: 9, .. }));
    // Every file of a view: missing, cut off, one bit turned.
    for path in files(&whole).iter().filter(|path| path.to_string_lossy().contains("0/programs@1")) {
        let name = path.strip_prefix(&whole).unwrap();
        let bytes = std::fs::read(path).unwrap();
        let at = name.display().to_string();
        check(&at, &|of| std::fs::remove_file(of.join(name)).unwrap(), &|e| matches!(e, ImportError::Missing(_)));
        if bytes.is_empty() {
            continue;
        }
        let damaged = |e: &ImportError| matches!(e, ImportError::Damaged { .. }) && e.to_string().contains("copy");
        check(&at, &|of| std::fs::write(of.join(name), &bytes[..bytes.len() / 2]).unwrap(), &damaged);
        let mut turned = bytes.clone();
        turned[bytes.len() / 3] ^= 4;
        check(&at, &|of| std::fs::write(of.join(name), &turned).unwrap(), &damaged);
    }
    // Another log, known from the views that are there or from whoever asks.
    let (foreign, theirs) = (memory_log(), tempdir().unwrap());
    let system = System::start(Arc::clone(&foreign), theirs.path()).await;
    acme(&system).await;
    system.stop().await;
    let replace = Importing { replace: true, ..importing(&whole, theirs.path()) };
    assert!(matches!(brought(&replace), Err(ImportError::OtherLog { .. })));
    let told = Importing { log: Some((7, 2)), ..importing(&whole, empty.path()) };
    assert!(matches!(brought(&told), Err(ImportError::OtherLog { .. })));
    // Views that are not in it, or not in this program.
    let names = ["nothing".to_owned()];
    let unknown = Importing { named: &names, ..importing(&whole, empty.path()) };
    assert!(matches!(brought(&unknown), Err(ImportError::NotInIt(_))));
    let few = Importing { views: &ProjectorOptions::default().views[..2], ..importing(&whole, empty.path()) };
    assert!(matches!(brought(&few), Err(ImportError::UnknownView(_))));
    drop(log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_projector_that_folds_gives_its_rows_away_with_what_they_pass_over() {
    let (log, data, other) = (memory_log(), tempdir().unwrap(), tempdir().unwrap());
    let partition = partition_of_acme(&log);
    let system = System::start(Arc::clone(&log), data.path()).await;
    let sequence = acme(&system).await;
    held_by_all(&system.by(ADMIN), sequence).await;
    let offset = log.end(partition).await.unwrap();
    append(&log, partition, b"\xffnonsense").await;
    let all_stopped =
        || system.views.views().iter().filter(|one| one.partition == partition).all(|one| one.error.is_some());
    until("stopped views", all_stopped).await;
    let operator = Operator::of(&system);
    for view in VIEWS {
        operator.quarantine(view, partition, offset, "a test wrote it").await.unwrap();
    }
    until("the log's end", || system.views.condition() == Condition::Ready).await;
    let to = other.path().join("export");
    let mut writing = pactum_projector::Writing::begin(&to).unwrap();
    for view in VIEWS {
        let mut parts = exported(&operator, view, partition).await.unwrap();
        let mut end = false;
        let Some(Part::View(first)) = parts.remove(0).part else { panic!("the view is told first") };
        assert_eq!(first.passed_over.iter().map(|one| one.offset).collect::<Vec<_>>(), [offset]);
        let mut files = writing.view(read(first)).unwrap();
        let last = parts.pop().unwrap().part;
        for part in parts {
            let Some(Part::Data(data)) = part.part else { panic!("bytes come between") };
            files.write(&data).unwrap();
        }
        if let Some(Part::End(proto::ExportEnd { sha256 })) = last {
            let digests: Vec<[u8; 32]> = sha256.iter().map(|one| one.as_slice().try_into().unwrap()).collect();
            files.end(&digests).unwrap();
            end = true;
        }
        assert!(end, "the digests come last");
    }
    writing.finish().unwrap();
    let error = exported(&operator, "nothing", 0).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    until("nothing put aside", || std::fs::read_dir(data.path().join("exports")).unwrap().next().is_none()).await;
    drop(operator);
    system.stop().await;

    let fresh = other.path().join("views");
    brought(&importing(&to, &fresh)).unwrap();
    // Its rows were made under the decision, which came with them; so its folds from zero agree.
    let projector = Projector::open(Arc::clone(&log), options(&fresh)).unwrap();
    for view in VIEWS {
        let verified = projector.verify(partition, view).await.unwrap();
        assert!(verified.agree() && verified.offset > offset, "{view}: {verified:?}");
    }
    drop(projector);
    // Whoever decided otherwise is told so.
    let undecided = other.path().join("undecided");
    std::fs::create_dir_all(undecided.join(partition.to_string()).join("deals@2")).unwrap();
    let error = brought(&Importing { replace: true, ..importing(&to, &undecided) }).unwrap_err();
    assert!(matches!(error, ImportError::OtherDecisions { .. }), "{error:?}");
}

fn read(view: proto::ExportedView) -> pactum_projector::ExportedView {
    let decision = |one: proto::Quarantine| pactum_projector::Decision {
        offset: one.offset,
        by: one.by,
        at: one.at.unwrap().seconds * 1_000_000,
        reason: one.reason,
    };
    let file = |one: proto::ExportedFile| pactum_projector::ExportedFile {
        name: one.name,
        bytes: one.bytes,
        sha256: String::new(),
    };
    pactum_projector::ExportedView {
        log_id: view.log_id,
        partitions: view.partitions,
        log_format: u16::try_from(view.log_format).unwrap(),
        partition: view.partition,
        view: view.view,
        version: view.version,
        offset: view.offset,
        term: view.term,
        next: view.next,
        owner: view.owner,
        passed_over: view.passed_over.into_iter().map(decision).collect(),
        files: view.files.into_iter().map(file).collect(),
    }
}

async fn exported(
    operator: &Operator,
    view: &str,
    partition: Partition,
) -> Result<Vec<proto::ExportViewResponse>, tonic::Status> {
    let request = proto::ExportViewRequest { view: view.into(), partition };
    let mut answers = operator.0.clone().export_view(operator.1.request(request)).await?.into_inner();
    let mut parts = Vec::new();
    while let Some(part) = answers.message().await? {
        parts.push(part);
    }
    Ok(parts)
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_nothing_behind() {
    let (log, data) = history().await;
    let system = System::start(Arc::clone(&log), data.path()).await;
    let operator = Operator::of(&system);
    let partition = partition_of_acme(&log);
    let begin = async || {
        let request = proto::ExportViewRequest { view: "deals".into(), partition };
        operator.0.clone().export_view(operator.1.request(request)).await
    };
    for _ in 0..5 {
        // Dropped in the middle; its slot and its files come back.
        let mut answers = loop {
            match begin().await {
                Ok(answers) => break answers.into_inner(),
                Err(busy) => assert_eq!(reason(&busy), "VIEW_REFUSED"),
            }
        };
        answers.message().await.unwrap();
    }
    until("nothing put aside", || std::fs::read_dir(data.path().join("exports")).unwrap().next().is_none()).await;
    drop(operator);
    system.stop().await;
}
