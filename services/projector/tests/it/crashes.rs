//! `kill -9` at random moments of folding, taking checkpoints, rebuilding, changing places, dropping and exporting; and after
//! every other one files are cut off, overwritten or lengthened by zeros, as a power cut leaves what was not on the disk, and worse.
//! The next start makes good what it has to, by itself: every view ends as a fold from zero has it.
//!
//! `PACTUM_TEST_CRASHES=500 PACTUM_TEST_SEED=7 cargo test --release -p pactum-projector --test it crashes` does more of it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pactum_api::proto::projector::v1 as proto;
use pactum_log::Log;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_projector::{AsOfOptions, ProjectorOptions};
use tempfile::tempdir;

use crate::operating::Operator;
use crate::past::happenings::{Dice, happening, try_one};
use crate::past::patient;
use crate::past::questions::{answer, ask, at_sequence, every_question};
use crate::system::{ADMIN, System, acme, held_by_all};

/// Where the child works, and its seed; set for it alone.
const CHILD: &str = "PACTUM_TEST_CRASHED_CHILD";
const ROUNDS: u64 = 16;
const VIEWS: [&str; 5] = ["programs", "partners", "deals", "pipeline", "ownership"];
/// How long a view may take until it is as it should be: long, for machines that do other things.
const PATIENCE: Duration = Duration::from_secs(120);

fn log(directory: &Path) -> Arc<dyn Log> {
    Arc::new(EmbeddedLog::open(directory.join("log"), EmbeddedOptions::default()).unwrap())
}

fn busy(directory: &Path) -> ProjectorOptions {
    let as_of = AsOfOptions { every_records: 20, keep: 4, scratches: 2, ..AsOfOptions::default() };
    ProjectorOptions { flush_every: Duration::from_millis(20), ..patient(&directory.join("views"), as_of) }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn pick<T>(dice: &mut Dice, of: &[T]) -> usize {
    usize::try_from(dice.roll(of.len() as u64)).unwrap()
}

/// Not a test by itself: what the parent kills. Writes, operates on views, and asks about the past, without end.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(given) = std::env::var_os(CHILD) else { return };
    let given = given.into_string().unwrap();
    let (seed, directory) = given.split_once(':').unwrap();
    let directory = Path::new(directory);
    let system = System::start_with(log(directory), busy(directory)).await;
    if !directory.join("made").exists() {
        acme(&system).await;
        std::fs::write(directory.join("made"), "").unwrap();
    }
    let mut dice = Dice::new(seed.parse().unwrap());
    let writing = tokio::spawn({
        let (admin, mut dice) = (system.by(ADMIN), Dice::new(dice.roll(u64::MAX)));
        async move {
            loop {
                try_one(&admin, happening(&mut dice)).await;
            }
        }
    });
    std::fs::write(directory.join("begun"), "").unwrap();
    let (admin, operator, questions) = (system.by(ADMIN), Operator::of(&system), every_question());
    while !writing.is_finished() {
        // What does not fit how things stand is refused; that is right, too.
        let view = VIEWS[pick(&mut dice, &VIEWS)];
        let partition = 0;
        let builds = operator.view(view, partition).await.builds;
        let build = builds[pick(&mut dice, &builds)].name.clone();
        match dice.roll(6) {
            0 | 1 => drop(operator.rebuild(view, Some(partition)).await),
            2 => drop(operator.roll_back(view, partition, &build).await),
            3 => drop(operator.drop_build(view, partition, &build).await),
            4 => drop(export(&operator, view, partition).await),
            _ => {
                let question = &questions[pick(&mut dice, &questions)];
                drop(ask(&admin, question, at_sequence(1 + dice.roll(50)), 0).await);
            }
        }
    }
    panic!("writing ended: {:?}", writing.await.map(drop));
}

async fn export(operator: &Operator, view: &str, partition: u32) -> Result<(), tonic::Status> {
    let request = proto::ExportViewRequest { view: view.into(), partition };
    let mut parts = operator.0.clone().export_view(operator.1.request(request)).await?.into_inner();
    while parts.message().await?.is_some() {}
    Ok(())
}

