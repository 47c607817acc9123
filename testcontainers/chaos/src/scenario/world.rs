//! The processes and brokers of a run, and what can be done to them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use futures::future::try_join_all;
use pactum_journal::{Entry, Position};
use pactum_log::Log;
use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions};
use pactum_log::kafka::{KafkaLog, KafkaOptions};
use pactum_runtime::token::TokenKey;
use pactum_testcontainers::{Kafka, Options, Proxy};

use super::step::{Action, Cluster, Target};
use crate::process::{Plan, Process};

/// How long anything may take to come up or to end.
const PATIENCE: Duration = Duration::from_secs(90);

/// Partitions of the log.
pub(super) const PARTITIONS: u32 = 4;

const BROKERS: u32 = 3;

/// What a step is about, once it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Serve,
    Command(usize),
    Projector(usize),
    Broker(usize),
    /// Between a command process and the brokers.
    ToBrokers(usize),
    /// Between the other command processes and this one.
    ToPeer(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serve => f.write_str("serve"),
            Self::Command(index) => write!(f, "command {index}"),
            Self::Projector(index) => write!(f, "projector {index}"),
            Self::Broker(index) => write!(f, "broker {}", index + 1),
            Self::ToBrokers(index) => write!(f, "the network between command {index} and the brokers"),
            Self::ToPeer(index) => write!(f, "the network between the others and command {index}"),
        }
    }
}

pub(super) struct World {
    directory: PathBuf,
    serve: Option<Process>,
    commands: Vec<Process>,
    projectors: Vec<Process>,
    brokers: Option<Brokers>,
    same: Option<Place>,
}

/// The cluster of brokers, and what leads to it and among its users.
struct Brokers {
    kafka: Kafka,
    topic: String,
    log: Arc<dyn Log>,
    /// How far each partition was read for its claims.
    positions: Vec<Position>,
    /// Where each command process is reached by the others, and the proxy there.
    peers: Vec<Proxy>,
}

impl World {
    /// Starts everything and waits until it is ready.
    pub(super) async fn start(cluster: Cluster, binary: &Path, directory: &Path) -> anyhow::Result<Self> {
        let mut world = Self {
            directory: directory.to_owned(),
            serve: None,
            commands: Vec::new(),
            projectors: Vec::new(),
            brokers: None,
            same: None,
        };
        match cluster {
            Cluster::Embedded => {
                let mut serve = world.prepare(binary, "serve", "serve")?;
                serve.set("PACTUM_LOG__PARTITIONS", PARTITIONS.to_string());
                world.serve = Some(serve);
            }
            Cluster::Kafka { commands, projectors, disk_mib } => {
                world.prepare_kafka(binary, commands, projectors, disk_mib).await?;
            }
        }
        world.start_all().await?;
        Ok(world)
    }

    fn prepare(&self, binary: &Path, name: &str, subcommand: &str) -> anyhow::Result<Process> {
        let plan = Plan {
            binary: binary.to_owned(),
            name: name.to_owned(),
            arguments: vec![subcommand.to_owned()],
            environment: vec![("PACTUM_TELEMETRY__FILTER".into(), "info".into())],
            data: self.directory.join(name),
            log: self.directory.join(format!("{name}.log")),
        };
        Process::prepare(plan)
    }

    async fn prepare_kafka(
        &mut self,
        binary: &Path,
        commands: usize,
        projectors: usize,
        disk_mib: Option<u32>,
    ) -> anyhow::Result<()> {
        let network_paths = u32::try_from(commands)?;
        let kafka = Kafka::start(Options { brokers: BROKERS, network_paths, disk_mib, ..Options::default() }).await?;
        let options = KafkaOptions { brokers: kafka.bootstrap(), topic: "chaos".into(), ..KafkaOptions::default() };
        self.ensure_topic(binary, &options).await?;
        let (topic, log) = (options.topic.clone(), KafkaLog::connect(options).await?);
        let mut peers = Vec::new();
        for index in 0..commands {
            let mut process = self.prepare(binary, &format!("command-{index}"), "command")?;
            let peer = Proxy::to(("127.0.0.1", process.grpc()))?;
            process.set("PACTUM_COMMAND__ADVERTISE", peer.address().to_string());
            self.on_kafka(&mut process, kafka.path(index).bootstrap(), &topic);
            peers.push(peer);
            self.commands.push(process);
        }
        for index in 0..projectors {
            let mut process = self.prepare(binary, &format!("projector-{index}"), "projector")?;
            self.on_kafka(&mut process, kafka.bootstrap(), &topic);
            self.projectors.push(process);
        }
        TokenKey::read_or_create(&self.key_file())?;
        let positions = vec![Position::default(); PARTITIONS as usize];
        self.brokers = Some(Brokers { kafka, topic, log: Arc::new(log), positions, peers });
        Ok(())
    }

