//! Real processes, broken and mended: the short selection of the fault runs.

use pactum_chaos::process::binary;
use pactum_chaos::report::RunReport;
use pactum_chaos::scenario::{self, Scenario, Step};

async fn run(scenario: &Scenario) -> RunReport {
    let files = tempfile::tempdir().unwrap();
    let report = Box::pin(scenario::run(scenario, 1, &binary().unwrap(), files.path())).await.unwrap();
    assert_eq!(report.violations, 0, "{}files: {}", report.text(), files.keep().display());
    assert!(report.answered > 100 && report.refused > 0 && report.reads > 0, "{}", report.text());
    report
}

/// One after another: they are not to take the processor from each other.
#[tokio::test(flavor = "multi_thread")]
async fn the_short_selection_loses_and_doubles_nothing() {
    for scenario in scenario::short() {
        let report = run(&scenario).await;
        let faults = scenario.steps.iter().filter(|step| matches!(step, Step::Do(action, _) if action.is_fault()));
        assert_eq!(report.faults.len(), faults.count(), "{}", report.text());
        // Every fault of the selection costs partitions their owner.
        assert!(report.terms > report.gaps_ms.len() as u64, "{}", report.text());
    }
}
