//! An export of the shape a real CRM gives, imported twice and counted by another program than the importer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use pactum_api::proto::deal::v1::DealState;
use pactum_api::proto::pipeline::v1::pipeline_query_service_client::PipelineQueryServiceClient;
use pactum_api::proto::pipeline::v1::{PipelineDimension, PipelineFilter, QueryPipelineRequest};
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::system::{Connection, System, pactum, pactum_ok};

const AGENTS: usize = 30;
const ACCOUNTS: usize = 60;
const PRODUCTS: [&str; 5] = ["GTX Basic", "GTX Pro", "MG Special", "MG Advanced", "GTK 500"];
const FIRST_DAY: i32 = 17_094; // 2016-10-20

#[derive(Clone)]
pub(crate) struct Opportunity {
    id: String,
    agent: usize,
    product: &'static str,
    account: Option<usize>,
    registered: Option<i32>,
    closed: Option<(i32, Option<i64>)>,
}

/// Some thousand rows with everything that the real one has: blanks, drafts, wins of nothing, many claims on few accounts.
pub(crate) fn export(rows: usize) -> Vec<Opportunity> {
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    (0..rows)
        .map(|number| {
            let registered = (rng.random_range(0..10) > 0).then(|| FIRST_DAY + rng.random_range(0..430));
            let account = (rng.random_range(0..7) > 0).then(|| rng.random_range(0..ACCOUNTS));
            let closed = match (registered, account, rng.random_range(0..10)) {
                (Some(day), Some(_), 0..=4) => {
                    Some((day + rng.random_range(0..140), Some(rng.random_range(0..30_000))))
                }
                (Some(day), Some(_), 5..=7) => Some((day + rng.random_range(0..140), None)),
                _ => None,
            };
            let product = PRODUCTS.choose(&mut rng).unwrap();
            Opportunity {
                id: format!("{number:04X}QZ"),
                agent: rng.random_range(0..AGENTS),
                product,
                account,
                registered,
                closed,
            }
        })
        .collect()
}

fn us_date(day: i32) -> String {
    let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
    date.strftime("%-m/%-d/%Y").to_string()
}

pub(crate) fn write(directory: &Path, opportunities: &[Opportunity]) {
    let mut text =
        String::from("opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\r\n");
    for row in opportunities {
        let stage = match (&row.closed, row.registered) {
            (Some((_, Some(_))), _) => "Won",
            (Some((_, None)), _) => "Lost",
            (None, Some(_)) => "Engaging",
            (None, None) => "Prospecting",
        };
        let _ = write!(
            text,
            "{},Agent {},{},{},{stage},{},{},{}\r\n",
            row.id,
            row.agent,
            if row.product == "GTX Pro" { "GTXPro" } else { row.product },
            row.account.map(|account| format!("Account {account}")).unwrap_or_default(),
            row.registered.map(us_date).unwrap_or_default(),
            row.closed.map(|(day, _)| us_date(day)).unwrap_or_default(),
            row.closed.map(|(_, value)| value.unwrap_or(0).to_string()).unwrap_or_default(),
        );
    }
    std::fs::write(directory.join("pipeline.csv"), text).unwrap();
    let products: String = PRODUCTS.iter().map(|product| format!("{product},S,550\n")).collect();
    std::fs::write(directory.join("products.csv"), format!("product,series,sales_price\n{products}")).unwrap();
    let teams: String =
        (0..AGENTS).map(|agent| format!("Agent {agent},Manager {},Office {}\n", agent % 4, agent % 3)).collect();
    std::fs::write(directory.join("teams.csv"), format!("sales_agent,manager,regional_office\n{teams}")).unwrap();
    let accounts: String = (0..ACCOUNTS).map(|account| format!("Account {account},x,Kenya\n")).collect();
    std::fs::write(directory.join("accounts.csv"), format!("account,sector,office_location\n{accounts}")).unwrap();
}

