//! `pactum view` as its users have it: the built binary, a real server.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pactum_api::proto::common::v1::Customer;
use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
use pactum_journal::entry::encode_record;
use pactum_journal::{Follower, Position};
use pactum_log::Log;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use serde_json::Value;

use crate::system::{Connection, PACTUM, POLICY, System, pactum, pactum_ok, small_program};

const VIEWS: [&str; 5] = ["programs", "partners", "deals", "pipeline", "ownership"];

fn view<'a>(system: &'a System, endpoint: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    let data = system.data().to_str().unwrap();
    [&["view"], arguments, &["--endpoint", endpoint, "--data", data]].concat()
}

/// What it prints, which must end well.
fn told(system: &System, arguments: &[&str]) -> String {
    pactum_ok(&view(system, &system.endpoint(), arguments))
}

fn json(system: &System, arguments: &[&str]) -> Value {
    serde_json::from_str(&told(system, &[arguments, &["--json"]].concat())).unwrap()
}

/// What it says where it does not end well.
fn refused(system: &System, arguments: &[&str]) -> String {
    let output = pactum(&view(system, &system.endpoint(), arguments));
    assert!(!output.status.success(), "{arguments:?} is not refused");
    String::from_utf8(output.stderr).unwrap()
}

fn of<'v>(views: &'v Value, name: &str) -> &'v Value {
    views.as_array().unwrap().iter().find(|one| one["view"] == name).unwrap()
}

fn builds(views: &Value, name: &str) -> Vec<(String, bool)> {
    let builds = of(views, name)["builds"].as_array().unwrap().iter();
    builds.map(|one| (one["name"].as_str().unwrap().to_owned(), one["live"].as_bool().unwrap())).collect()
}

