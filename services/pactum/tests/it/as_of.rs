//! The commands of the page on the past, as it shows them.

use std::process::Command;

use crate::competing::{path_of_tools, wait_for_demo};
use crate::docs::example;
use crate::system::System;

#[test]
fn the_page_on_the_past_shows_two_moments() {
    let directory = tempfile::tempdir().unwrap();
    let system = System::start_as(&["demo", "--partners", "30", "--deals", "300"], directory.path());
    wait_for_demo(&system);
    let script = example("docs/as-of.md", "as-of").replace("127.0.0.1:7400", &format!("127.0.0.1:{}", system.grpc));
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("PATH", path_of_tools())
        .env("PACTUM_DATA", directory.path())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}\nis grpcurl installed? `scripts/setup run` does it");
    let answers: Vec<serde_json::Value> =
        serde_json::Deserializer::from_str(&out).into_iter().collect::<Result<_, _>>().unwrap();
    let [pipeline, program] = answers.as_slice() else { panic!("two answers were expected:\n{out}") };
    let sequence = |answer: &serde_json::Value| answer["sequence"].as_str().unwrap().parse::<u64>().unwrap();
    // The moment lies between commands, so it may be a few events earlier than asked.
    assert!((450..=500).contains(&sequence(pipeline)), "{pipeline}");
    assert!(sequence(program) > 500, "{program}");
}
