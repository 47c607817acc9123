#![expect(clippy::unwrap_used, reason = "tests")]
//! Regenerates the code under `src/gen` from `proto/` and compares. `PACTUM_REGENERATE=1 cargo test -p pactum-api generated`
//! writes it instead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn contracts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            contracts(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
}

/// Every generated file by its name, made without a system `protoc`.
fn generate() -> BTreeMap<String, Vec<u8>> {
    let proto = root().join("proto");
    let mut files = Vec::new();
    contracts(&proto.join("pactum"), &mut files);
    files.sort();
    let mut compiler = protox::Compiler::new([&proto]).unwrap();
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files).unwrap();

    let out = tempfile::tempdir().unwrap();
    tonic_prost_build::configure()
        .out_dir(out.path())
        .emit_rerun_if_changed(false)
        .compile_fds(compiler.file_descriptor_set())
        .unwrap();
    let mut made = BTreeMap::new();
    for entry in std::fs::read_dir(out.path()).unwrap() {
        let path = entry.unwrap().path();
        made.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
    }
    // Encoded by protox itself: prost's own types would drop the access options.
    made.insert("descriptor.bin".to_owned(), compiler.encode_file_descriptor_set());
    made
}

#[test]
fn generated_code_is_what_the_contract_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/gen");
    let made = generate();
    if std::env::var_os("PACTUM_REGENERATE").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for entry in std::fs::read_dir(&folder).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, bytes) in &made {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
    let mut kept: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    kept.sort();
    assert_eq!(kept, made.keys().cloned().collect::<Vec<_>>(), "src/gen has other files than the contract makes");
    for (name, bytes) in &made {
        let same = std::fs::read(folder.join(name)).unwrap() == *bytes;
        assert!(same, "{name} is stale: run `PACTUM_REGENERATE=1 cargo test --release -p pactum-api generated`");
    }
}
