//! A running cluster.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::certificates::Certificates;
use crate::disk;
use crate::error::{Error, Explain as _};
use crate::launcher::{Launcher, pinned_version};
use crate::options::{Options, Security};
use crate::path::NetworkPath;
use crate::ports::Ports;
use crate::proxy::Proxy;
use crate::settings::{self, Listeners};
use crate::watcher::Watcher;
use crate::wire::{self, Metadata, Topics};

/// The logs of so many clusters are kept.
const KEPT: usize = 20;

/// A cluster of real brokers. Dropped, it is gone with its files; its logs are kept if the test panics or `PACTUM_KEEP_LOGS`
/// is set, and the path is printed.
#[derive(Debug)]
pub struct Kafka {
    // Dropped in this order: the brokers end, then the watcher that they share cleans up, then others may have the ports.
    brokers: Vec<Broker>,
    paths: Vec<NetworkPath>,
    certificates: Option<Certificates>,
    root: PathBuf,
    _ports: Ports,
}

impl Kafka {
    /// Starts a cluster and waits until every broker serves.
    ///
    /// # Errors
    /// There is no Kafka on this machine (the message says how to get it), or a broker does not come up.
    pub async fn start(options: Options) -> Result<Self, Error> {
        if options.brokers != 1 && options.brokers != 3 {
            return Err(Error::Options(format!("a cluster has 1 or 3 brokers, not {}", options.brokers)));
        }
        let launcher = Launcher::find()?;
        let mut ports = Ports::reserve()?;
        let mut listeners = Vec::new();
        let mut paths: Vec<NetworkPath> =
            (0..options.network_paths).map(|_| NetworkPath { proxies: Vec::new() }).collect();
        for _ in 0..options.brokers {
            let mut proxied = Vec::new();
            for path in &mut paths {
                let port = ports.next()?;
                let proxy = Proxy::to((Ipv4Addr::LOCALHOST, port))?;
                proxied.push((port, proxy.address().port()));
                path.proxies.push(proxy);
            }
            let (controller, internal, client) = (ports.next()?, ports.next()?, ports.next()?);
            listeners.push(Listeners { controller, internal, client, proxied });
        }
        let root = tempfile::Builder::new()
            .prefix("pactum-kafka-")
            .tempdir()
            .explain(|| format!("cannot create a directory in {}", std::env::temp_dir().display()))?
            // The watcher removes it, whatever happens to this process.
            .keep();
        let watcher = Arc::new(Watcher::over(&root)?);
        let certificates = match options.security.needs_certificates() {
            true => Some(Certificates::make(&root.join("certificates"))?),
            false => None,
        };
        let mut brokers = Vec::new();
        for (id, own) in (1..).zip(&listeners) {
            let directory = root.join(format!("broker-{id}"));
            let data = directory.join("data");
            std::fs::create_dir_all(&data).explain(|| format!("cannot create {}", data.display()))?;
            if let Some(mebibytes) = options.disk_mib {
                disk::mount(&data, mebibytes)?;
            }
            let broker = Broker {
                id,
                listeners: own.clone(),
                directory,
                launcher: launcher.clone(),
                measured: options.measured,
                watcher: Arc::clone(&watcher),
                ready_within: options.ready_within,
                has_own_disk: options.disk_mib.is_some(),
                process: Mutex::new(None),
            };
            let properties = settings::render(&options, id, &listeners, &data, certificates.as_ref());
            std::fs::write(broker.properties(), properties)
                .explain(|| format!("cannot write {}", broker.properties().display()))?;
            brokers.push(broker);
        }
        let cluster = Self { brokers, paths, certificates, root, _ports: ports };
        if let Err(error) = cluster.come_up(&options.security).await {
            // The error shows the end of one log, and the cause may be in another.
            cluster.keep_logs_and_tell();
            return Err(error);
        }
        Ok(cluster)
    }

    async fn come_up(&self, security: &Security) -> Result<(), Error> {
        // Any 16 bytes in base64 will do: clusters never meet.
        let cluster_id = "cGFjdHVtLXRlc3RzLWs0Mg";
        let mut users = Vec::new();
        if let Security::SaslPassword { username, password } = security {
            users = vec!["--add-scram".into(), format!("SCRAM-SHA-512=[name={username},password={password}]")];
        }
        let mut formats = Vec::new();
        for broker in &self.brokers {
            formats.push((broker, broker.format(cluster_id, &users)?));
        }
        for (broker, process) in formats {
            broker.formatted(process).await?;
        }
        for broker in &self.brokers {
            broker.launch()?;
        }
        for broker in &self.brokers {
            broker.ready().await?;
        }
        // A broker serves as soon as it takes part; the others hear of it a little later, and topics are placed on those
        // heard of.
        self.whole(Duration::from_secs(30)).await
    }