fn begin(directory: &Path, seed: u64) -> Child {
    // Not there in the first round.
    let _ = std::fs::remove_file(directory.join("begun"));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crashes::child", "--nocapture"])
        .env(CHILD, format!("{seed}:{}", directory.display()))
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(directory.join("said")).unwrap())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while !directory.join("begun").exists() {
        let said = || std::fs::read_to_string(directory.join("said")).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "the child ended before it began: {}", said());
        assert!(started.elapsed() < PATIENCE, "the child does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Does to a file what a power cut may do to what was not on the disk.
fn harm(dice: &mut Dice, views: &Path) -> String {
    let mut all = Vec::new();
    files(views, &mut all);
    // What nobody reads, and locks, are not worth a round.
    let is_read = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let ends = [".sst", ".live"].iter().any(|end| name.ends_with(end));
        ends || name.starts_with("MANIFEST") || ["CURRENT", "checkpoint", "answered"].contains(&name.as_str())
    };
    let is_kept = |path: &PathBuf| {
        let of = path.strip_prefix(views).unwrap().to_string_lossy().into_owned();
        !of.starts_with("as-of") && !of.starts_with("exports") && !of.contains(".damaged")
    };
    all.retain(|path| is_read(path) && is_kept(path));
    // Every kind of file has its turn, however many there are of it.
    let kind = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = path.extension().map_or(name, |end| end.to_string_lossy().into_owned());
        name.split('-').next().unwrap().to_owned()
    };
    let kinds: std::collections::BTreeSet<_> = all.iter().map(kind).collect();
    let kinds: Vec<_> = kinds.into_iter().collect();
    let wanted = kinds[pick(dice, &kinds)].clone();
    all.retain(|path| kind(path) == wanted);
    // The newest are what a power cut takes.
    all.sort_by_key(|path| std::cmp::Reverse(std::fs::metadata(path).unwrap().modified().unwrap()));
    let path = all[pick(dice, &all[..all.len().min(8)])].clone();
    let mut bytes = std::fs::read(&path).unwrap();
    let at = usize::try_from(dice.roll(bytes.len() as u64 + 1)).unwrap();
    let how = match dice.roll(5) {
        4 => {
            std::fs::remove_file(&path).unwrap();
            return format!("{} removed", path.display());
        }
        0 => {
            bytes.truncate(at);
            "cut off"
        }
        1 => {
            bytes.iter_mut().skip(at).take(16).for_each(|byte| *byte ^= 0x5a);
            "overwritten"
        }
        2 => {
            bytes.iter_mut().skip(at).for_each(|byte| *byte = 0);
            "zero from there on"
        }
        _ => {
            bytes.extend([0; 700]);
            "lengthened by zeros"
        }
    };
    // In place: hard links of it are harmed, too.
    std::fs::write(&path, bytes).unwrap();
    format!("{} {how} at {at}", path.display())
}

/// Waits until every view is what a fold from zero makes, and says how far the program is.
async fn made_good(system: &System, partitions: u32) -> u64 {
    let operator = Operator::of(system);
    let until = Instant::now() + PATIENCE;
    for partition in 0..partitions {
        for view in VIEWS {
            loop {
                let request = proto::VerifyViewRequest { view: view.into(), partition };
                let verified = operator.0.clone().verify_view(operator.1.request(request)).await;
                // While damage is being mended, rows may not be readable; that they differ may not be.
                match verified.map(|verified| verified.into_inner()) {
                    Ok(verified) => {
                        let rows = (&verified.live_digest, &verified.fresh_digest);
                        assert!(verified.agrees, "{view} of {partition} differs at {}: {rows:?}", verified.offset);
                        break;
                    }
                    Err(error) => assert!(Instant::now() < until, "{view} of {partition} is not mended: {error}"),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // What is mended answers.
    loop {
        let views = system.views.views();
        if views.iter().all(|view| view.error.is_none() && view.caught_up && view.lag_records == 0) {
            break;
        }
        assert!(Instant::now() < until, "the views do not get to the log's end: {views:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let admin = system.by(ADMIN);
    let request =
        pactum_api::proto::program::v1::GetProgramRequest { name: "programs/acme".into(), ..Default::default() };
    admin.program_queries().get_program(admin.request(request)).await.unwrap().into_inner().sequence
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "what was done to the files is what one needs to know where it fails")]
async fn the_next_start_is_right_whatever_a_crash_left() {
    let (rounds, seed) = (setting("PACTUM_TEST_CRASHES", ROUNDS), setting("PACTUM_TEST_SEED", 1));
    let (directory, mut dice) = (tempdir().unwrap(), Dice::new(seed));
    let questions = every_question();
    let mut last = 0;
    for round in 0..rounds {
        let mut child = begin(directory.path(), dice.roll(u64::MAX));
        tokio::time::sleep(Duration::from_millis(20 + dice.roll(400))).await;
        assert!(child.try_wait().unwrap().is_none(), "round {round} of seed {seed}: the child ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        let mut harmed = Vec::new();
        if round % 2 == 1 {
            for _ in 0..1 + dice.roll(3) {
                harmed.push(harm(&mut dice, &directory.path().join("views")));
            }
        }
        println!("round {round} of seed {seed}: {harmed:?}");
        let log = log(directory.path());
        let partitions = log.partitions();
        let system = System::start_with(log, busy(directory.path())).await;
        last = made_good(&system, partitions).await;
        // Checkpoints are usable, or gone.
        let admin = system.by(ADMIN);
        for _ in 0..3 {
            let (question, moment) = (&questions[pick(&mut dice, &questions)], 1 + dice.roll(last));
            let found = answer(&admin, question, at_sequence(moment), 0).await;
            // A partner or a deal may not have been there yet.
            let is_fine = found.as_ref().map_or_else(|status| status.code() == tonic::Code::NotFound, |_| true);
            assert!(is_fine, "round {round} of seed {seed}: {question:?} as of {moment}: {found:?}");
        }
        drop(admin);
        system.stop().await;
    }

    // The past is what a projector tells that never crashed.
    let log = log(directory.path());
    let moments: Vec<u64> = (1..=last).step_by(usize::try_from(last / 12 + 1).unwrap()).collect();
    let mut told = Vec::new();
    let fresh = tempdir().unwrap();
    for options in [busy(directory.path()), patient(fresh.path(), AsOfOptions::default())] {
        let system = System::start_with(Arc::clone(&log), options).await;
        held_by_all(&system.by(ADMIN), last).await;
        let mut answers = Vec::new();
        for moment in &moments {
            for question in &questions {
                answers.push(ask(&system.by(ADMIN), question, at_sequence(*moment), 0).await);
            }
        }
        told.push(answers);
        system.stop().await;
    }
    assert!(told[0] == told[1], "seed {seed}: the past is another one after the crashes");
}
