//! Balance: which partitions this instance should own, and who else there is.
//!
//! A consumer group that consumes nothing: the brokers spread the topic's partitions over its members, and notice when one
//! is gone. What it says may be late or wrong at any time; nothing rests on it but progress.

use super::client::Client;
use super::context::Context;
use super::members::{Members, client_id};
use super::{KafkaError, KafkaOptions, measures, properties};
use crate::Partition;
use crate::sync::lock;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext};
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

const POLL: Duration = Duration::from_millis(50);
/// How long leaving may take. Whoever cannot leave in that time is missed after the session's timeout.
const LEAVE: Duration = Duration::from_secs(5);

/// Another instance, or this one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Where it is reached, as it gave it when it joined.
    pub address: String,
}

/// A membership in a group. Dropping it leaves the group without waiting for it.
#[derive(Debug)]
pub struct Group {
    assigned: watch::Receiver<BTreeSet<Partition>>,
    members: watch::Receiver<Vec<Member>>,
    /// Dropped to stop the threads.
    stop: Mutex<Option<(SyncSender<()>, SyncSender<()>)>>,
    left: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Group {
    /// Joins `group` on the log's topic, as the instance that is reached at `address`. Returns at once; it joins, and joins
    /// again whenever that is needed, in the background.
    pub fn join(options: &KafkaOptions, group: &str, address: &str) -> Result<Self, KafkaError> {
        options.validate()?;
        if group.is_empty() || group.contains(char::is_control) {
            return Err(KafkaError::InvalidOption { option: "group", expected: "a name" });
        }
        let client = Client::new(options)?;
        let (assigned_in, assigned) = watch::channel(BTreeSet::new());
        let (listed, members) = watch::channel(Vec::new());
        let config = properties::member(options, group, &client_id(&options.client_id, address))?;
        let context = Balance { inner: Context::new(options, client.troubles.clone()), assigned: assigned_in };
        let consumer: BaseConsumer<Balance> = config.create_with_context(context)?;
        consumer.subscribe(&[&options.topic])?;
        let (stop_members, members_stopped) = sync_channel(0);
        Members { client, group: group.to_owned(), listed }.start(options, members_stopped)?;
        let (stop, stopped) = sync_channel(0);
        let (left_in, left) = oneshot::channel();
        let thread = std::thread::Builder::new().name("kafka-group".into());
        let run = move || {
            serve(consumer, &stopped);
            // Nobody may be waiting.
            let _ = left_in.send(());
        };
        thread.spawn(run).map_err(|error| KafkaError::Client { reason: format!("start a thread: {error}") })?;
        Ok(Self { assigned, members, stop: Mutex::new(Some((stop, stop_members))), left: Mutex::new(Some(left)) })
    }

    /// The partitions that this instance should own.
    #[must_use]
    pub fn assigned(&self) -> watch::Receiver<BTreeSet<Partition>> {
        self.assigned.clone()
    }

    /// All members, this one among them, as last listed; about a second old, older while a broker is down.
    #[must_use]
    pub fn members(&self) -> watch::Receiver<Vec<Member>> {
        self.members.clone()
    }

    /// Leaves the group, so that the others get this instance's partitions at once. Returns when the brokers were told, or
    /// cannot be told for now.
    pub async fn leave(&self) {
        drop(lock(&self.stop).take());
        let left = lock(&self.left).take();
        if let Some(left) = left
            && tokio::time::timeout(LEAVE, left).await.is_err()
        {
            tracing::warn!("the group was not left in time; its other members notice after its session's timeout");
        }
    }
}

/// Takes part until told to stop, then leaves.
fn serve(consumer: BaseConsumer<Balance>, stop: &Receiver<()>) {
    while stop.try_recv() == Err(TryRecvError::Empty) {
        // Nothing is fetched; what is served here is errors and changes of the assignment.
        drop(consumer.poll(POLL));
    }
    let assigned = consumer.context().assigned.clone();
    drop(consumer);
    publish(&assigned, BTreeSet::clear);
}

fn publish(assigned: &watch::Sender<BTreeSet<Partition>>, change: impl FnOnce(&mut BTreeSet<Partition>)) {
    assigned.send_if_modified(|partitions| {
        let before = partitions.clone();
        change(partitions);
        measures::assigned(partitions.len());
        *partitions != before
    });
}

/// Takes assignments in without reading anything.
struct Balance {
    inner: Context,
    assigned: watch::Sender<BTreeSet<Partition>>,
}

impl Balance {
    fn assign(
        consumer: &BaseConsumer<Self>,
        partitions: &mut TopicPartitionList,
    ) -> Result<(), rdkafka::error::KafkaError> {
        partitions.set_all_offsets(Offset::End)?;
        consumer.incremental_assign(partitions)?;
        consumer.pause(partitions)?;
        // A group without a committed offset is forgotten when it is empty, and its members start over.
        partitions.set_all_offsets(Offset::Offset(0))?;
        consumer.commit(partitions, CommitMode::Async)
    }
}

impl ConsumerContext for Balance {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let numbers: Vec<Partition> =
            partitions.elements().iter().filter_map(|element| u32::try_from(element.partition()).ok()).collect();
        let is_assigned = event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let result =
            if is_assigned { Self::assign(consumer, partitions) } else { consumer.incremental_unassign(partitions) };
        if let Err(error) = result {
            tracing::warn!(%error, is_assigned, "the group's assignment could not be taken in whole");
        }
        tracing::info!(partitions = ?numbers, is_assigned, "the group's assignment changed");
        publish(&self.assigned, |assigned| {
            for number in numbers {
                if is_assigned {
                    assigned.insert(number)
                } else {
                    assigned.remove(&number)
                };
            }
        });
    }
}

impl ClientContext for Balance {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.inner.log(level, facility, message);
    }

    fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
        self.inner.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.inner.stats(statistics);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.inner.generate_oauth_token(config)
    }
}
