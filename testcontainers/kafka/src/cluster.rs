//! A running cluster.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::error::{Error, Explain as _};
use crate::launcher::{Launcher, pinned_version};
use crate::options::Options;
use crate::ports::Ports;
use crate::settings::{self, Listeners};
use crate::watcher::Watcher;
use crate::wire;

/// A cluster of real brokers. Dropped, it is gone with its files; its logs are kept if the test panics or `PACTUM_KEEP_LOGS`
/// is set, and the path is printed.
#[derive(Debug)]
pub struct Kafka {
    // Dropped in this order: the brokers end, then the watcher that they share cleans up, then others may have the ports.
    brokers: Vec<Broker>,
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
        for _ in 0..options.brokers {
            listeners.push(Listeners { controller: ports.next()?, internal: ports.next()?, client: ports.next()? });
        }
        let root = tempfile::Builder::new()
            .prefix("pactum-kafka-")
            .tempdir()
            .explain(|| format!("cannot create a directory in {}", std::env::temp_dir().display()))?
            // The watcher removes it, whatever happens to this process.
            .keep();
        let watcher = Arc::new(Watcher::over(&root)?);
        let mut brokers = Vec::new();
        for (id, own) in (1..).zip(&listeners) {
            let directory = root.join(format!("broker-{id}"));
            let data = directory.join("data");
            std::fs::create_dir_all(&data).explain(|| format!("cannot create {}", data.display()))?;
            let broker = Broker {
                id,
                listeners: own.clone(),
                directory,
                launcher: launcher.clone(),
                watcher: Arc::clone(&watcher),
                ready_within: options.ready_within,
                process: Mutex::new(None),
            };
            let properties = settings::render(&options, id, &listeners, &data);
            std::fs::write(broker.properties(), properties)
                .explain(|| format!("cannot write {}", broker.properties().display()))?;
            brokers.push(broker);
        }
        let cluster = Self { brokers, root, _ports: ports };
        cluster.come_up().await?;
        Ok(cluster)
    }

    async fn come_up(&self) -> Result<(), Error> {
        // Any 16 bytes in base64 will do: clusters never meet.
        let cluster_id = "cGFjdHVtLXRlc3RzLWs0Mg";
        for broker in &self.brokers {
            broker.format(cluster_id).await?;
        }
        for broker in &self.brokers {
            broker.launch()?;
        }
        for broker in &self.brokers {
            broker.ready().await?;
        }
        self.all_see_all().await
    }

    /// A broker serves as soon as it takes part; the others hear of it a little later, and topics are placed on those heard of.
    async fn all_see_all(&self) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_secs(30);
        for broker in &self.brokers {
            loop {
                let seen = wire::metadata(broker.listeners.internal, None).await;
                if seen.as_ref().is_ok_and(|metadata| metadata.brokers.len() == self.brokers.len()) {
                    break;
                }
                if Instant::now() > deadline {
                    return Err(seen.err().unwrap_or_else(|| ErrorKind::TimedOut.into()))
                        .explain(|| format!("broker {} does not see all the others", broker.id));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
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
        let mut last = std::io::Error::from(ErrorKind::NotConnected);
        for broker in &self.brokers {
            if broker.pid().is_err() {
                continue;
            }
            match wire::metadata(broker.listeners.internal, Some(topic)).await {
                Ok(metadata) => return Ok(leader_index(&metadata, partition)),
                Err(error) => last = error,
            }
        }
        Err(last).explain(|| format!("no broker says who leads partition {partition} of {topic}"))
    }

    /// The index of the active controller.
    ///
    /// # Errors
    /// No broker answers, or none is known as the controller.
    pub async fn controller(&self) -> Result<usize, Error> {
        let mut last = std::io::Error::from(ErrorKind::NotConnected);
        for broker in &self.brokers {
            match wire::metadata(broker.listeners.internal, None).await {
                Ok(metadata) => {
                    if let Some(index) = metadata.controller.and_then(index_of) {
                        return Ok(index);
                    }
                }
                Err(error) => last = error,
            }
        }
        Err(last).explain(|| "no broker knows the active controller".into())
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
        let kept = std::env::temp_dir().join("pactum-kafka-logs").join(name);
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

fn leader_index(metadata: &wire::Metadata, partition: u32) -> Option<usize> {
    let wanted = i32::try_from(partition).ok()?;
    metadata.leaders.iter().find(|(found, _)| *found == wanted).and_then(|(_, leader)| leader.and_then(index_of))
}