    /// As an operator makes it.
    async fn ensure_topic(&self, binary: &Path, options: &KafkaOptions) -> anyhow::Result<()> {
        let mut making = tokio::process::Command::new(binary);
        making.args(["topics", "ensure", "--kafka-brokers", &options.brokers, "--kafka-topic", &options.topic]);
        making.args(["--partitions", &PARTITIONS.to_string(), "--replication-factor", &BROKERS.to_string()]);
        making.arg("--data").arg(self.directory.join("topics")).kill_on_drop(true);
        let ended = tokio::time::timeout(PATIENCE, making.output()).await.context("`pactum topics ensure` hangs")??;
        let said = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success(), "`pactum topics ensure` ended with {}: {said}", ended.status);
        Ok(())
    }

    fn on_kafka(&self, process: &mut Process, brokers: String, topic: &str) {
        process.set("PACTUM_LOG__KIND", "kafka");
        process.set("PACTUM_KAFKA__BROKERS", brokers);
        process.set("PACTUM_KAFKA__TOPIC", topic);
        process.set("PACTUM_TOKEN__KEY_FILE", self.key_file().display().to_string());
    }

    fn key_file(&self) -> PathBuf {
        let of = if self.serve.is_some() { self.directory.join("serve") } else { self.directory.clone() };
        TokenKey::path(&of)
    }

    /// The key that makes the load's tokens.
    pub(super) fn key(&self) -> anyhow::Result<TokenKey> {
        Ok(TokenKey::read(&self.key_file())?)
    }

    /// Where commands are taken, and where queries are answered.
    pub(super) fn endpoints(&self) -> (Vec<String>, Vec<String>) {
        let of = |processes: &[Process]| processes.iter().map(Process::endpoint).collect::<Vec<_>>();
        match &self.serve {
            Some(serve) => (vec![serve.endpoint()], vec![serve.endpoint()]),
            None => (of(&self.commands), of(&self.projectors)),
        }
    }

    fn processes(&mut self) -> impl Iterator<Item = &mut Process> {
        self.serve.iter_mut().chain(&mut self.commands).chain(&mut self.projectors)
    }

    /// Starts whatever is down and waits for it.
    pub(super) async fn start_all(&mut self) -> anyhow::Result<()> {
        if let Some(brokers) = &self.brokers {
            // Together: one alone finds no majority.
            let down = brokers.kafka.brokers().iter().filter(|broker| broker.pid().is_err());
            try_join_all(down.map(pactum_testcontainers::Broker::start)).await?;
        }
        for process in self.processes() {
            if !process.is_running() {
                process.start()?;
            }
        }
        for process in self.processes() {
            process.ready(PATIENCE).await?;
        }
        Ok(())
    }

    /// Waits until every broker is in sync.
    pub(super) async fn whole(&self) -> anyhow::Result<()> {
        match &self.brokers {
            Some(brokers) => Ok(brokers.kafka.whole(PATIENCE).await?),
            None => Ok(()),
        }
    }

    /// Does something to something, and says what that was.
    pub(super) async fn act(&mut self, action: Action, target: Target) -> anyhow::Result<String> {
        let place = self.find(target).await?;
        self.same = Some(place);
        match place {
            Place::Broker(index) => self.act_on_broker(action, index).await?,
            Place::ToBrokers(index) => {
                let path = self.brokers()?.kafka.path(index);
                match action {
                    Action::Cut => path.cut(),
                    Action::Heal => path.heal(),
                    _ => bail!("{action} {place} makes no sense"),
                }
            }
            Place::ToPeer(index) => {
                let peer = &self.brokers()?.peers[index];
                match action {
                    Action::Cut => peer.cut(),
                    Action::Heal => peer.heal(),
                    _ => bail!("{action} {place} makes no sense"),
                }
            }
            Place::Serve | Place::Command(_) | Place::Projector(_) => self.act_on_process(action, place).await?,
        }
        Ok(format!("{action} {place}"))
    }

    async fn act_on_process(&mut self, action: Action, place: Place) -> anyhow::Result<()> {
        let process = match place {
            Place::Command(index) => self.commands.get_mut(index),
            Place::Projector(index) => self.projectors.get_mut(index),
            _ => self.serve.as_mut(),
        };
        let process = process.with_context(|| format!("there is no {place} in this cluster"))?;
        match action {
            Action::Kill => process.kill(),
            Action::Terminate => process.terminate(PATIENCE).await,
            Action::Pause => process.pause(),
            Action::Resume => process.resume(),
            Action::Start => {
                process.start()?;
                process.ready(PATIENCE).await
            }
            Action::Cut | Action::Heal | Action::Fill | Action::Free => bail!("{action} {place} makes no sense"),
        }
    }

    async fn act_on_broker(&self, action: Action, index: usize) -> anyhow::Result<()> {
        let broker = self.brokers()?.kafka.broker(index);
        match action {
            Action::Kill => broker.kill().await?,
            Action::Terminate => broker.stop().await?,
            Action::Pause => broker.pause().await?,
            Action::Resume => broker.resume().await?,
            Action::Start => broker.start().await?,
            Action::Fill => broker.fill_disk().await?,
            Action::Free => broker.free_disk().await?,
            Action::Cut | Action::Heal => bail!("{action} a broker makes no sense"),
        }
        Ok(())
    }

    async fn find(&mut self, target: Target) -> anyhow::Result<Place> {
        Ok(match target {
            Target::Serve => Place::Serve,
            Target::Command(index) => Place::Command(index),
            Target::Projector(index) => Place::Projector(index),
            Target::Broker(index) => Place::Broker(index),
            Target::Same => self.same.context("the first step cannot be about the same as the one before")?,
            Target::Owner(partition) => Place::Command(self.owner(partition).await?),
            Target::OwnersBrokers(partition) => Place::ToBrokers(self.owner(partition).await?),
            Target::OwnersPeers(partition) => Place::ToPeer(self.owner(partition).await?),
            Target::Leader(partition) => {
                let brokers = self.brokers()?;
                let leader = brokers.kafka.leader(&brokers.topic, partition).await?;
                Place::Broker(leader.with_context(|| format!("no broker leads partition {partition} now"))?)
            }
        })
    }

    fn brokers(&self) -> anyhow::Result<&Brokers> {
        self.brokers.as_ref().context("this cluster has no brokers")
    }

    /// Which command process the claim in force names.
    async fn owner(&mut self, partition: u32) -> anyhow::Result<usize> {
        let brokers = self.brokers.as_mut().context("this cluster has no brokers")?;
        let position = &mut brokers.positions[partition as usize];
        let reading = async {
            let end = brokers.log.end(partition).await?;
            let mut reader = brokers.log.reader(partition, position.offset).await?;
            while position.offset < end {
                for found in reader.next(4096).await? {
                    position.observe(found.offset, &Entry::decode(&found.bytes)?);
                }
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .with_context(|| format!("partition {partition} cannot be read"))??;
        let owner = position.owner.as_deref().with_context(|| format!("nobody claimed partition {partition} yet"))?;
        let found = brokers.peers.iter().position(|peer| peer.address().to_string() == owner);
        found.with_context(|| format!("partition {partition} is owned by {owner}, which is none of ours"))
    }

    /// Ends the processes as an operator does, and opens the log.
    pub(super) async fn log(&mut self) -> anyhow::Result<Arc<dyn Log>> {
        for process in self.processes() {
            process.terminate(PATIENCE).await?;
        }
        if let Some(brokers) = &self.brokers {
            return Ok(Arc::clone(&brokers.log));
        }
        let path = self.directory.join("serve").join("log");
        let options = EmbeddedOptions { partitions: PARTITIONS, create: false, ..EmbeddedOptions::default() };
        let log = tokio::task::spawn_blocking(move || EmbeddedLog::open(path, options)).await?;
        Ok(Arc::new(log.context("the log cannot be opened after the run")?))
    }

    /// Copies the brokers' logs beside the processes', for whoever looks into a failure.
    pub(super) fn keep_logs(&self) -> Option<PathBuf> {
        self.brokers.as_ref().and_then(|brokers| brokers.kafka.keep_logs().ok())
    }
}
