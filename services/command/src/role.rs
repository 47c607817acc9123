//! The command role of a process: a journal for each partition, and the services in front of them.

use std::sync::Arc;

use pactum_journal::{Handle, JournalOptions, Role, Status};
use pactum_log::{Log, Partition};
use pactum_runtime::health::Condition;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use crate::edge::Edge;
use crate::machine::ProgramsMachine;
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
        let spawn = |partition| {
            let (log, machine) = (Arc::clone(&log), ProgramsMachine::default());
            pactum_journal::spawn(log, partition, machine, options.journal.clone(), shutdown.clone())
        };
        let (handles, journals): (Vec<Handle<ProgramsMachine>>, Vec<_>) = (0..log.partitions()).map(spawn).unzip();
        let partitions = handles.iter().map(Handle::status).collect();
        Self { edge: Edge::new(handles, shutdown.clone()), partitions, journals, options }
    }

    /// Adds the write side's gRPC services.
    pub fn add_services(&self, routes: &mut RoutesBuilder) {
        services::add(&self.edge, &self.options, routes);
    }

    /// The state of each partition's journal, by its number.
    #[must_use]
    pub fn status(&self) -> CommandStatus {
        CommandStatus { partitions: self.partitions.clone() }
    }

    /// Waits until every journal has stopped, which begins with the token, and gives the machines back as of then.
    ///
    /// # Errors
    /// [`JournalPanicked`] where one did not come to its end.
    pub async fn stopped(self) -> Result<Vec<ProgramsMachine>, JournalPanicked> {
        let mut machines = Vec::with_capacity(self.journals.len());
        for (journal, partition) in self.journals.into_iter().zip(0..) {
            machines.push(journal.await.map_err(|_| JournalPanicked { partition })?);
        }
        Ok(machines)
    }
}

/// How the partitions' journals are doing, now and from now on. Cheap to clone; stays true after the role has stopped.
#[derive(Clone, Debug)]
pub struct CommandStatus {
    partitions: Vec<watch::Receiver<Status>>,
}

impl CommandStatus {
    /// Each partition's journal as it is now, by its number.
    #[must_use]
    pub fn partitions(&self) -> Vec<Status> {
        self.partitions.iter().map(|status| status.borrow().clone()).collect()
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
            if let Some(error) = &status.log_error {
                return Condition::Failed(format!("partition {partition}: {}", chain(error)));
            }
            let waits_for = match status.role {
                Role::Owner => continue,
                Role::CatchingUp => format!("reading the log, {} of {}", status.offset, status.end),
                Role::Standby => "another instance owns it".to_owned(),
                Role::Claiming => "claiming it".to_owned(),
                Role::Failed | Role::Stopped => return Condition::Failed(format!("partition {partition} has stopped")),
            };
            starting.get_or_insert_with(|| format!("partition {partition}: {waits_for}"));
        }
        starting.map_or(Condition::Ready, Condition::Starting)
    }

    /// Waits until every partition is owned. Returns early, and false, once one has stopped.
    pub async fn ready(&self) -> bool {
        for mut partition in self.partitions.clone() {
            let settled = partition
                .wait_for(|status| matches!(status.role, Role::Owner | Role::Failed | Role::Stopped))
                .await
                .is_ok_and(|status| status.role == Role::Owner);
            if !settled {
                return false;
            }
        }
        true
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
