//! Damaged, cut off and missing files: an error, never data.

use crate::support::{Rows, all, copy, files, fill, open};
use pactum_store::{Database, Durability, Options, StoreError};
use std::fs;
use std::path::Path;

/// A database with files and, if it has one, a write-ahead log, as a crash leaves it; and the rows it holds.
fn crashed(directory: &Path, rebuildable: bool) -> Rows {
    let original = tempfile::tempdir().unwrap();
    let database = open(original.path(), rebuildable).unwrap();
    let durability = if rebuildable { Durability::Deferred } else { Durability::Synced };
    fill(&database, 0, 500, durability);
    database.flush().unwrap();
    if !rebuildable {
        fill(&database, 500, 700, durability);
    }
    copy(original.path(), directory);
    all(&database, &database.keyspace("rows").unwrap()).unwrap()
}

/// The rows of a damaged database, or the error that told of the damage.
fn rows(path: &Path, rebuildable: bool) -> Result<Rows, StoreError> {
    let database = open(path, rebuildable)?;
    let rows = all(&database, &database.keyspace("rows")?)?;
    assert_eq!(rows, all(&database, &database.keyspace("entries")?)?, "keyspaces are at the same point");
    Ok(rows)
}

fn is_needed(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.ends_with(".sst")
        || name.ends_with(".log")
        || name.starts_with("MANIFEST-")
        || name == "CURRENT"
        || name == "synced"
}

/// What it is called, and what it does to a file.
type Damage = (&'static str, fn(&Path));

/// Damages each file in turn and checks that it is told, or did no harm. Returns `(what, told)`.
fn each_damage(rebuildable: bool, damages: &[Damage]) -> Vec<(String, bool)> {
    let original = tempfile::tempdir().unwrap();
    let expected = crashed(original.path(), rebuildable);
    assert_eq!(rows(original.path(), rebuildable).unwrap(), expected, "undamaged");
    // Opening has changed it.
    fs::remove_dir_all(original.path()).unwrap();
    let expected_again = crashed(original.path(), rebuildable);
    assert_eq!(expected, expected_again);
    let mut outcomes = Vec::new();
    for file in files(original.path()).into_iter().filter(|path| is_needed(path)) {
        // RocksDB makes one and leaves it empty when there is no write-ahead log.
        if fs::metadata(&file).unwrap().len() == 0 {
            continue;
        }
        for (name, damage) in damages {
            let directory = tempfile::tempdir().unwrap();
            copy(original.path(), directory.path());
            let file_name = file.file_name().unwrap().to_string_lossy();
            damage(&directory.path().join(&*file_name));
            let what = format!("{file_name} {name}");
            let told = match rows(directory.path(), rebuildable) {
                // Its manifest's newest lines gone, it is as it was before them; what it lacks is made again.
                Ok(found) if rebuildable && file_name.starts_with("MANIFEST-") => {
                    assert!(found == expected[..found.len()] && found.len() % 10 == 0, "{what}");
                    false
                }
                Ok(found) => {
                    assert!(found == expected, "{what}: {} rows of {}, and no error", found.len(), expected.len());
                    false
                }
                Err(error) => {
                    assert!(matches!(error, StoreError::Corrupt { .. }), "{what}: {error:?}");
                    true
                }
            };
            outcomes.push((what, told));
        }
    }
    outcomes
}

fn flip(path: &Path, place: f64) {
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 1;
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
    let at = (last as f64 * place) as usize;
    bytes[at] ^= 0x04;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, of: u64, parts: u64) {
    let len = fs::metadata(path).unwrap().len();
    fs::File::options().write(true).open(path).unwrap().set_len(len * of / parts).unwrap();
}

const DAMAGES: [Damage; 10] = [
    ("flipped at the start", |path| flip(path, 0.0)),
    ("flipped early", |path| flip(path, 0.1)),
    ("flipped before the middle", |path| flip(path, 0.37)),
    ("flipped after the middle", |path| flip(path, 0.61)),
    ("flipped late", |path| flip(path, 0.93)),
    ("flipped at the end", |path| flip(path, 1.0)),
    ("emptied", |path| cut(path, 0, 2)),
    ("halved", |path| cut(path, 1, 2)),
    ("cut short", |path| cut(path, 99, 100)),
    ("removed", |path| fs::remove_file(path).unwrap()),
];

#[test]
fn of_a_database_of_record_is_told() {
    let outcomes = each_damage(false, &DAMAGES);
    let untold: Vec<_> = outcomes.iter().filter(|(_, told)| !told).collect();
    // Parts of a table only describe it.
    assert!(untold.iter().all(|(what, _)| what.contains(".sst flipped")), "{untold:?}");
    for kind in [".sst", ".log", "MANIFEST-", "CURRENT", "synced"] {
        assert!(outcomes.iter().any(|(what, told)| what.contains(kind) && *told), "{kind}: {outcomes:?}");
    }
}

#[test]
fn of_a_rebuildable_database_is_told() {
    let outcomes = each_damage(true, &DAMAGES);
    for kind in [".sst", "CURRENT"] {
        let told = outcomes.iter().filter(|(what, told)| what.contains(kind) && *told).count();
        assert!(told >= 5, "{kind}: {outcomes:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    crashed(directory.path(), true);
    let table = files(directory.path()).into_iter().find(|path| path.extension().is_some_and(|of| of == "sst"));
    fs::remove_file(table.unwrap()).unwrap();
    let error = open(directory.path(), true).unwrap_err().to_string();
    assert!(error.ends_with("stop, delete it and start again: it is rebuilt"), "{error}");
}

#[test]
fn at_the_end_can_be_accepted_by_an_operator() {
    let directory = tempfile::tempdir().unwrap();
    let expected = crashed(directory.path(), false);
    let wal = files(directory.path()).into_iter().rfind(|path| path.extension().is_some_and(|of| of == "log"));
    cut(&wal.unwrap(), 1, 2);
    let error = open(directory.path(), false).unwrap_err();
    assert!(error.to_string().contains("changes are missing that were acknowledged last"), "{error}");
    let accepting = Options { accept_loss: true, ..crate::support::options(false) };
    let database = Database::open(directory.path(), &crate::support::specs(), &accepting).unwrap();
    let found = all(&database, &database.keyspace("rows").unwrap()).unwrap();
    assert!(found.len() >= 500 && found.len() < expected.len() && found == expected[..found.len()]);
    drop(database);
    assert_eq!(rows(directory.path(), false).unwrap(), found, "and is forgotten then");
}
