//! The copying itself.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use pactum_events::partition_of;
use pactum_ids::ProgramId;
use pactum_journal::{BulkOptions, BulkWriter, Position};
use pactum_log::Partition;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::digest::{Digests, Tally};
use super::error::LogCopyError;
use super::location::Opened;
use super::partitions::each;
use super::progress::Progress;
use super::reading::Reading;
use super::survey::{self, Survey};

/// Batches that may wait for a target partition's writer.
const WAITING: usize = 2;
/// What all writers together may have on its way: within the queue of either log.
const WINDOW: usize = 32 * 1024;
const WINDOW_BYTES: usize = 16 * 1024 * 1024;
/// The least that one of them may have on its way, however many they are.
const LEAST_WINDOW: usize = 256;
const LEAST_WINDOW_BYTES: usize = 256 * 1024;

/// Bodies on their way to a writer, in order.
type Bodies = Vec<Bytes>;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    /// Records written and read back.
    pub(super) records: u64,
    /// Entries that the source got meanwhile.
    pub(super) source_grew_by: u64,
}

/// Copies what the source holds now and the target does not. Gives what the source holds, too.
pub(super) async fn copy(
    from: &Opened,
    to: &Opened,
    stop: &CancellationToken,
    progress: &Progress,
) -> Result<(Digests, Copied), LogCopyError> {
    let ends = survey::ends(from).await?;
    let ids = survey::ids(from, &ends).await?;
    let Some(&source) = ids.first() else { return Err(LogCopyError::Missing { place: from.to_string() }) };
    let survey = Survey::read(to, &ids, stop, progress).await?;
    let target = Target {
        opened: to.clone(),
        id: to.id().or(survey.id()).unwrap_or_else(rand::random),
        mark: survey::mark(source),
        progress: progress.clone(),
    };
    let there = Arc::new(survey.records);

    let mut writers = JoinSet::new();
    let mut senders = Vec::new();
    for (partition, position) in (0..).zip(survey.positions) {
        let (sender, bodies) = mpsc::channel(WAITING);
        senders.push(sender);
        writers.spawn(target.clone().write(partition, position, bodies));
    }
    let entries: u64 = ends.iter().sum();
    progress.begin("copying", entries.saturating_sub(there.values().sum()));
    let writing = async {
        let mut written = 0;
        while let Some(ended) = writers.join_next().await {
            written += ended.map_err(|_| LogCopyError::Panicked)??;
        }
        Ok(written)
    };
    let reading = async {
        // They go when all was read, and so the writers learn that this was all.
        let senders = senders;
        each(from.partitions(), |partition| {
            let (from, stop) = (from.clone(), stop.clone());
            let routes = Routes::new(senders.clone(), Arc::clone(&there));
            let end = ends[partition as usize];
            async move { send(Reading::open(&from, partition, end, &stop).await?, routes).await }
        })
        .await
    };
    let (read, records) = tokio::try_join!(reading, writing)?;
    if stop.is_cancelled() {
        return Err(LogCopyError::Interrupted { copied: records });
    }
    let mut digests = Digests::default();
    for (tallies, skipped) in read {
        digests.add(tallies, skipped);
    }
    let source_grew_by = survey::ends(from).await?.iter().zip(&ends).map(|(now, then)| now.saturating_sub(*then)).sum();
    Ok((digests, Copied { records, source_grew_by }))
}

/// Sends what a source partition holds and the target does not.
async fn send(mut reading: Reading, mut routes: Routes) -> Result<(HashMap<ProgramId, Tally>, u64), LogCopyError> {
    while let Some(records) = reading.next().await? {
        for record in records {
            routes.sort(record.program, record.index, record.body);
        }
        routes.send().await;
    }
    let skipped = reading.skipped();
    Ok((reading.into_tallies(), skipped))
}

/// Where each program's records go, and from which on.
struct Routes {
    writers: Vec<mpsc::Sender<Bodies>>,
    there: Arc<HashMap<ProgramId, u64>>,
    known: HashMap<ProgramId, (Partition, u64)>,
    sorted: Vec<Bodies>,
}

impl Routes {
    fn new(writers: Vec<mpsc::Sender<Bodies>>, there: Arc<HashMap<ProgramId, u64>>) -> Self {
        let sorted = vec![Vec::new(); writers.len()];
        Self { writers, there, known: HashMap::new(), sorted }
    }

    fn sort(&mut self, program: ProgramId, index: u64, body: Bytes) {
        let (partition, from) = match self.known.get(&program) {
            Some(known) => *known,
            None => {
                let partitions = u32::try_from(self.writers.len()).unwrap_or(u32::MAX);
                let from = self.there.get(&program).copied().unwrap_or(0);
                let known = (partition_of(&program, partitions), from);
                self.known.insert(program, known);
                known
            }
        };
        if index >= from {
            self.sorted[partition as usize].push(body);
        }
    }

    async fn send(&mut self) {
        for (writer, bodies) in self.writers.iter().zip(&mut self.sorted) {
            if !bodies.is_empty() && writer.send(std::mem::take(bodies)).await.is_err() {
                // The writer has failed, and its own error ends the copy.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What a target partition's writer needs to know.
#[derive(Clone)]
struct Target {
    opened: Opened,
    id: u128,
    mark: String,
    progress: Progress,
}

impl Target {
    /// Writes what comes until nothing more does, and gives how much was read back.
    async fn write(
        self,
        partition: Partition,
        position: Position,
        mut bodies: mpsc::Receiver<Bodies>,
    ) -> Result<u64, LogCopyError> {
        let failed = |source| LogCopyError::Write { place: self.opened.to_string(), source };
        let mut waiting = None;
        // A partition that no program belongs to gets its start all the same; one that has it is left alone.
        if position.term.is_some() {
            waiting = bodies.recv().await;
            if waiting.is_none() {
                return Ok(0);
            }
        }
        let mut writer = self.open(partition, position).await.map_err(failed)?;
        loop {
            let next = match waiting.take() {
                Some(next) => Some(next),
                None => bodies.recv().await,
            };
            let Some(next) = next else { break };
            let count = next.len() as u64;
            for body in next {
                writer.append(body).await.map_err(failed)?;
            }
            self.progress.add(count);
        }
        writer.flush().await.map_err(failed)?;
        Ok(writer.confirmed())
    }

    async fn open(&self, partition: Partition, position: Position) -> Result<BulkWriter, pactum_journal::BulkError> {
        let share = self.opened.partitions().max(1) as usize;
        let options = BulkOptions {
            owner: self.mark.clone(),
            log_id: position.genesis.map_or(self.id, |genesis| genesis.log_id),
            window: (WINDOW / share).max(LEAST_WINDOW),
            window_bytes: (WINDOW_BYTES / share).max(LEAST_WINDOW_BYTES),
            ..BulkOptions::default()
        };
        BulkWriter::open(self.opened.log(), partition, position, options).await
    }
}
