//! A full disk, on a real filesystem that is full.

use crate::support::{number, options, read_all};
use bytes::Bytes;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::{Appender, Log, LogError};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;

/// A filesystem of its own, 48 MiB large.
struct Small(PathBuf);

impl Small {
    fn mount(directory: &Path) -> Self {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs"])
            .arg(directory)
            .output()
            .expect("mount can be run");
        assert!(
            mounted.status.success(),
            "this test needs a small filesystem and may not mount one: run it as root, or under `unshare -rm`. {}",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self(directory.to_owned())
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Takes all the space that is left, but for `rest` bytes.
    fn fill(&self, rest: u64) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).unwrap();
        loop {
            let available = pactum_store::available_bytes(&self.0).unwrap();
            let take = available.saturating_sub(rest).min(MIB) as usize;
            if take == 0 || ballast.write_all(&vec![1; take]).is_err() {
                return;
            }
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        assert!(std::thread::panicking() || unmounted.is_ok_and(|status| status.success()), "the mount is left behind");
    }
}

fn small(reserve_bytes: u64) -> EmbeddedOptions {
    EmbeddedOptions { reserve_bytes, write_buffer_bytes: MIB as usize, ..options(1) }
}

/// An entry that no compression makes smaller.
fn entry(number: u64) -> Bytes {
    let mut bytes = vec![0; 20_000];
    ChaCha8Rng::seed_from_u64(number).fill_bytes(&mut bytes);
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes.into()
}

/// Appends numbered entries one after another, each read back before the next, until the log is full.
async fn append_until_full(log: &EmbeddedLog, appender: &dyn Appender, next: &mut u64) -> LogError {
    let mut reader = log.reader(0, *next).await.unwrap();
    loop {
        if let Err(error) = appender.append(entry(*next)) {
            return error;
        }
        tokio::select! {
            entries = reader.next(1) => {
                let entries = entries.unwrap();
                assert_eq!((entries[0].offset, number(&entries[0])), (*next, *next));
                *next += 1;
            }
            error = appender.failed() => return error,
        }
    }
}

/// Appends one entry, as soon as the log takes it, and returns where it went.
async fn append_when_possible(log: &EmbeddedLog, appender: &dyn Appender, wanted: u64) -> u64 {
    let attempt = async {
        let mut reader = log.reader(0, 0).await.unwrap();
        while appender.append(entry(wanted)).is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        loop {
            let entries = tokio::select! {
                entries = reader.next(1000) => entries.unwrap(),
                error = appender.failed() => panic!("taken, with room, and failed: {error}"),
            };
            if let Some(found) = entries.iter().find(|found| number(found) == wanted) {
                return found.offset;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), attempt).await.expect("the log recovers once there is room")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_the_reserve_appends_are_refused_and_go_on_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Small::mount(directory.path());
    let log = EmbeddedLog::open(directory.path().join("log"), small(8 * MIB)).unwrap();
    let appender = log.appender(0).unwrap();
    let mut next = 0;
    for round in 0..3 {
        disk.fill(12 * MIB);
        let error = append_until_full(&log, &*appender, &mut next).await;
        assert!(matches!(&error, LogError::Full(text) if text.contains("in reserve")), "{error}");
        assert!(matches!(appender.append("more".into()), Err(LogError::Full(_))), "refused at once from then on");
        assert!(matches!(log.health().appends, Some(LogError::Full(_))));
        assert!(pactum_store::available_bytes(directory.path()).unwrap() >= 4 * MIB, "the reserve was left alone");
        let (entries, error) = read_all(&log, 0).await;
        assert_eq!((entries.len() as u64, error), (next, None), "reading goes on");
        disk.make_room();
        assert_eq!(append_when_possible(&log, &*appender, next).await, next, "round {round}");
        next += 1;
        assert!(log.health().is_ok());
    }
    log.close();
    let log = EmbeddedLog::open(directory.path().join("log"), small(0)).unwrap();
    let (entries, error) = read_all(&log, 0).await;
    assert!(error.is_none() && entries.iter().map(number).eq(0..next), "every acknowledged entry, once");
    drop((log, disk));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_runs_full_under_the_database_is_survived_too() {
    let directory = tempfile::tempdir().unwrap();
    let disk = Small::mount(directory.path());
    // Without a reserve, RocksDB meets the end of the disk itself, and takes no more writes until it is opened again.
    let log = EmbeddedLog::open(directory.path().join("log"), small(0)).unwrap();
    let appender = log.appender(0).unwrap();
    let mut acknowledged = Vec::new();
    let mut next = 0;
    let mut met_by_the_database = 0;
    for _ in 0..4 {
        // Room for entries, and not for the file that half a megabyte of them is then flushed to.
        disk.fill(700 * 1024);
        let from = next;
        let error = append_until_full(&log, &*appender, &mut next).await;
        println!("after {next} entries: {error}");
        assert!(matches!(error, LogError::Full(_)), "{error}");
        acknowledged.extend(from..next);
        // Someone else takes the very last bytes, and the log has to live with that for a while.
        disk.fill(0);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(matches!(appender.append("more".into()), Err(LogError::Full(_) | LogError::Unavailable(_))));
        met_by_the_database += u32::from(log.statistics().store.is_some_and(|store| store.background_errors > 0));
        disk.make_room();
        // The entry whose write failed may have got to the disk: then this one comes after it.
        let offset = append_when_possible(&log, &*appender, 1_000_000 + next).await;
        acknowledged.push(1_000_000 + next);
        next = offset + 1;
        assert!(log.health().is_ok(), "{:?}", log.health());
    }
    // Closing works on a full disk too.
    disk.fill(0);
    log.close();
    disk.make_room();
    let log = EmbeddedLog::open(directory.path().join("log"), small(0)).unwrap();
    let (entries, error) = read_all(&log, 0).await;
    assert_eq!(error, None);
    let numbers: Vec<u64> = entries.iter().map(number).collect();
    let kept = acknowledged.iter().all(|number| numbers.iter().filter(|found| *found == number).count() == 1);
    assert!(kept, "every acknowledged entry, once");
    assert!(met_by_the_database > 0, "the database itself ran out of space");
    drop((log, disk));
}
