//! The README's commands, as it shows them, with the tools it names.

use std::path::Path;
use std::process::Command;

use crate::docs::example;
use crate::system::{PACTUM, System, pactum_ok};

/// grpcurl as `scripts/setup` installs it, or the one in PATH.
fn grpcurl_directory() -> std::path::PathBuf {
    let home = std::env::var("HOME").unwrap_or_default();
    let cache = std::env::var("PACTUM_CACHE")
        .or_else(|_| std::env::var("XDG_CACHE_HOME").map(|cache| format!("{cache}/pactum")))
        .unwrap_or_else(|_| format!("{home}/.cache/pactum"));
    Path::new(&cache).join("tools/bin")
}

/// A PATH with this build and with grpcurl.
pub(crate) fn path_of_tools() -> String {
    format!(
        "{}:{}:{}",
        Path::new(PACTUM).parent().unwrap().display(),
        grpcurl_directory().display(),
        std::env::var("PATH").unwrap()
    )
}

#[test]
fn the_readme_shows_who_won_and_why() {
    let directory = tempfile::tempdir().unwrap();
    let system = System::start_as(&["demo", "--partners", "30", "--deals", "300"], directory.path());
    // The demo is served while its history is still being made.
    wait_for_demo(&system);
    let address = format!("127.0.0.1:{}", system.grpc);
    run_and_check([&address; 3], directory.path());

    // With a token of Baltic's the competitor stays unknown.
    let token = system.token("programs/demo", "partner-sales", Some("baltic-cloud"));
    let ask = format!(
        "grpcurl -plaintext -H 'authorization: Bearer {token}' -d '{}' {address} {}",
        r#"{"parent": "programs/demo", "deal": "programs/demo/deals/baltic-contoso"}"#,
        "pactum.audit.v1.OwnershipQueryService/ListOwnershipHistory"
    );
    let text = run(&ask, directory.path());
    assert!(text.contains("baltic-contoso"), "{text}");
    assert!(!text.contains("aurora") && !text.contains("4800000"), "a competitor shows through:\n{text}");
}

/// Runs the README's commands, each at an address of its own, on a system whose token key is in `data`, and checks what they
/// answer.
pub(crate) fn run_and_check(addresses: [&str; 3], data: &Path) {
    let mut parts = example("README.md", "competing");
    for address in addresses {
        parts = parts.replacen("127.0.0.1:7400", address, 1);
    }
    let (commands, question) = parts.split_once("# Who has it").unwrap();
    let token = commands.lines().next().unwrap();
    let answers = json(&run(commands, data));
    let [first, second] = answers.as_slice() else { panic!("two answers were expected: {answers:?}") };
    assert_eq!(first["deal"]["state"], "DEAL_STATE_APPROVED", "{first}");
    assert_eq!(first["deal"]["protection"]["state"], "PROTECTION_STATE_HELD", "{first}");
    assert_eq!(second["deal"]["state"], "DEAL_STATE_CONFLICTED", "{second}");
    assert_eq!(second["deal"]["conflicts"][0]["kind"], "CONFLICT_KIND_PROTECTED_BY_OTHER", "{second}");
    assert_eq!(second["deal"]["conflicts"][0]["matchedKeys"][0], "domain", "{second}");

    // A person at a terminal is slower than the view; a test may not be.
    let last: u64 = second["sequence"].as_str().unwrap().parse().unwrap();
    let started = std::time::Instant::now();
    let history = loop {
        let mut answers = json(&run(&format!("{token}\n# {question}"), data));
        let history = answers.pop().unwrap();
        if history["sequence"].as_str().is_some_and(|sequence| sequence.parse::<u64>().unwrap() >= last) {
            break history;
        }
        assert!(started.elapsed().as_secs() < 60, "the view does not get to {last}: {history}");
    };
    assert_eq!(history["current"][0]["deal"], "programs/demo/deals/aurora-contoso", "{history}");
    let kinds: Vec<_> =
        history["claims"].as_array().unwrap().iter().map(|claim| claim["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["CLAIM_KIND_REGISTERED", "CLAIM_KIND_APPROVED", "CLAIM_KIND_REGISTERED", "CLAIM_KIND_CONFLICT_DETECTED"]
    );
}

/// Runs a script of the documentation to its end, which must be a good one, and gives what it printed.
pub(crate) fn run(script: &str, data: &Path) -> String {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .env("PATH", path_of_tools())
        .env("PACTUM_DATA", data)
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}\n{out}\n{err}\nis grpcurl installed? `scripts/setup run` does it");
    out.into_owned()
}

fn json(text: &str) -> Vec<serde_json::Value> {
    serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().unwrap()
}

/// Waits until the demo program is made.
pub(crate) fn wait_for_demo(system: &System) {
    // The import's end is the last thing that the demo's making appends before it is done.
    let started = std::time::Instant::now();
    let data = system.data().to_str().unwrap().to_owned();
    loop {
        let events = crate::system::pactum(&[
            "events",
            "--program",
            "programs/demo",
            "--endpoint",
            &system.endpoint(),
            "--data",
            &data,
        ]);
        if String::from_utf8_lossy(&events.stdout).contains("HistoryImportCompleted") {
            break;
        }
        assert!(started.elapsed().as_secs() < 60, "the demo program did not come to its end");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    pactum_ok(&["events", "--program", "programs/demo", "--endpoint", &system.endpoint(), "--data", &data]);
}