    /// Waits until every broker sees every other and every partition has its leader and all its replicas in sync: what a
    /// careful operator waits for after one fault and before the next.
    ///
    /// # Errors
    /// It did not come to that in time; the message says what is missing.
    pub async fn whole(&self, within: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + within;
        for broker in &self.brokers {
            loop {
                let missing = match wire::metadata(broker.listeners.internal, Topics::All).await {
                    Ok(metadata) => self.missing(&metadata),
                    Err(error) => Some(error.to_string()),
                };
                let Some(missing) = missing else { break };
                if Instant::now() > deadline {
                    return Err(std::io::Error::new(ErrorKind::TimedOut, missing)).explain(|| {
                        format!("the cluster is not whole after {within:?}, as broker {} sees it", broker.id)
                    });
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }

    fn missing(&self, metadata: &Metadata) -> Option<String> {
        if metadata.brokers.len() < self.brokers.len() {
            return Some(format!("only brokers {:?} take part", metadata.brokers));
        }
        let behind =
            |partition: &&wire::Partition| partition.leader.is_none() || partition.in_sync < partition.replicas;
        metadata.partitions.iter().find(behind).map(|partition| format!("a replica is not in sync: {partition:?}"))
    }

    /// Where clients start: `127.0.0.1:p1,127.0.0.1:p2`, all brokers.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        let addresses: Vec<String> = self.brokers.iter().map(|broker| format!("127.0.0.1:{}", broker.port())).collect();
        addresses.join(",")
    }

    /// The broker at `index`, from 0; its id is one more.
    ///
    /// # Panics
    /// If there are not so many.
    #[must_use]
    pub fn broker(&self, index: usize) -> &Broker {
        &self.brokers[index]
    }

    /// A way to the brokers that can be cut, of [`Options::network_paths`].
    ///
    /// # Panics
    /// If the options did not ask for so many.
    #[must_use]
    pub fn path(&self, index: usize) -> &NetworkPath {
        &self.paths[index]
    }

    /// What clients need to know about brokers that demand TLS; `None` if these do not.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// All brokers.
    #[must_use]
    pub fn brokers(&self) -> &[Broker] {
        &self.brokers
    }

    /// The index of the broker that leads a partition, by the first broker that answers. `None` if nobody leads it now, or
    /// there is no such partition.
    ///
    /// # Errors
    /// No broker answers.
    pub async fn leader(&self, topic: &str, partition: u32) -> Result<Option<usize>, Error> {
        let seen = self.ask(Topics::One(topic)).await?;
        let wanted = i32::try_from(partition).ok();
        let found = seen.partitions.iter().find(|found| Some(found.id) == wanted);
        Ok(found.and_then(|found| found.leader).and_then(index_of))
    }

    /// The index of the active controller, by the first broker that answers. `None` while one is being elected.
    ///
    /// # Errors
    /// No broker answers.
    pub async fn controller(&self) -> Result<Option<usize>, Error> {
        let found = self.first_answer(async |port| wire::controller(port).await).await?;
        Ok(found.and_then(index_of))
    }

    /// The indices of the brokers that take part, by the first broker that answers.
    ///
    /// # Errors
    /// No broker answers.
    pub async fn members(&self) -> Result<Vec<usize>, Error> {
        let mut members: Vec<usize> = self.ask(Topics::None).await?.brokers.into_iter().filter_map(index_of).collect();
        members.sort_unstable();
        Ok(members)
    }

    async fn ask(&self, topics: Topics<'_>) -> Result<Metadata, Error> {
        self.first_answer(async |port| wire::metadata(port, topics).await).await
    }

    async fn first_answer<T>(&self, ask: impl AsyncFn(u16) -> std::io::Result<T>) -> Result<T, Error> {
        let mut last = std::io::Error::from(ErrorKind::NotConnected);
        for broker in self.brokers.iter().filter(|broker| broker.pid().is_ok()) {
            match ask(broker.listeners.internal).await {
                Ok(answer) => return Ok(answer),
                Err(error) => last = error,
            }
        }
        Err(last).explain(|| "no broker of the cluster answers: are all killed or paused?".into())
    }

    /// The version of Kafka that `scripts/setup test` installs.
    #[must_use]
    pub fn version() -> &'static str {
        pinned_version()
    }

    /// Copies the brokers' logs and settings to a directory that stays, and returns it.
    ///
    /// # Errors
    /// They could not be copied.
    pub fn keep_logs(&self) -> Result<PathBuf, Error> {
        let name = self.root.file_name().unwrap_or(self.root.as_os_str());
        let all = std::env::temp_dir().join("pactum-kafka-logs");
        prune(&all);
        let kept = all.join(name);
        self.copy_logs(&kept).explain(|| format!("cannot copy the brokers' logs to {}", kept.display()))?;
        Ok(kept)
    }

    fn copy_logs(&self, kept: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(kept)?;
        self.brokers.iter().try_for_each(|broker| broker.keep_logs(kept))
    }

    /// Copies the logs and says where they are.
    #[expect(clippy::print_stderr, reason = "whoever reads the output of a failed test has to find the logs")]
    pub(crate) fn keep_logs_and_tell(&self) {
        match self.keep_logs() {
            Ok(kept) => eprintln!("logs of the Kafka brokers: {}", kept.display()),
            Err(error) => eprintln!("the logs of the Kafka brokers are lost: {error}"),
        }
    }
}

/// Makes room for the logs of one more cluster, so that failures do not fill the disk over the months.
fn prune(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let aged = |entry: std::fs::DirEntry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()));
    let mut kept: Vec<_> = entries.flatten().filter_map(aged).collect();
    kept.sort_unstable();
    for (_, oldest) in kept.iter().take(kept.len().saturating_sub(KEPT - 1)) {
        // One that cannot be removed is not ours.
        let _ = std::fs::remove_dir_all(oldest);
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        let wanted = std::env::var_os("PACTUM_KEEP_LOGS").is_some_and(|value| !value.is_empty() && value != "0");
        if wanted || std::thread::panicking() {
            self.keep_logs_and_tell();
        }
    }
}

fn index_of(id: i32) -> Option<usize> {
    usize::try_from(id).ok()?.checked_sub(1)
}
