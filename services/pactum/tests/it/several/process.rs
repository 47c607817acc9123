//! Processes of one system, over a topic of its own.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pactum_testcontainers::{free_port, shared};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;

use crate::system::{Bearer, Connection, PACTUM, get, pactum_ok};

/// How long anything may take: long, for machines that do other things.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// What the processes of one system share.
pub(super) struct Site {
    directory: tempfile::TempDir,
    brokers: String,
    topic: String,
}

impl Site {
    /// A site whose topic is not made yet.
    pub(super) async fn new() -> Self {
        static SITES: AtomicU64 = AtomicU64::new(0);
        let topic = format!("several-{}-{}", std::process::id(), SITES.fetch_add(1, Ordering::Relaxed));
        let site =
            Self { directory: tempfile::tempdir().unwrap(), brokers: shared().await.unwrap().bootstrap(), topic };
        site.token("programs/acme", "auditor", None);
        site
    }

    /// A site with its topic.
    pub(super) async fn with_topic(partitions: u32) -> Self {
        let site = Self::new().await;
        let partitions = partitions.to_string();
        site.topics("ensure", &["--partitions", &partitions, "--replication-factor", "1"]).unwrap();
        site
    }

    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("shared.key")
    }

    /// `pactum topics`: its JSON, or what it says on standard error.
    pub(super) fn topics(&self, action: &str, arguments: &[&str]) -> Result<serde_json::Value, String> {
        let output = Command::new(PACTUM)
            .args(["topics", action, "--kafka-brokers", &self.brokers, "--kafka-topic", &self.topic, "--json"])
            .args(arguments)
            .output()
            .unwrap();
        if !output.status.success() {
            return Err(format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    }

    /// A command line for a role, without its ports.
    pub(super) fn command(&self, role: &str, name: &str, brokers: &str) -> Command {
        let mut command = Command::new(PACTUM);
        command
            .args([role, "--kafka-brokers", brokers, "--kafka-topic", &self.topic, "--data"])
            .arg(self.directory.path().join(name))
            .arg("--key-file")
            .arg(self.key())
            .args(["--log", "warn,pactum_command=info,pactum_journal=info"]);
        command
    }

    /// Starts a role.
    pub(super) fn start(&self, role: &str, name: &str) -> Process {
        self.start_with(role, name, &self.brokers)
    }

    /// Starts a role with other brokers.
    pub(super) fn start_with(&self, role: &str, name: &str, brokers: &str) -> Process {
        Process::spawn(self.command(role, name, brokers), &self.directory.path().join(format!("{name}.log")))
    }

    pub(super) fn token(&self, program: &str, role: &str, partner: Option<&str>) -> String {
        let key = self.key();
        let mut arguments = vec!["token", "--key-file", key.to_str().unwrap(), "--program", program, "--role", role];
        arguments.extend(partner.iter().flat_map(|partner| ["--partner", partner]));
        pactum_ok(&arguments).trim().to_owned()
    }

    pub(super) async fn connect(&self, to: &Process, program: &str, role: &str, partner: Option<&str>) -> Connection {
        let token = self.token(program, role, partner);
        let channel = Endpoint::from_shared(to.endpoint()).unwrap().connect().await.unwrap();
        InterceptedService::new(channel, Bearer::of(&token))
    }
}

/// A running role.
pub(super) struct Process {
    child: Child,
    pub(super) grpc: u16,
    pub(super) http: u16,
    log: PathBuf,
}

impl Process {
    fn spawn(mut command: Command, log: &Path) -> Self {
        let (grpc, http) = (free_port().unwrap(), free_port().unwrap());
        command.args(["--grpc-listen", &format!("127.0.0.1:{grpc}"), "--http-listen", &format!("127.0.0.1:{http}")]);
        Self::start(command, grpc, http, log)
    }

    /// Starts what will listen at these ports.
    pub(super) fn start(mut command: Command, grpc: u16, http: u16, log: &Path) -> Self {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Self { child, grpc, http, log: log.to_owned() }
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    pub(super) fn get(&self, path: &str) -> String {
        get(self.http, path)
    }

    /// What it wrote to standard error so far.
    pub(super) fn log(&self) -> String {
        let mut text = String::new();
        std::fs::File::open(&self.log).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Waits until it is so, while the process lives.
    pub(super) async fn until(&mut self, what: &str, mut so: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !so(self) {
            assert!(self.child.try_wait().unwrap().is_none(), "it ended before {what}:\n{}", self.log());
            assert!(started.elapsed() < PATIENCE, "not {what}: {}\n{}", self.get("/readyz"), self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(super) async fn ready(&mut self) {
        self.until("ready", |process| process.get("/readyz").starts_with("HTTP/1.1 200")).await;
    }

    /// How many partitions it owns.
    pub(super) fn owns(&self) -> usize {
        let metrics = self.get("/metrics");
        metrics.lines().filter(|line| line.starts_with("pactum_journal_owner{") && line.ends_with(" 1")).count()
    }

    /// Sends a signal, by name.
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, and says whether that was a good one.
    pub(super) async fn ended(&mut self) -> bool {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(started.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Ended already where the test did it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.log());
        }
    }
}
