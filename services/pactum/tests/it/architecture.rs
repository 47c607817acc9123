//! What ARCHITECTURE.md says must not exist, executed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The tier of every crate. An arrow may not point up.
const TIERS: [(&str, u8); 14] = [
    ("pactum-ids", 0),
    ("pactum-domain", 0),
    ("pactum-events", 1),
    ("pactum-api", 1),
    ("pactum-views", 1),
    ("pactum-log", 2),
    ("pactum-journal", 2),
    ("pactum-store", 2),
    ("pactum-runtime", 2),
    ("pactum-command", 3),
    ("pactum-projector", 3),
    ("pactum", 3),
    ("pactum-testcontainers", 0),
    ("pactum-chaos", 3),
];

/// Crates that only one of ours may use.
const ONLY_USER: [(&str, &str); 2] = [("rocksdb", "pactum-store"), ("rdkafka", "pactum-log")];

/// What the rules may rest on: nothing that does I/O, reads a clock or draws at random.
const DOMAIN_MAY_USE: [&str; 14] = [
    "pactum-ids",
    "serde",
    "smol_str",
    "thiserror",
    "iso_currency",
    "jiff",
    "psl",
    "idna",
    "strsim",
    "unicode-normalization",
    "cel",
    "serde-saphyr",
    "rustc-hash",
    "smallvec",
];

const MAX_LINES: usize = 500;
const MAX_MAIN_LINES: usize = 50;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Crate name → names of the dependencies that end up in the product.
fn manifests() -> BTreeMap<String, Vec<String>> {
    let mut crates = BTreeMap::new();
    for group in ["libs", "services", "testcontainers"] {
        for entry in std::fs::read_dir(root().join(group)).unwrap() {
            let manifest = entry.unwrap().path().join("Cargo.toml");
            let manifest: toml::Table = std::fs::read_to_string(&manifest).unwrap().parse().unwrap();
            let name = manifest["package"]["name"].as_str().unwrap().to_owned();
            let mut used = Vec::new();
            for section in ["dependencies", "build-dependencies"] {
                if let Some(table) = manifest.get(section).and_then(toml::Value::as_table) {
                    used.extend(table.keys().cloned());
                }
            }
            crates.insert(name, used);
        }
    }
    crates
}

/// Every arrow that points up a tier.
fn arrows_up(crates: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let tiers = BTreeMap::from(TIERS);
    let mut up = Vec::new();
    for (name, used) in crates {
        let Some(tier) = tiers.get(name.as_str()) else {
            up.push(format!("{name} has no tier: give it one here and in ARCHITECTURE.md"));
            continue;
        };
        for other in used {
            if tiers.get(other.as_str()).is_some_and(|above| above > tier) {
                up.push(format!("{name} uses {other}, which lies above it"));
            }
        }
    }
    up
}

#[test]
fn no_arrow_points_up() {
    let mut crates = manifests();
    assert_eq!(arrows_up(&crates), Vec::<String>::new());
    crates.get_mut("pactum-domain").unwrap().push("pactum-journal".into());
    assert_eq!(arrows_up(&crates), ["pactum-domain uses pactum-journal, which lies above it"]);
}

#[test]
fn rocksdb_and_kafka_have_one_user_each() {
    for (library, user) in ONLY_USER {
        for (name, used) in manifests() {
            assert!(
                name == user || !used.iter().any(|other| other == library),
                "{name} uses {library}; go through {user}"
            );
        }
    }
}

#[test]
fn the_domain_rests_on_nothing_that_does_io() {
    for used in &manifests()["pactum-domain"] {
        assert!(DOMAIN_MAY_USE.contains(&used.as_str()), "pactum-domain uses {used}, which is not on its list");
    }
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !["gen", "target", "node_modules"].iter().any(|generated| path.ends_with(generated)) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "proto") {
            found.push(path);
        }
    }
}

#[test]
fn files_stay_small() {
    let mut found = Vec::new();
    for group in ["libs", "services", "testcontainers", "proto"] {
        sources(&root().join(group), &mut found);
    }
    assert!(found.len() > 50, "the walk found only {} files", found.len());
    for path in found {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        let limit = if path.ends_with("src/main.rs") { MAX_MAIN_LINES } else { MAX_LINES };
        assert!(lines <= limit, "{} has {lines} lines; past {limit} it is two things", path.display());
    }
}

#[test]
fn the_map_names_every_crate() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, _) in TIERS {
        let folder = name.strip_prefix("pactum-").unwrap_or(name);
        assert!(map.contains(&format!("`{folder}`")), "ARCHITECTURE.md does not name `{folder}`");
    }
}
