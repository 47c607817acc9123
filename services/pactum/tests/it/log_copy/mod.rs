//! `pactum log copy`: what arrives is what was there, whatever happens on the way.

mod embedded;
mod interrupted;
mod kafka;
mod refusals;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use pactum_journal::{Follower, Position};
use pactum_log::Log;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions, Identity};

use crate::system::{POLICY, System, pactum_ok, small_program};

/// Each program's records, byte for byte, in their order.
pub(crate) type Streams = BTreeMap<String, Vec<Bytes>>;

/// A data directory with the demo's program and some small ones, so that every partition of a few has some.
async fn made_source(data: &Path, deals: u32) {
    let deals = deals.to_string();
    let free = ["--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--log", "warn"];
    let demo = ["demo", "--once", "--partners", "30", "--deals", &deals, "--data", data.to_str().unwrap()];
    pactum_ok(&[&demo[..], &free].concat());
    let system = System::start(data);
    for program in ["acme", "globex", "initech", "umbrella", "hooli"] {
        small_program(&system, program, POLICY).await;
    }
    assert!(system.terminate().0.success());
}

/// What took effect in a log, read without the tool.
async fn streams(log: &Arc<dyn Log>) -> Streams {
    let mut streams = Streams::new();
    for partition in 0..log.partitions() {
        let mut follower = Follower::open(Arc::clone(log), partition, Position::default()).await.unwrap();
        let end = follower.end().await.unwrap();
        while follower.position().offset < end {
            for record in follower.next(1000).await.unwrap().records {
                let program = pactum_events::program_of(&record.body).unwrap().to_owned();
                streams.entry(program).or_default().push(record.body);
            }
        }
    }
    streams
}

fn open(data: &Path) -> EmbeddedLog {
    let path = data.join("log");
    let partitions = Identity::read(&path).unwrap().expect("there is a log").partitions;
    EmbeddedLog::open(path, EmbeddedOptions { partitions, reserve_bytes: 0, ..EmbeddedOptions::default() }).unwrap()
}

async fn streams_of(data: &Path) -> Streams {
    let log = open(data);
    let streams = streams(&(Arc::new(log.clone()) as Arc<dyn Log>)).await;
    log.close();
    streams
}

fn embedded(data: &Path) -> String {
    format!("embedded:{}", data.display())
}

/// Runs a copy that must succeed, and gives its report.
fn copied(arguments: &[&str]) -> serde_json::Value {
    let printed = pactum_ok(&[&["log", "copy", "--json"], arguments].concat());
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(report["verified"], true, "{report}");
    report
}
