//! What an operator does with views: look, rebuild, roll back, verify, drop, retry, quarantine.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use pactum_log::{Log, Partition};
use pactum_store::{Database, Options, StoreError};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::builds::VERIFY;
use crate::decisions::Decision;
use crate::engine::{Build, Host};
use crate::fold::chain;
use crate::live::{LiveView, Progress};
use crate::lock::DirectoryLock;
use crate::options::ProjectorOptions;
use crate::status::{Status, ViewStatus};
use crate::store::ViewStore;
use crate::transfer::{ExportError, Taken};
use crate::verify::{Verified, VerifyError, verify};

/// How long a build that is given up may take to let go of its files.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an operator asks cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// There is no such view.
    #[error("there is no view {view} of partition {partition}")]
    NoSuchView {
        /// The name asked for.
        view: String,
        /// The partition asked for.
        partition: Partition,
    },
    /// There is no such build.
    #[error("there is no build {0}; `pactum view list` names them")]
    NoSuchBuild(String),
    /// It does not fit how the view stands.
    #[error("{0}")]
    Refused(String),
    /// Files cannot be read or written.
    #[error("files cannot be read or written")]
    Files(#[from] std::io::Error),
    /// It went wrong.
    #[error("it went wrong")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A view of a partition as an operator sees it.
#[derive(Clone, Debug)]
pub struct ViewReport {
    /// How it is doing.
    pub status: ViewStatus,
    /// Rows, about.
    pub rows: u64,
    /// Bytes on the disk.
    pub file_bytes: u64,
    /// Records folded a second since it was opened.
    pub records_per_second: f64,
    /// Its builds by name, sorted.
    pub builds: Vec<BuildReport>,
    /// What was decided about records that it cannot fold.
    pub quarantined: Vec<Decision>,
}

/// A directory with a view's rows.
#[derive(Clone, Debug)]
pub struct BuildReport {
    /// `deals@1`, `deals@1+2`.
    pub name: String,
    /// Whether it answers.
    pub live: bool,
    /// How far it is, while it is being made.
    pub progress: Option<BuildProgress>,
}

/// How far a build is.
#[derive(Clone, Debug)]
pub struct BuildProgress {
    /// The offset of the next entry to fold.
    pub offset: u64,
    /// The log's end, when it was last asked.
    pub end: u64,
    /// Entries folded a second.
    pub entries_per_second: f64,
    /// How long it still takes at this rate.
    pub left: Duration,
    /// Why it stopped, or what keeps it from going on.
    pub error: Option<String>,
}

/// A view of a partition.
type Which = (Partition, &'static str);

/// The views of a process, for its operator.
pub(crate) struct Operations {
    log: Arc<dyn Log>,
    options: ProjectorOptions,
    status: Status,
    host: OnceLock<Arc<Host>>,
    /// Ends a build that is being made.
    cancels: Mutex<HashMap<Which, CancellationToken>>,
    /// Held as long as anybody can ask for something here.
    _lock: DirectoryLock,
}

impl Operations {
    pub(crate) fn new(log: Arc<dyn Log>, options: ProjectorOptions, status: Status, lock: DirectoryLock) -> Self {
        Self { log, options, status, host: OnceLock::new(), cancels: Mutex::default(), _lock: lock }
    }

    pub(crate) fn views(&self) -> &[Arc<LiveView>] {
        &self.status.views
    }

    /// Cancelled when the fold ends; `None` before it begins.
    pub(crate) fn stopping(&self) -> Option<&CancellationToken> {
        self.host.get().map(|host| host.stopping())
    }

    /// From now on builds can be made.
    pub(crate) fn begin(&self, host: Arc<Host>) {
        self.host.set(host).ok();
    }

    pub(crate) fn find(&self, partition: Partition, view: &str) -> Result<&Arc<LiveView>, OperationError> {
        let found = self.status.views.iter().find(|live| live.partition == partition && live.view.name() == view);
        found.ok_or_else(|| OperationError::NoSuchView { view: view.to_owned(), partition })
    }

    /// Partitions asked for: one, or all.
    pub(crate) fn partitions(&self, partition: Option<Partition>) -> Vec<Partition> {
        partition.map_or_else(|| (0..self.log.partitions()).collect(), |partition| vec![partition])
    }

    /// Every view of every partition. Blocks on the disk.
    pub(crate) fn list(&self) -> Result<Vec<ViewReport>, OperationError> {
        self.status.views.iter().map(|live| report(live)).collect()
    }

    /// Builds a view beside the rows that answer, from the log's beginning. Blocks on the disk.
    pub(crate) fn rebuild(&self, partition: Partition, view: &str) -> Result<String, OperationError> {
        let live = self.find(partition, view)?;
        let name = live.builds.next()?;
        self.build(live, name.clone())?;
        Ok(name)
    }

    /// Lets an earlier build answer again, once it has caught up. Blocks on the disk.
    pub(crate) fn roll_back(&self, partition: Partition, view: &str, name: &str) -> Result<(), OperationError> {
        let live = self.find(partition, view)?;
        self.is_idle(live, name)?;
        if let Some(why) = live.builds.damage(name) {
            return Err(OperationError::Refused(format!("{name} is damaged: {why}")));
        }
        self.build(live, name.to_owned())
    }

    /// Makes a build, or goes on with one, until it can take the place of the rows that answer.
    pub(crate) fn build(&self, live: &Arc<LiveView>, name: String) -> Result<(), OperationError> {
        let view = live.view.name();
        let refused = |why: String| Err(OperationError::Refused(why));
        let Some(host) = self.host.get() else { return refused("the projector has not begun to fold".to_owned()) };
        if live.build().is_some() {
            return refused(format!("another build of {view} is being made; wait for it, or drop it"));
        }
        let path = live.builds.path(&name);
        let Some(of) = live.builds.view_of(&name) else {
            return refused(format!(
                "{name} is of another version than this program folds; start the program that made it"
            ));
        };
        let store = ViewStore::open(&path, of, &self.options.shared);
        let store = store.map_err(|error| OperationError::Failed(Box::new(error)))?;
        let position = store.position().map_err(|error| OperationError::Failed(Box::new(error)))?;
        let build = Arc::new(Build {
            name,
            store: Arc::new(store),
            progress: tokio::sync::watch::Sender::new(Progress { offset: position.offset, ..Progress::default() }),
            started: Instant::now(),
            from: position.offset,
        });
        if !live.begin_build(&build) {
            return refused(format!("another build of {view} is being made; wait for it, or drop it"));
        }
        // Once it answers it goes on as what answers does, until the process ends.
        let cancel = host.stopping().child_token();
        self.cancels.lock().unwrap_or_else(PoisonError::into_inner).insert((live.partition, view), cancel.clone());
        host.build(live, &build, position, cancel).map_err(|error| {
            live.end_build();
            OperationError::Failed(Box::new(error))
        })
    }

    /// Folds a view from zero and compares. Blocks until it is done.
    pub(crate) fn verify(&self, runtime: &Handle, partition: Partition, view: &str) -> Result<Verified, VerifyError> {
        let found = self.find(partition, view);
        let live = found.map_err(|_| VerifyError::NoSuchView { view: view.to_owned(), partition })?;
        let scratch = live.builds.path(&format!("{}{VERIFY}", live.builds.first()));
        verify(runtime, &self.log, live, &scratch, &self.options.shared)
    }

    /// Puts a view aside to be read by whoever exports it. Blocks on the disk.
    pub(crate) fn export(&self, partition: Partition, view: &str) -> Result<Taken, OperationError> {
        let live = self.find(partition, view)?;
        let store = live.store();
        let taken = Taken::of(&self.options.data, partition, &store, || live.decisions(), &self.options.shared);
        taken.map_err(|error| match error {
            ExportError::Empty { .. } => OperationError::Refused(error.to_string()),
            error => OperationError::Failed(Box::new(error)),
        })
    }

    /// Removes a build that does not answer; one that is being made is given up. Blocks on the disk.
    pub(crate) fn drop_build(&self, partition: Partition, view: &str, name: &str) -> Result<(), OperationError> {
        let live = self.find(partition, view)?;
        if let Some(build) = live.build().filter(|build| build.name == name) {
            return self.give_up(live, build);
        }
        self.is_idle(live, name)?;
        Ok(live.builds.remove(name)?)
    }

    fn give_up(&self, live: &LiveView, build: Arc<Build>) -> Result<(), OperationError> {
        let name = build.name.clone();
        let cancel =
            self.cancels.lock().unwrap_or_else(PoisonError::into_inner).remove(&(live.partition, live.view.name()));
        if live.end_build().is_none() {
            return Err(OperationError::Refused(format!("{name} has just begun to answer")));
        }
        if let Some(cancel) = cancel {
            cancel.cancel();
        }
        drop(build);
        let path = live.builds.path(&name);
        let until = Instant::now() + PATIENCE;
        while is_open(&path)? {
            if Instant::now() > until {
                return Err(OperationError::Refused(format!(
                    "{name} is given up, but its files are in use; drop it again"
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(live.builds.remove(&name)?)
    }

    /// Whether a build is there, does not answer and is not open.
    fn is_idle(&self, live: &LiveView, name: &str) -> Result<(), OperationError> {
        if !live.builds.list()?.iter().any(|known| known == name) {
            return Err(OperationError::NoSuchBuild(name.to_owned()));
        }
        let in_use = live.answering() == name || live.build().is_some_and(|build| build.name == name);
        if in_use {
            return Err(OperationError::Refused(format!("{name} answers, or is being made")));
        }
        if is_open(&live.builds.path(name))? {
            return Err(OperationError::Refused(format!("queries that began before still read {name}; try again")));
        }
        Ok(())
    }

    /// Has a view that stopped try again. False: it had not stopped.
    pub(crate) fn retry(&self, partition: Partition, view: &str) -> Result<bool, OperationError> {
        let live = self.find(partition, view)?;
        let stopped = |progress: &Progress| progress.stopped.is_some();
        let had_stopped =
            stopped(&live.progress.borrow()) || live.build().is_some_and(|build| stopped(&build.progress.borrow()));
        live.rouse();
        Ok(had_stopped)
    }

    /// Has a view pass over the record at which it stopped. Blocks on the disk.
    pub(crate) fn quarantine(
        &self,
        partition: Partition,
        view: &str,
        decision: Decision,
    ) -> Result<(), OperationError> {
        let live = self.find(partition, view)?;
        if decision.reason.trim().is_empty() {
            return Err(OperationError::Refused("a decision needs a reason, for those who read it later".to_owned()));
        }
        let stops_there = |progress: &Progress| progress.stopped.is_some() && progress.offset == decision.offset;
        let stopped = stops_there(&live.progress.borrow())
            || live.build().is_some_and(|build| stops_there(&build.progress.borrow()));
        if !stopped {
            let offset = decision.offset;
            let why = format!(
                "{view} of partition {partition} has not stopped at offset {offset}; `pactum view list` says where"
            );
            return Err(OperationError::Refused(why));
        }
        tracing::warn!(
            view,
            partition,
            offset = decision.offset,
            by = decision.by,
            reason = decision.reason,
            "a record is passed over"
        );
        Ok(live.decide(decision)?)
    }
}

/// Whether somebody has the database of a directory open.
pub(crate) fn is_open(path: &Path) -> Result<bool, OperationError> {
    let options = Options { create: false, rebuildable: true, ..Options::default() };
    match Database::open(path, &[], &options) {
        Err(StoreError::Locked { .. }) => Ok(true),
        // Keyspaces that are not known here, damage, nothing there: whatever it is, nobody holds it.
        Ok(_) | Err(_) => Ok(false),
    }
}

fn report(live: &LiveView) -> Result<ViewReport, OperationError> {
    let mut status = ViewStatus::of(live);
    if let (None, Some(why)) = (&status.error, live.store().damage()) {
        status.error = Some(format!("its files are damaged, and it is being built anew: {why}"));
    }
    let (rows, file_bytes) = live.store().size();
    let records = live.progress.borrow().records;
    let (answers, build) = (live.answering(), live.build());
    let builds = live.builds.list()?.into_iter().map(|name| {
        let progress = build.as_ref().filter(|build| build.name == name).map(|build| progress(build));
        BuildReport { live: name == answers, name, progress }
    });
    Ok(ViewReport {
        status,
        rows,
        file_bytes,
        records_per_second: records as f64 / live.opened.elapsed().as_secs_f64().max(1e-3),
        builds: builds.collect(),
        quarantined: live.decisions().all().cloned().collect(),
    })
}

fn progress(build: &Build) -> BuildProgress {
    let progress = build.progress.borrow().clone();
    let rate = build.rate();
    let left = if rate > 0.0 { progress.lag_records() as f64 / rate } else { 0.0 };
    BuildProgress {
        offset: progress.offset,
        end: progress.end,
        entries_per_second: rate,
        left: Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX),
        error: progress.stopped.or(progress.trouble).map(|why| why.to_string()),
    }
}

/// An operation's error with all it rests on, as one line.
pub(crate) fn explain(error: &OperationError) -> String {
    chain(error)
}
