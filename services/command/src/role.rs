//! The command role of a process: a journal for each partition, and the services in front of them.

use std::sync::Arc;

use pactum_journal::{Handle, JournalOptions, Role, Status};
use pactum_log::{Log, Partition};
use pactum_runtime::config::is_address;
use pactum_runtime::health::Condition;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use crate::edge::Edge;
use crate::machine::ProgramsMachine;
use crate::peers::ownership::Ownership;
use crate::peers::pool::Pool;
use crate::peers::{Peers, handover, health};
use crate::route::{Away, Routes};
use crate::services;

/// How the role behaves.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// How each partition's journal behaves.
    pub journal: JournalOptions,
    /// The largest message taken.
    pub max_message_bytes: usize,
    /// How many requests of one bulk stream may wait for their answers.
    pub bulk_window: usize,
}

impl Default for CommandOptions {
    fn default() -> Self {
        Self { journal: JournalOptions::default(), max_message_bytes: 1024 * 1024, bulk_window: 1024 }
    }
}

/// The running role. It stops with the token given to [`CommandRole::start`].
#[derive(Debug)]
pub struct CommandRole {
    edge: Edge,
    partitions: Vec<watch::Receiver<Status>>,
    journals: Vec<JoinHandle<ProgramsMachine>>,
    options: CommandOptions,
    /// What tells the journals what to own, and the others how they do.
    among: JoinSet<()>,
    halt: CancellationToken,
}

/// A partition's journal ended in a panic: a bug.
#[derive(Debug, thiserror::Error)]
#[error("the journal of partition {partition} ended in a panic")]
pub struct JournalPanicked {
    /// Which partition.
    pub partition: Partition,
}

impl CommandRole {
    /// Starts a journal for every partition of the log; must be called within a Tokio runtime, after the metrics recorder
    /// is installed. Commands are refused until a partition has caught up and is owned: see [`CommandRole::status`].
    #[must_use]
    pub fn start(log: Arc<dyn Log>, options: CommandOptions, shutdown: &CancellationToken) -> Self {
        // Nobody is there to hand over to, so a stop halts at once.
        Self::spawn(log, options, None, shutdown.clone())
    }

    /// As [`CommandRole::start`], as one of several over the same log: the partitions are shared out, a command that is for
    /// another instance is sent on to it, and a stop hands over first. The role serves until [`CommandRole::halt`].
    ///
    /// `options.journal.owner` is the address at which the others reach this instance's services.
    #[must_use]
    pub fn start_among(
        log: Arc<dyn Log>,
        mut options: CommandOptions,
        peers: Peers,
        shutdown: &CancellationToken,
    ) -> Self {
        options.journal.own = false;
        let halt = CancellationToken::new();
        let pool = Arc::new(Pool::new(peers.detection));
        let mut role = Self::spawn(log, options, Some((&peers, &pool)), halt.clone());
        role.watch_over(&peers, &pool, shutdown);
        let (partitions, announced) = (role.partitions.clone(), shutdown.clone());
        let address = role.options.journal.owner.clone();
        role.among.spawn(async move {
            announced.cancelled().await;
            // Alone, nobody would come.
            let others = peers.members.borrow().iter().any(|member| *member != address);
            if others {
                handover::hand_over(&partitions, peers.detection.handover).await;
            }
            halt.cancel();
        });
        role
    }

    fn spawn(
        log: Arc<dyn Log>,
        options: CommandOptions,
        among: Option<(&Peers, &Arc<Pool>)>,
        halt: CancellationToken,
    ) -> Self {
        let spawn = |partition| {
            let (log, machine) = (Arc::clone(&log), ProgramsMachine::default());
            pactum_journal::spawn(log, partition, machine, options.journal.clone(), halt.clone())
        };
        let (handles, journals): (Vec<Handle<ProgramsMachine>>, Vec<_>) = (0..log.partitions()).map(spawn).unzip();
        let partitions: Vec<_> = handles.iter().map(Handle::status).collect();
        let away = among.map(|(peers, pool)| {
            Arc::new(Away::new(Routes {
                partitions: partitions.clone(),
                address: options.journal.owner.clone(),
                pool: Arc::clone(pool),
                max_message_bytes: options.max_message_bytes,
                away: peers.detection.away,
            }))
        });
        let edge = Edge::new(handles, away, halt.clone());
        Self { edge, partitions, journals, options, among: JoinSet::new(), halt }
    }

    /// Starts what decides which partitions to own, and what tells the others.
    fn watch_over(&mut self, peers: &Peers, pool: &Arc<Pool>, announced: &CancellationToken) {
        for (journal, partition) in self.edge.journals().iter().zip(0..) {
            let address = self.options.journal.owner.clone();
            let ownership = Ownership::new(partition, address, journal.clone(), peers, Arc::clone(pool));
            self.among.spawn(ownership.keep(announced.clone()));
            let (status, reporter) = (journal.status(), peers.health.clone());
            self.among.spawn(health::tell(partition, status, reporter, announced.clone(), self.halt.clone()));
        }
    }

