//! The alerts, what is written about them and the metrics they rest on stay together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// What follows each occurrence of a text, up to the first character that is no part of a name.
fn names(text: &str, before: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    text.match_indices(before).map(|(at, _)| name(&text[at + before.len()..])).collect()
}

fn sources(directory: &Path, into: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_alert_is_explained_and_every_explanation_has_its_alert() {
    let alerts = names(&read("deploy/prometheus/alerts.yaml"), "- alert: ");
    assert!(alerts.len() > 5, "only {alerts:?}");
    assert_eq!(alerts, names(&read("docs/operations/alerts.md"), "### "));
}

#[test]
fn alerts_rest_on_metrics_that_exist() {
    let rules = read("deploy/prometheus/alerts.yaml");
    let expressions: String = rules.lines().filter(|line| line.trim_start().starts_with("expr:")).collect();
    let metrics = names(&expressions, "pactum_");
    assert!(metrics.len() > 5, "only {metrics:?}");
    let mut code = String::new();
    for group in ["libs", "services"] {
        for entry in std::fs::read_dir(root().join(group)).unwrap() {
            sources(&entry.unwrap().path().join("src"), &mut code);
        }
    }
    for metric in metrics {
        let name = metric.trim_end_matches("_bucket");
        assert!(code.contains(&format!("\"pactum_{name}\"")), "no code publishes pactum_{name}");
    }
    for reason in ["OUTCOME_UNKNOWN", "QUEUE_FULL", "LOG_FULL", "LOG_UNAVAILABLE"] {
        assert!(expressions.contains(reason) && code.contains(&format!("{reason} =")), "{reason}");
    }
}