/// The rule of the documentation, told again from the rows alone: conflicts by agent.
pub(crate) fn conflicts(opportunities: &[Opportunity]) -> BTreeMap<String, u64> {
    let mut days: Vec<(i32, bool, usize)> = Vec::new();
    for (place, row) in opportunities.iter().enumerate() {
        if let (Some(day), Some(_)) = (row.registered, row.account) {
            days.push((day, true, place));
            days.extend(row.closed.map(|(closed, _)| (closed, false, place)));
        }
    }
    // A row that closes on its own day of registration closes after it, wherever other closings come.
    days.sort_by_key(|&(day, register, place)| {
        let row = &opportunities[place];
        let own_day = row.closed.is_some_and(|(closed, _)| Some(closed) == row.registered);
        (day, u8::from(register) + 2 * u8::from(own_day && !register), place)
    });
    let mut held: BTreeMap<(usize, &str), (usize, i32, usize)> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for (day, register, place) in days {
        let row = &opportunities[place];
        let scope = (row.account.unwrap(), row.product);
        match (register, held.get(&scope).copied()) {
            (false, Some((_, _, holder))) if holder == place => {
                held.remove(&scope);
            }
            (false, _) => {}
            (true, Some((agent, until, _))) if day < until => {
                if agent != row.agent {
                    *counts.entry(format!("agent-{}", row.agent)).or_default() += 1;
                }
            }
            (true, _) => {
                held.insert(scope, (row.agent, day + 90, place));
            }
        }
    }
    counts
}

pub(crate) async fn pipeline(
    connection: &Connection,
    group_by: PipelineDimension,
) -> BTreeMap<String, (u64, u64, i64)> {
    let request = QueryPipelineRequest {
        parent: "programs/acme".into(),
        filter: Some(PipelineFilter { all_states: true, ..Default::default() }),
        group_by: vec![group_by.into()],
        ..Default::default()
    };
    let answer =
        PipelineQueryServiceClient::new(connection.clone()).query_pipeline(request).await.unwrap().into_inner();
    let key = |group: &pactum_api::proto::pipeline::v1::PipelineGroup| {
        let key = group.key.clone().unwrap();
        match group_by {
            PipelineDimension::State => DealState::try_from(key.state.unwrap()).unwrap().as_str_name().to_owned(),
            _ => key.partner.unwrap().rsplit('/').next().unwrap().to_owned(),
        }
    };
    answer
        .groups
        .iter()
        .map(|group| {
            let figures = group.figures.clone().unwrap();
            let minor = figures.amounts.iter().map(|amount| amount.amount.clone().unwrap().minor).sum();
            (key(group), (figures.deals, figures.conflicted, minor))
        })
        .collect()
}

/// The command that imports what was written to `files`.
pub(crate) fn arguments(system: &System, files: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = ["import", "crm", "--program", "programs/acme", "--json"].map(Into::into).into();
    let path = |name: &str| files.join(name).to_str().unwrap().to_owned();
    for (flag, value) in [
        ("--endpoint", system.endpoint()),
        ("--data", system.data().to_str().unwrap().to_owned()),
        ("--pipeline", path("pipeline.csv")),
        ("--accounts", path("accounts.csv")),
        ("--products", path("products.csv")),
        ("--teams", path("teams.csv")),
        ("--report", path("report.json")),
    ] {
        arguments.extend([flag.to_owned(), value]);
    }
    arguments
}

