//! What the documentation shows, run.

use std::path::{Path, PathBuf};

use crate::system::pactum_ok;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The code block after `<!-- test: NAME -->`.
pub(crate) fn example(document: &str, name: &str) -> String {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let (_, after) =
        text.split_once(&format!("<!-- test: {name} -->")).unwrap_or_else(|| panic!("{document} has no {name}"));
    let (_, code) = after.split_once("```").unwrap();
    let (code, _) = code.split_once("\n```").unwrap();
    code.split_once('\n').unwrap().1.to_owned()
}

#[test]
fn the_defaults_are_those_that_the_page_shows() {
    let printed: toml::Table = pactum_ok(&["serve", "--print-config"]).parse().unwrap();
    let shown: toml::Table = example("docs/configuration.md", "defaults").parse().unwrap();
    assert_eq!(printed, shown);
}

#[test]
fn the_mapping_shown_reads_an_export_of_its_form() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let system = crate::system::System::start(&data);
    let mapping = directory.path().join("mapping.toml");
    std::fs::write(&mapping, example("docs/importing.md", "mapping")).unwrap();
    let file = directory.path().join("pipeline.csv");
    std::fs::write(
        &file,
        "Opportunity ID,Owner,product,account,deal_stage,engage_date,close_date,close_value\n\
         A1,Ann,Box,Acme,Closed Won,2025-01-02,2025-02-03,10.50\nA2,Ann,Box,Other,1 - Qualify,2025-01-02,,\n",
    )
    .unwrap();
    let printed = pactum_ok(&[
        "import",
        "crm",
        "--program",
        "programs/acme",
        "--endpoint",
        &system.endpoint(),
        "--data",
        data.to_str().unwrap(),
        "--pipeline",
        file.to_str().unwrap(),
        "--mapping",
        mapping.to_str().unwrap(),
        "--json",
        "--report",
        directory.path().join("report.json").to_str().unwrap(),
    ]);
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&report["accepted"], &report["won"]), (&2.into(), &1.into()), "{report}");
}

#[test]
fn every_page_that_is_linked_is_there() {
    let mut pages = vec![root().join("README.md"), root().join("ARCHITECTURE.md"), root().join("CONTRIBUTING.md")];
    for folder in ["docs", "docs/adr", "docs/benchmarks", "docs/operations"] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            pages.push(entry.unwrap().path());
        }
    }
    let mut links = 0;
    for page in pages.iter().filter(|page| page.extension().is_some_and(|kind| kind == "md")) {
        let text = std::fs::read_to_string(page).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            links += 1;
            assert!(
                page.parent().unwrap().join(file).exists(),
                "{} links to {target}, which is not there",
                page.display()
            );
        }
    }
    assert!(links > 20, "the walk found only {links} links");
}