async fn register(connection: &Connection, number: usize) -> (String, u64) {
    let id = format!("d-{number}");
    let request = deal::RegisterDealRequest {
        parent: "programs/views".into(),
        deal_id: id.clone(),
        deal: Some(deal::Deal {
            partner: "programs/views/partners/north".into(),
            title: id.clone(),
            customer: Some(Customer { domain: format!("c{number}-example.com"), ..Default::default() }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let answer = DealServiceClient::new(connection.clone()).register_deal(request).await.unwrap();
    (format!("programs/views/deals/{id}"), answer.into_inner().sequence)
}

async fn read(connection: &Connection, name: String, min_sequence: u64) {
    let get = deal::GetDealRequest { name, min_sequence, ..Default::default() };
    DealQueryServiceClient::new(connection.clone()).get_deal(get).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_looked_at_rebuilt_and_rolled_back_under_load_without_a_failed_query() {
    let directory = tempfile::tempdir().unwrap();
    let system = System::start(directory.path());
    let connection = small_program(&system, "views", POLICY).await;
    let (first, sequence) = register(&connection, 1_000_000).await;
    read(&connection, first, sequence).await;
    for name in VIEWS {
        let build = format!("{name}@");
        assert!(told(&system, &["list"]).lines().any(|line| line.contains(&build) && line.contains(" answers")));
        assert!(told(&system, &["stats"]).contains(&build));
    }
    let listed = json(&system, &["list"]);
    assert_eq!(of(&listed, "deals")["caught_up"], true);
    assert!(json(&system, &["stats"]).as_array().unwrap().iter().all(|one| one["rows"].as_u64() > Some(0)));

    let done = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..2)
        .map(|caller| {
            let (connection, done) = (connection.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut number = 0;
                while !done.load(Ordering::Relaxed) {
                    let (name, sequence) = register(&connection, 2 * number + caller).await;
                    // What was just written: also from rows that took the place of others meanwhile.
                    read(&connection, name, sequence).await;
                    number += 1;
                }
                number
            })
        })
        .collect();
    tokio::task::block_in_place(|| {
        assert!(told(&system, &["rebuild", "deals", "--wait"]).contains("deals@2+2 answers"));
        assert_eq!(json(&system, &["rebuild", "deals", "--wait"])["builds"][0], "deals@2+3");
        assert_eq!(json(&system, &["rebuild", "pipeline", "--partition", "0"])["builds"][0], "pipeline@1+2");
        let stands = [("deals@2".into(), false), ("deals@2+2".into(), false), ("deals@2+3".into(), true)];
        assert_eq!(builds(&json(&system, &["list"]), "deals"), stands);
        let back = told(&system, &["rollback", "deals", "--partition", "0", "--build", "deals@2"]);
        assert!(back.contains("deals@2 answers again"), "{back}");
        wait_for(&system, "deals", "deals@2");
        assert!(told(&system, &["verify", "deals"]).contains("agrees with a fold from zero"));
        assert_eq!(json(&system, &["verify", "pipeline"])[0]["agrees"], true);
    });
    done.store(true, Ordering::Relaxed);
    for caller in load {
        assert!(caller.await.unwrap() > 0, "nothing was asked meanwhile");
    }
    tokio::task::block_in_place(|| {
        let dropped = told(&system, &["drop", "deals", "--partition", "0", "--build", "deals@2+2"]);
        assert!(dropped.contains("deals@2+2 is gone"));
        let live = refused(&system, &["drop", "deals", "--partition", "0", "--build", "deals@2"]);
        assert!(live.contains("VIEW_REFUSED"), "{live}");
        let gone = refused(&system, &["rollback", "deals", "--partition", "0", "--build", "deals@2+2"]);
        assert!(gone.contains("NOT_FOUND"), "{gone}");
        assert!(refused(&system, &["rebuild", "nothing"]).contains("NOT_FOUND"));
        assert!(refused(&system, &["verify", "nothing"]).contains("pactum view list"));
        assert!(told(&system, &["retry", "deals"]).starts_with("0 had stopped"));
        let wrong = ["quarantine", "deals", "--partition", "0", "--offset", "3", "--reason", "none"];
        assert!(refused(&system, &wrong).contains("has not stopped at offset 3"));
    });
    // Only an operator.
    let token = system.token("programs/views", "program-admin", None);
    let output = pactum(&["view", "list", "--endpoint", &system.endpoint(), "--token", &token]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("ROLE_NOT_ALLOWED"));
}

fn wait_for(system: &System, name: &str, build: &str) {
    for _ in 0..600 {
        if builds(&json(system, &["list"]), name).contains(&(build.to_owned(), true)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{build} does not answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_no_view_can_fold_is_passed_over_by_command() {
    let directory = tempfile::tempdir().unwrap();
    let system = System::start(directory.path());
    small_program(&system, "views", POLICY).await;
    assert!(system.terminate().0.success());
    let log: Arc<dyn Log> =
        Arc::new(EmbeddedLog::open(directory.path().join("log"), EmbeddedOptions::default()).unwrap());
    let offset = log.end(0).await.unwrap();
    let mut follower = Follower::open(Arc::clone(&log), 0, Position::default()).await.unwrap();
    while follower.position().offset < offset {
        follower.next(1_000).await.unwrap();
    }
    let Position { term, next, .. } = follower.position().clone();
    log.appender(0).unwrap().append(encode_record(term.unwrap(), next, b"\xffnonsense")).unwrap();
    while log.end(0).await.unwrap() == offset {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(follower);
    drop(log);
    let system = System::start_unready(directory.path());
    tokio::task::block_in_place(|| {
        let at = offset.to_string();
        let stopped = || {
            let listed = json(&system, &["list"]);
            listed.as_array().unwrap().iter().all(|one| one["error"].as_str().unwrap().contains(&at))
        };
        for _ in 0..600 {
            if stopped() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(stopped(), "{}", told(&system, &["list"]));
        assert!(told(&system, &["retry", "deals"]).starts_with("1 had stopped"));
        for _ in 0..600 {
            if stopped() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let decide = ["quarantine", "deals", "--partition", "0", "--offset", &at, "--reason", "a test wrote it"];
        assert!(told(&system, &decide).contains(&format!("deals passes over the record at offset {at}")));
        let decide = [&["quarantine", "pipeline"], &decide[2..]].concat();
        assert!(json(&system, &decide)["done"].as_str().unwrap().contains("pipeline passes over"));
        let listed = json(&system, &["list"]);
        assert_eq!(of(&listed, "deals")["quarantined"][0]["reason"], "a test wrote it");
        assert_eq!(of(&listed, "deals")["quarantined"][0]["by"], "pactum-cli");
        assert!(told(&system, &["list"]).contains(&format!("passes over offset {at}: a test wrote it")));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_carried_to_another_projector() {
    let directory = tempfile::tempdir().unwrap();
    let (data, place) = (directory.path().join("data"), directory.path());
    let system = System::start(&data);
    let connection = small_program(&system, "views", POLICY).await;
    for number in 0..20 {
        let (name, sequence) = register(&connection, number).await;
        read(&connection, name, sequence).await;
    }
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (all, some) = (text(&place.join("all")), text(&place.join("some")));
    tokio::task::block_in_place(|| {
        let exported = json(&system, &["export", "--to", &some, "--view", "deals"]);
        assert_eq!((exported["views"].as_array().unwrap().len(), &exported["views"][0]["view"]), (1, &"deals".into()));
    });
    let (name, sequence) = register(&connection, 20).await;
    read(&connection, name, sequence).await;
    tokio::task::block_in_place(|| {
        let exported = told(&system, &["export", "--to", &all]);
        assert!(
            VIEWS.iter().all(|view| {
                let is_of =
                    |line: &str| line.starts_with(&format!("{view}@")) && line.contains(" of partition 0 at offset");
                exported.lines().any(is_of)
            }),
            "{exported}"
        );
        assert!(refused(&system, &["export", "--to", &all]).contains("is there already"));
        assert!(refused(&system, &["export", "--to", "x", "--view", "nothing"]).contains("pactum view list"));
        // Not into what is in use, and not from it but by asking.
        let in_use = pactum(&["view", "import", &all, "--replace", "--data", &text(&data)]);
        assert!(String::from_utf8_lossy(&in_use.stderr).contains("in use"), "{in_use:?}");
        let in_use = pactum(&["view", "export", "--stopped", "--to", "y", "--data", &text(&data)]);
        assert!(String::from_utf8_lossy(&in_use.stderr).contains("in use"), "{in_use:?}");
    });
    assert!(system.terminate().0.success());
    // Into another data directory that has the same log: here a copy of it.
    let other = place.join("other");
    std::fs::create_dir_all(&other).unwrap();
    assert!(Command::new("cp").arg("-r").args([data.join("log"), other.join("log")]).status().unwrap().success());
    std::fs::copy(data.join("token.key"), other.join("token.key")).unwrap();
    let imported = pactum_ok(&["view", "import", &some, "--data", &text(&other)]);
    assert!(imported.contains("deals@2 of partition 0 is in place"), "{imported}");
    let there = pactum(&["view", "import", &all, "--data", &text(&other)]);
    assert!(String::from_utf8_lossy(&there.stderr).contains("--replace"), "{there:?}");
    let imported = pactum_ok(&["view", "import", &all, "--data", &text(&other), "--replace", "--json"]);
    let imported: Value = serde_json::from_str(&imported).unwrap();
    assert_eq!(imported["views"].as_array().unwrap().len(), 5);
    let system = System::start(&other);
    tokio::task::block_in_place(|| {
        for name in VIEWS {
            assert_eq!(json(&system, &["verify", name])[0]["agrees"], true, "{name}");
        }
        assert!(of(&json(&system, &["list"]), "deals")["builds"].as_array().unwrap().len() == 2);
    });
    assert!(system.terminate().0.success());
    // From files that nobody uses; and into a directory with another log: refused.
    let third = text(&place.join("third"));
    let exported = pactum_ok(&["view", "export", "--stopped", "--to", &third, "--data", &text(&other)]);
    assert!(exported.contains("pipeline@1 of partition 0"), "{exported}");
    let foreign = place.join("foreign");
    System::start(&foreign).terminate();
    let refused = pactum(&["view", "import", &third, "--replace", "--data", &text(&foreign)]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is of the log"), "{refused:?}");
}

/// `kill -9` of the import, again and again: begun once more, it ends as one that ran through.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_can_be_begun_again() {
    let directory = tempfile::tempdir().unwrap();
    let (data, place) = (directory.path().join("data"), directory.path());
    let data_text = data.to_str().unwrap();
    let free = ["--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"];
    pactum_ok(&[&["demo", "--once", "--partners", "20", "--deals", "300", "--data", data_text], &free[..]].concat());
    let export = place.join("export");
    pactum_ok(&["view", "export", "--stopped", "--to", export.to_str().unwrap(), "--data", data_text]);
    std::fs::remove_dir_all(data.join("views")).unwrap();
    let import = ["view", "import", export.to_str().unwrap(), "--data", data_text];
    let mut killed = 0;
    for micros in (0..).map(|round| 300 * round * round) {
        let child = Command::new(PACTUM).args(import).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut child = child.unwrap();
        std::thread::sleep(Duration::from_micros(micros));
        let ended = child.try_wait().unwrap();
        child.kill().ok();
        child.wait().unwrap();
        if let Some(ended) = ended {
            assert!(ended.success(), "after {killed} kills it ended with {ended}");
            break;
        }
        killed += 1;
    }
    assert!(killed > 3, "it was too quick to be killed");
    let again = pactum_ok(&import);
    assert_eq!(again.matches("was imported before").count(), 5, "{again}");
    assert!(!data.join("views/imports").exists());
    std::fs::create_dir(data.join("views/0/deals@2.damaged")).unwrap();
    let report = pactum_ok(&["doctor", "--deep", "--data", data_text]);
    assert!(report.contains("deals@2.damaged was damaged and is built anew"), "{report}");
    assert_eq!(report.matches("agrees with a fold from zero").count(), 5, "{report}");
}
