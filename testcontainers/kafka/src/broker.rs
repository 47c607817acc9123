//! One broker, and what a test may do to it.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::disk;
use crate::error::{Error, Explain as _};
use crate::launcher::{Launcher, Program};
use crate::process::Process;
use crate::settings::Listeners;
use crate::watcher::Watcher;
use crate::wire::{self, Topics};

/// More than a clean stop ever took, less than a stuck test may hang.
const STOP_WITHIN: Duration = Duration::from_secs(45);
const FORMAT_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
const TAIL_LINES: usize = 30;

/// A broker of a [`Kafka`](crate::Kafka) cluster. It keeps its ports and its data over any number of ends and starts.
#[derive(Debug)]
pub struct Broker {
    pub(crate) id: u32,
    pub(crate) listeners: Listeners,
    pub(crate) directory: PathBuf,
    pub(crate) launcher: Launcher,
    pub(crate) measured: bool,
    pub(crate) watcher: Arc<Watcher>,
    pub(crate) ready_within: Duration,
    pub(crate) has_own_disk: bool,
    pub(crate) process: Mutex<Option<Process>>,
}

impl Broker {
    /// Its `node.id`: its index in the cluster, from 1.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Where clients connect, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listeners.client
    }

    /// The process that runs now.
    ///
    /// # Errors
    /// It does not run.
    pub fn pid(&self) -> Result<u32, Error> {
        match self.lock().as_mut() {
            Some(process) => match process.ended()? {
                None => process.pid(),
                Some(_) => Err(self.state("has ended by itself: see log_text(), and call start()")),
            },
            None => Err(self.state("does not run: call start()")),
        }
    }

    /// Where its records are.
    #[must_use]
    pub fn log_dir(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// All it said so far, over all its lives. Empty if the file cannot be read.
    #[must_use]
    pub fn log_text(&self) -> String {
        let bytes = std::fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// SIGKILL; returns when the process is gone, at once if it has ended by itself.
    ///
    /// # Errors
    /// It was killed or stopped before.
    pub async fn kill(&self) -> Result<(), Error> {
        let mut process = self.take()?;
        process.kill()
    }

    /// SIGTERM: the broker hands its partitions over and ends. Returns when it has.
    ///
    /// # Errors
    /// It was killed or stopped before, or does not end within 45 seconds, in which case it is killed.
    pub async fn stop(&self) -> Result<(), Error> {
        let mut process = self.take()?;
        process.signal(Signal::TERM)?;
        process.wait(STOP_WITHIN).await.map(|_| ())
    }

    /// SIGSTOP: it stays connected and answers nothing.
    ///
    /// # Errors
    /// It does not run.
    pub async fn pause(&self) -> Result<(), Error> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT, after [`pause`](Self::pause).
    ///
    /// # Errors
    /// It does not run.
    pub async fn resume(&self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    /// Starts it again on its ports and its data, and waits until it serves. It needs a majority of controllers for that: where
    /// several are down, start them together (`tokio::join!`).
    ///
    /// # Errors
    /// It runs already, ends by itself, or does not serve within [`Options::ready_within`](crate::Options::ready_within).
    pub async fn start(&self) -> Result<(), Error> {
        self.launch()?;
        self.ready().await
    }

    /// Leaves not a byte free on its disk. A broker whose disk is full gives up: it ends by itself.
    ///
    /// # Errors
    /// The cluster was started without [`Options::disk_mib`](crate::Options::disk_mib), so that the disk is the machine's.
    pub async fn fill_disk(&self) -> Result<(), Error> {
        if !self.has_own_disk {
            return Err(self.state("has no disk of its own to fill: set Options::disk_mib"));
        }
        disk::fill(&self.log_dir())
    }

    /// Takes back what [`fill_disk`](Self::fill_disk) wrote.
    ///
    /// # Errors
    /// The file system refuses.
    pub async fn free_disk(&self) -> Result<(), Error> {
        disk::free(&self.log_dir())
    }

    /// Starts it and does not wait.
    pub(crate) fn launch(&self) -> Result<(), Error> {
        let mut slot = self.lock();
        if let Some(process) = slot.as_mut()
            && process.ended()?.is_none()
        {
            return Err(self.state("runs already: call kill() or stop() first"));
        }
        let mut program = self.launcher.program("kafka.Kafka", &self.directory, self.measured)?;
        program.command.arg(self.properties());
        *slot = Some(self.run(program)?);
        Ok(())
    }

    /// Waits until it serves. A broker answers nothing before it takes part in the cluster.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let deadline = Instant::now() + self.ready_within;
        loop {
            let ended = match self.lock().as_mut() {
                Some(process) => process.ended()?,
                None => return Err(self.state("was stopped while it started")),
            };
            if let Some(status) = ended {
                *self.lock() = None;
                return Err(self.failed(format!("broker {} ended by itself ({status})", self.id)));
            }
            match wire::metadata(self.listeners.internal, Topics::None).await {
                Ok(metadata) if self.serves(&metadata) => return Ok(()),
                outcome if Instant::now() > deadline => {
                    let why = outcome.map_or_else(|error| error.to_string(), |metadata| format!("{metadata:?}"));
                    let within = self.ready_within;
                    return Err(self.failed(format!("broker {} does not serve after {within:?}: {why}", self.id)));
                }
                _ => tokio::time::sleep(POLL).await,
            }
        }
    }

    fn serves(&self, metadata: &wire::Metadata) -> bool {
        i32::try_from(self.id).is_ok_and(|id| metadata.brokers.contains(&id))
    }

    /// Begins to write the first files of its data directory.
    pub(crate) fn format(&self, cluster_id: &str, extra: &[String]) -> Result<Process, Error> {
        let mut program = self.launcher.program("kafka.tools.StorageTool", &self.directory, false)?;
        program.command.args(["format", "--cluster-id", cluster_id]).args(extra).arg("--config").arg(self.properties());
        self.run(program)
    }

    /// Waits until they are written.
    pub(crate) async fn formatted(&self, mut process: Process) -> Result<(), Error> {
        let status = process.wait(FORMAT_WITHIN).await?;
        if status.success() {
            return Ok(());
        }
        Err(self.failed(format!("the data directory of broker {} could not be formatted ({status})", self.id)))
    }

    fn run(&self, program: Program) -> Result<Process, Error> {
        Process::start(program, self.open_log()?, &self.watcher)
    }

    fn open_log(&self) -> Result<File, Error> {
        let path = self.log_file();
        OpenOptions::new().create(true).append(true).open(&path).explain(|| format!("cannot write {}", path.display()))
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        match self.lock().as_mut() {
            Some(process) => process.signal(signal),
            None => Err(self.state("does not run: call start()")),
        }
    }

    fn take(&self) -> Result<Process, Error> {
        self.lock().take().ok_or_else(|| self.state("does not run: call start()"))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self, state: &'static str) -> Error {
        Error::State { id: self.id, state }
    }

    fn failed(&self, what: String) -> Error {
        let text = self.log_text();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n");
        Error::Failed { what, log: self.log_file(), tail }
    }

    pub(crate) fn properties(&self) -> PathBuf {
        self.directory.join("broker.properties")
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.directory.join("broker.log")
    }

    /// Copies what is needed to understand a failure.
    pub(crate) fn keep_logs(&self, to: &Path) -> std::io::Result<()> {
        for file in [self.properties(), self.log_file()] {
            let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
            std::fs::copy(&file, to.join(format!("broker-{}.{kind}", self.id)))?;
        }
        Ok(())
    }
}
