//! Real processes, broken and mended: the short selection of the fault runs.

use pactum_chaos::process::binary;
use pactum_chaos::report::RunReport;
use pactum_chaos::scenario;

async fn run(name: &str) -> RunReport {
    let files = tempfile::tempdir().unwrap();
    let scenario = scenario::named(name).unwrap();
    let report = Box::pin(scenario::run(&scenario, 1, &binary().unwrap(), files.path())).await.unwrap();
    assert_eq!(report.violations, 0, "{}files: {}", report.text(), files.keep().display());
    assert!(report.answered > 100 && report.refused > 0 && report.reads > 0, "{}", report.text());
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_again_and_again_loses_and_doubles_nothing() {
    let report = run("serve-kill").await;
    assert_eq!(report.faults.len(), 4);
    // Four partitions, claimed by each of five lives.
    assert_eq!(report.terms, 20, "{}", report.text());
}