    /// Adds the write side's gRPC services.
    pub fn add_services(&self, routes: &mut RoutesBuilder) {
        services::add(&self.edge, &self.options, routes);
    }

    /// Cancelled when this instance decides no more: until then its services must be served, from then on no new calls
    /// taken. With [`CommandRole::start`] that is the stop itself.
    #[must_use]
    pub fn halt(&self) -> CancellationToken {
        self.halt.clone()
    }

    /// The state of each partition's journal, by its number.
    #[must_use]
    pub fn status(&self) -> CommandStatus {
        let owner = (!self.options.journal.own).then(|| self.options.journal.owner.clone());
        CommandStatus { partitions: self.partitions.clone(), address: owner }
    }

    /// Waits until every journal has stopped, which begins with the token, and gives the machines back as of then.
    ///
    /// # Errors
    /// [`JournalPanicked`] where one did not come to its end.
    pub async fn stopped(mut self) -> Result<Vec<ProgramsMachine>, JournalPanicked> {
        let mut machines = Vec::with_capacity(self.journals.len());
        for (journal, partition) in self.journals.into_iter().zip(0..) {
            machines.push(journal.await.map_err(|_| JournalPanicked { partition })?);
        }
        while self.among.join_next().await.is_some() {}
        Ok(machines)
    }
}

/// How the partitions' journals are doing, now and from now on. Cheap to clone; stays true after the role has stopped.
#[derive(Clone, Debug)]
pub struct CommandStatus {
    partitions: Vec<watch::Receiver<Status>>,
    /// Where this instance is one of several: its address.
    address: Option<String>,
}

impl CommandStatus {
    /// Each partition's journal as it is now, by its number.
    #[must_use]
    pub fn partitions(&self) -> Vec<Status> {
        self.partitions.iter().map(|status| status.borrow().clone()).collect()
    }

    /// Follows one partition's journal.
    ///
    /// # Panics
    /// Where the log has no such partition.
    #[must_use]
    pub fn watch(&self, partition: Partition) -> watch::Receiver<Status> {
        self.partitions[partition as usize].clone()
    }

    /// All of them in one word, for probes.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let mut starting = None;
        for (watched, partition) in self.partitions.iter().zip(0_u32..) {
            let status = watched.borrow().clone();
            // A journal that ends says so first, unless it panicked.
            if watched.has_changed().is_err() && status.role != Role::Stopped {
                return Condition::Failed(format!("partition {partition} broke off; please report this with the log"));
            }
            if let Some(fault) = &status.fault {
                return Condition::Failed(format!("partition {partition}: {}", chain(fault)));
            }
            let elsewhere = self.owned_elsewhere(&status);
            // Where another decides, appends of this instance are not needed, only its reading.
            let log_error = status.log_error.as_ref().filter(|_| !elsewhere);
            if let Some(error) = log_error.or(status.read_error.as_ref()) {
                return Condition::Failed(format!("partition {partition}: {}", chain(error)));
            }
            let waits_for = match status.role {
                Role::Owner => continue,
                Role::Standby if elsewhere => continue,
                Role::CatchingUp => format!("reading the log, {} of {}", status.offset, status.end),
                Role::Standby => "no instance owns it yet".to_owned(),
                Role::Claiming => "claiming it".to_owned(),
                Role::Failed | Role::Stopped => return Condition::Failed(format!("partition {partition} has stopped")),
            };
            starting.get_or_insert_with(|| format!("partition {partition}: {waits_for}"));
        }
        starting.map_or(Condition::Ready, Condition::Starting)
    }

    /// Waits until every partition is owned, here or by another instance, and read up to now. Returns early, and false, once
    /// one has stopped.
    pub async fn ready(&self) -> bool {
        for mut partition in self.partitions.clone() {
            let over = |status: &Status| matches!(status.role, Role::Failed | Role::Stopped);
            let settled = partition
                .wait_for(|status| status.role == Role::Owner || self.owned_elsewhere(status) || over(status))
                .await
                .is_ok_and(|status| !over(&status));
            if !settled {
                return false;
            }
        }
        true
    }

    /// Whether another instance holds the claim in force, as read up to now.
    fn owned_elsewhere(&self, status: &Status) -> bool {
        let Some(address) = &self.address else { return false };
        status.role == Role::Standby && status.owner.as_ref().is_some_and(|owner| owner != address && is_address(owner))
    }
}

/// An error with its sources, as one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}
