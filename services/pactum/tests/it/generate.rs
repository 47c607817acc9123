//! `pactum generate`: what it makes, whether it is the same again, and whether a system can live on it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pactum_domain::deal;
use pactum_domain::event::AnyEvent;
use pactum_domain::time::{DAY, Timestamp};
use pactum_events::{Record, decode, event_type};
use pactum_journal::{Follower, Position};
use pactum_log::Log;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions, Identity};

use crate::system::{PACTUM, System, pactum, pactum_ok};

/// Every record of every program in a data directory, in the order of the log.
async fn records_of(data: &Path) -> BTreeMap<String, Vec<Bytes>> {
    let path = data.join("log");
    let partitions = Identity::read(&path).unwrap().expect("there is a log").partitions;
    let options = EmbeddedOptions { partitions, reserve_bytes: 0, ..EmbeddedOptions::default() };
    let log = EmbeddedLog::open(path, options).unwrap();
    let shared: Arc<dyn Log> = Arc::new(log.clone());
    let mut records = BTreeMap::<String, Vec<Bytes>>::new();
    for partition in 0..partitions {
        let mut follower = Follower::open(Arc::clone(&shared), partition, Position::default()).await.unwrap();
        let end = follower.end().await.unwrap();
        while follower.position().offset < end {
            for record in follower.next(4096).await.unwrap().records {
                let program = pactum_events::program_of(&record.body).unwrap().to_owned();
                records.entry(program).or_default().push(record.body);
            }
        }
    }
    drop(shared);
    log.close();
    records
}

fn decoded(bodies: &[Bytes]) -> Vec<Record> {
    bodies.iter().map(|body| decode(body).unwrap()).collect()
}