pub(crate) fn import(system: &System, files: &Path) -> serde_json::Value {
    let arguments = arguments(system, files);
    let printed = pactum_ok(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(files.join("report.json")).unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).unwrap(), written);
    written
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_comes_in_once_and_its_conflicts_are_those_of_its_days() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let opportunities = export(2_000);
    write(files.path(), &opportunities);
    let system = System::start(data.path());
    let first = import(&system, files.path());

    let registered: Vec<_> =
        opportunities.iter().filter(|row| row.registered.is_some() && row.account.is_some()).collect();
    let won: Vec<i64> = registered.iter().filter_map(|row| row.closed.and_then(|(_, value)| value)).collect();
    let lost = registered.iter().filter(|row| matches!(row.closed, Some((_, None)))).count();
    let expected = conflicts(&opportunities);
    assert_eq!(first["rejected"].as_array().unwrap().len(), 0, "{}", first["rejected"]);
    assert_eq!(first["accepted"], opportunities.len());
    assert_eq!(first["drafts"], opportunities.len() - registered.len());
    assert_eq!(first["won"], won.len());
    assert_eq!(first["lost"], lost);
    assert_eq!(first["conflicts_by_partner"], serde_json::to_value(&expected).unwrap());
    assert!(first["events_appended"].as_u64().unwrap() > 4_000);

    let connection = system.connect("programs/acme", "analyst", None).await;
    let states = pipeline(&connection, PipelineDimension::State).await;
    assert_eq!(states["DEAL_STATE_WON"].0, won.len() as u64);
    assert_eq!(states["DEAL_STATE_WON"].2, won.iter().sum::<i64>() * 100);
    assert_eq!(states["DEAL_STATE_LOST"].0, lost as u64);
    let partners = pipeline(&connection, PipelineDimension::Partner).await;
    let conflicted: BTreeMap<_, _> = partners
        .iter()
        .filter(|(_, (_, conflicted, _))| *conflicted > 0)
        .map(|(id, (_, c, _))| (id.clone(), *c))
        .collect();
    assert_eq!(conflicted, expected);

    let second = import(&system, files.path());
    assert_eq!(second["events_appended"], 0, "a second run appends nothing");
    for figure in ["accepted", "drafts", "won", "lost", "conflicts", "conflicts_by_partner"] {
        assert_eq!(first[figure], second[figure], "{figure}");
    }
}

#[test]
fn broken_rows_are_reported_with_line_field_and_reason() {
    let (data, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let header = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n";
    let rows: [(&[u8], &str, &str); 11] = [
        (b"GOOD1,Ann,Box,Acme,Won,1/2/2017,2/3/2017,10\n", "", ""),
        (b"BAD DATE,Ann,Box,Acme,Won,1/2/2017,2/3/2017,10\n", "opportunity_id", "letters"),
        (b"B2,Ann,Box,Acme,Won,13/42/2017,2/3/2017,10\n", "engage_date", "13/42/2017"),
        (b"B3,Ann,Box,Acme,Won,1/2/2017,1/1/2017,10\n", "close_date", "before"),
        (b"B4,Ann,Box,Acme,Won,1/2/2017,2/3/2017,-5\n", "close_value", "negative"),
        (b"B5,Ann,Box,Acme,Won,1/2/2017,2/3/2017,99999999999999999999\n", "close_value", ""),
        (b"B6,Ann,Box,Acme,Pending,1/2/2017,2/3/2017,1\n", "deal_stage", "Pending"),
        (b"B7,Ann,Box,Acme,Won,1/2/2017\n", "", "fields"),
        (b"B8,Ann,B\xffx,Acme,Won,1/2/2017,2/3/2017,1\n", "product", "UTF-8"),
        (b"GOOD1,Ann,Box,Acme,Won,1/2/2017,2/3/2017,10\n", "opportunity_id", "another row"),
        (b"B9,,Box,Acme,Won,1/2/1817,2/3/2017,10\n", "sales_agent", "no name"),
    ];
    let mut bytes = header.as_bytes().to_vec();
    rows.iter().for_each(|(row, ..)| bytes.extend_from_slice(row));
    let file = files.path().join("pipeline.csv");
    std::fs::write(&file, bytes).unwrap();
    let system = System::start(data.path());
    let report = files.path().join("report.json");
    let printed = pactum_ok(&[
        "import",
        "crm",
        "--program",
        "programs/acme",
        "--endpoint",
        &system.endpoint(),
        "--data",
        data.path().to_str().unwrap(),
        "--pipeline",
        file.to_str().unwrap(),
        "--report",
        report.to_str().unwrap(),
        "--json",
    ]);
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["accepted"], 1, "{report}");
    let rejected = report["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), rows.len() - 1);
    for (place, (_, field, reason)) in rows.iter().enumerate().skip(1) {
        let line = place as u64 + 2;
        let found = rejected
            .iter()
            .find(|row| row["line"] == line)
            .unwrap_or_else(|| panic!("line {line} is missing: {report}"));
        assert_eq!(found["field"], *field, "line {line}: {found}");
        assert!(found["reason"].as_str().unwrap().contains(reason), "line {line}: {found}");
    }
    let missing = pactum(&["import", "crm", "--program", "nonsense", "--pipeline", file.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("programs/acme"));
}