/// Generates, and gives the report.
fn generate(data: &Path, arguments: &[&str]) -> serde_json::Value {
    let data = ["generate", "--json", "--data", data.to_str().unwrap()];
    serde_json::from_str(&pactum_ok(&[&data[..], arguments].concat())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_arguments_make_the_same_bytes_and_another_seed_makes_others() {
    let directory = tempfile::tempdir().unwrap();
    let made = |name: &str, seed: &str| {
        let data = directory.path().join(name);
        let arguments = ["--program", "programs/acme", "--partners", "40", "--deals", "800", "--years", "2", "--seed"];
        generate(&data, &[&arguments[..], &[seed]].concat());
        data
    };
    let (one, again, other) = (made("one", "7"), made("again", "7"), made("other", "8"));
    let one = records_of(&one).await;
    assert!(one["acme"].len() > 2_000, "{}", one["acme"].len());
    assert_eq!(one, records_of(&again).await);
    assert_ne!(one, records_of(&other).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_share_a_log_and_between_them_is_every_kind_of_event() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["--program", "programs/acme", "--programs", "3", "--deals", "9000", "--partitions", "2"];
    let report = generate(directory.path(), &arguments);
    let programs = records_of(directory.path()).await;
    assert_eq!(programs.keys().collect::<Vec<_>>(), ["acme", "acme-2", "acme-3"]);
    let sizes: Vec<usize> = programs.values().map(Vec::len).collect();
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");

    let mut kinds = BTreeMap::<&str, u64>::new();
    for bodies in programs.values() {
        let (mut sequence, mut recorded_at) = (1, Timestamp::MIN);
        for record in decoded(bodies) {
            assert_eq!(record.sequence, sequence);
            assert!(record.recorded_at >= recorded_at, "time goes back at sequence {sequence}");
            (sequence, recorded_at) = (record.last_sequence() + 1, record.recorded_at);
            for event in &record.events {
                *kinds.entry(event_type(&event.event)).or_default() += 1;
            }
        }
        assert!(recorded_at < Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
    }
    // All that a program, a partner, a deal and an opportunity can tell.
    assert_eq!(kinds.len(), 36, "{kinds:?}");
    let told: BTreeMap<String, u64> = serde_json::from_value(report["kinds"].clone()).unwrap();
    assert_eq!(told, kinds.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect());
    assert_eq!(report["deals"], 9_000, "{report}");
    assert_eq!(report["events"], kinds.values().sum::<u64>());
    assert_eq!(report["lapses"], kinds["DealProtectionExpired"]);
    assert_eq!(report["conflicts"], kinds["DealConflictDetected"]);
}

/// What a history looks like.
#[derive(Default)]
struct Shape {
    registered: HashMap<String, Timestamp>,
    by_partner: HashMap<String, u32>,
    by_account: HashMap<String, u32>,
    decided: u32,
    conflicts: u32,
    automatic: u32,
    approved: u32,
    windows: u32,
    lapsed: u32,
    lapsed_deals: BTreeSet<String>,
    won_by_month_of_quarter: [u32; 3],
    days_to_win: Vec<i64>,
    won: u32,
    lost: u32,
    late: u32,
    weekend: u32,
}

impl Shape {
    fn of(records: &[Record]) -> Self {
        let mut shape = Self::default();
        for record in records {
            for event in &record.events {
                if let AnyEvent::Deal(id, event) = &event.event {
                    shape.add(id.as_str(), event, record.recorded_at);
                }
            }
        }
        shape
    }

    fn add(&mut self, id: &str, event: &deal::Event, at: Timestamp) {
        match event {
            deal::Event::Registered(registered) if registered.basis == deal::Basis::Recorded => {
                self.registered.insert(id.to_owned(), at);
                *self.by_partner.entry(registered.partner.to_string()).or_default() += 1;
                *self.by_account.entry(registered.account.to_string()).or_default() += 1;
                self.weekend += u32::from(matches!((at.date().0 + 3).rem_euclid(7), 5 | 6));
                self.decided += 1;
            }
            deal::Event::ConflictDetected { .. } if self.registered.contains_key(id) => self.conflicts += 1,
            deal::Event::Approved { decision, grant } if self.registered.contains_key(id) => {
                self.approved += 1;
                self.automatic += u32::from(decision.automatic);
                self.windows += u32::from(matches!(grant, deal::Grant::Window { .. }));
            }
            deal::Event::ProtectionExpired { .. } if self.registered.contains_key(id) => {
                self.lapsed += 1;
                self.lapsed_deals.insert(id.to_owned());
            }
            deal::Event::Won { .. } => {
                let Some(registered) = self.registered.get(id) else { return };
                self.won += 1;
                let (_, month, _) = at.date().ymd();
                self.won_by_month_of_quarter[(month as usize - 1) % 3] += 1;
                self.days_to_win.push((at.0 - registered.0) / DAY);
                self.late += u32::from(self.lapsed_deals.contains(id));
            }
            deal::Event::Lost { .. } if self.registered.contains_key(id) => self.lost += 1,
            _ => {}
        }
    }
}

/// The share of the largest fifth.
fn largest_fifth(counts: &HashMap<String, u32>) -> f64 {
    let mut counts: Vec<u32> = counts.values().copied().collect();
    counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
    let head: u32 = counts.iter().take(counts.len() / 5).sum();
    f64::from(head) / f64::from(counts.iter().sum::<u32>())
}

/// The shares in the table of docs/generator.md: name, least, most.
fn documented() -> BTreeMap<String, (f64, f64)> {
    let page = std::fs::read_to_string(crate::docs::root().join("docs/generator.md")).unwrap();
    let (_, table) = page.split_once("<!-- test: shapes -->").unwrap();
    let rows =
        table.lines().skip_while(|line| !line.starts_with("|--")).skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let number = |text: &str| text.parse::<f64>().unwrap_or_else(|_| panic!("{row} has no number in {text:?}"));
        (cells[1].to_owned(), (number(cells[3]), number(cells[4])))
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shapes_are_those_that_the_page_tells() {
    let directory = tempfile::tempdir().unwrap();
    let report = generate(directory.path(), &["--program", "programs/acme", "--events", "150000"]);
    let records = decoded(&records_of(directory.path()).await["acme"]);
    let mut shape = Shape::of(&records);
    shape.days_to_win.sort_unstable();
    let of = |part: u32, whole: u32| f64::from(part) / f64::from(whole);
    let quarter: u32 = shape.won_by_month_of_quarter.iter().sum();
    let events: usize = records.iter().map(|record| record.events.len()).sum();
    let measured = [
        ("events asked for", events as f64 / 150_000.0),
        ("events a record", events as f64 / records.len() as f64),
        ("registrations in conflict", of(shape.conflicts, shape.decided)),
        ("registrations approved", of(shape.approved, shape.decided)),
        ("approvals by the policy alone", of(shape.automatic, shape.approved)),
        ("windows that lapse", of(shape.lapsed, shape.windows)),
        ("won of those closed", of(shape.won, shape.won + shape.lost)),
        ("wins after protection had lapsed", of(shape.late, shape.won)),
        ("wins in a quarter's first month", of(shape.won_by_month_of_quarter[0], quarter)),
        ("wins in a quarter's last month", of(shape.won_by_month_of_quarter[2], quarter)),
        ("median days to a win", shape.days_to_win[shape.days_to_win.len() / 2] as f64),
        ("registrations on weekends", of(shape.weekend, shape.decided)),
        ("registrations of the largest fifth of partners", largest_fifth(&shape.by_partner)),
        ("registrations on the largest fifth of accounts", largest_fifth(&shape.by_account)),
    ];
    let documented = documented();
    assert_eq!(documented.len(), measured.len());
    let wrong: Vec<String> = measured
        .iter()
        .filter(|(name, value)| {
            let (least, most) = documented.get(*name).unwrap_or_else(|| panic!("the page has no {name}"));
            !(*least..=*most).contains(value)
        })
        .map(|(name, value)| format!("{name}: {value:.3}, where the page says {:?}", documented[*name]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\nof {measured:#?}\n{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_on_it_shows_it_and_takes_commands() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let report = generate(directory.path(), &["--program", "programs/acme", "--deals", "1500", "--partners", "40"]);
    let system = System::start(directory.path());
    let connection = system.connect("programs/acme", "program-admin", None).await;
    use pactum_api::proto::common::v1 as common;
    use pactum_api::proto::deal::v1 as proto;
    use pactum_api::proto::deal::v1::deal_query_service_client::DealQueryServiceClient;
    use pactum_api::proto::deal::v1::deal_service_client::DealServiceClient;
    let registration = proto::RegisterDealRequest {
        parent: "programs/acme".into(),
        deal_id: "of-today".into(),
        deal: Some(proto::Deal {
            partner: "programs/acme/partners/aurora-systems".into(),
            title: "Of today".into(),
            customer: Some(common::Customer { domain: "of-today-example.com".into(), ..Default::default() }),
            scope: Some(common::Scope { territories: vec!["DE".into()], ..Default::default() }),
            amount: Some(common::Money { currency_code: "USD".into(), minor: 4_800_000 }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let answer = DealServiceClient::new(connection.clone()).register_deal(registration).await.unwrap().into_inner();
    assert_eq!(answer.deal.as_ref().unwrap().state(), proto::DealState::Approved, "{answer:?}");
    assert!(answer.sequence > report["events"].as_u64().unwrap());
    let last = proto::GetDealRequest {
        name: "programs/acme/deals/d001499".into(),
        min_sequence: answer.sequence,
        ..Default::default()
    };
    let found = DealQueryServiceClient::new(connection).get_deal(last).await.unwrap().into_inner();
    assert!(!found.deal.unwrap().title.is_empty());
    assert!(system.terminate().0.success());
    let doctor = pactum_ok(&["doctor", "--deep", "--data", data]);
    assert!(doctor.contains("agrees with a fold from zero"), "{doctor}");
}

#[test]
fn refusals_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let small = ["--program", "programs/acme", "--deals", "50", "--partners", "5", "--data", data];
    pactum_ok(&[&["generate"][..], &small].concat());
    for (arguments, hint) in [
        (&["--program", "programs/acme", "--deals", "50", "--data", data][..], "programs/acme is in embedded:"),
        (&["--program", "acme", "--deals", "50", "--data", data], "programs/acme"),
        (&["--program", "programs/b", "--deals", "50", "--until", "2199-01-01", "--data", data], "lies ahead"),
        (&["--program", "programs/b", "--deals", "50", "--until", "soon", "--data", data], "2017-03-31"),
        (&["--program", "programs/b", "--events", "500", "--data", data], "fewer --partners"),
        (&["--program", "programs/b", "--deals", "50", "--partitions", "4", "--data", data], "has 1 partitions, not 4"),
        (&["--program", "programs/b", "--data", data], "--events"),
        (&["--program", "programs/b", "--deals", "50", "--to", "file:x"], "embedded:DIR"),
    ] {
        let output = pactum(&[&["generate"][..], arguments].concat());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(hint), "{arguments:?}: {text}");
    }
    // Another program finds its place beside it.
    pactum_ok(&["generate", "--program", "programs/b", "--deals", "50", "--partners", "5", "--data", data]);
    let _running = System::start(directory.path());
    let output = pactum(&["generate", "--program", "programs/c", "--deals", "50", "--partners", "5", "--data", data]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("stop the system"), "{text}");
}

/// Bytes in the log's files.
fn written(data: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(data.join("log/entries")) else { return 0 };
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_it_leaves_a_log_that_opens_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    for signal in ["KILL", "INT"] {
        let data = directory.path().join(signal);
        let mut child = Command::new(PACTUM)
            .args(["generate", "--program", "programs/acme", "--events", "2000000", "--data", data.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while written(&data) < 1_000_000 {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it could be cut off");
            assert!(started.elapsed() < Duration::from_secs(120), "it gets nowhere");
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{text}");
        assert!(signal == "KILL" || text.contains("remove that data directory or topic"), "{text}");

        let part = records_of(&data).await;
        assert!(!part["acme"].is_empty());
        let again = ["generate", "--program", "programs/acme", "--events", "2000000", "--data", data.to_str().unwrap()];
        let text = String::from_utf8_lossy(&pactum(&again).stderr).into_owned();
        assert!(text.contains("already") && text.contains("cut off"), "{text}");
        // What is there is a history by itself.
        let doctor = pactum_ok(&["doctor", "--data", data.to_str().unwrap()]);
        assert!(!doctor.contains("damaged"), "{doctor}");
    }
}
