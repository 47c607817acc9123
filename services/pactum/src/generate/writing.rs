//! From the rules into the log.
//!
//! ```text
//! a thread that decides ──► by partition, in batches ──► a bulk writer a partition ──► read back
//!   simulated time            (bounded)                    count, claim, number, append
//! ```

use std::sync::Arc;

use bytes::Bytes;
use pactum_ids::ProgramId;
use pactum_journal::{BulkOptions, BulkWriter, Position};
use pactum_log::{Log, Partition};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::crowd::Crowd;
use super::error::GenerateError;
use super::progress::Progress;
use super::size::Size;
use super::survey;
use super::tally::Tally;

/// What claims say of who wrote.
const OWNER: &str = "pactum generate";
/// Records handed over at once, and how many such batches may wait for a writer.
const BATCH: usize = 512;
const WAITING: usize = 4;

/// A log to write to.
pub(crate) struct Target<'a> {
    pub(crate) log: &'a Arc<dyn Log>,
    /// The id it has by itself, if it has one.
    pub(crate) id: Option<u128>,
    /// What it is called.
    pub(crate) place: &'a str,
}

/// What was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Written {
    pub(super) tally: Tally,
    pub(super) refused: u64,
}

impl Written {
    /// How many events.
    pub(crate) fn events(&self) -> u64 {
        self.tally.events
    }
}

/// Makes the programs and writes them, each record once, read back.
pub(crate) async fn write(
    target: Target<'_>,
    programs: Vec<(ProgramId, Size)>,
    stop: &CancellationToken,
    progress: &Progress,
) -> Result<Written, GenerateError> {
    let partitions = target.log.partitions();
    let names: Vec<ProgramId> = programs.iter().map(|(program, _)| program.clone()).collect();
    let positions = survey::look(target.log, target.place, &names).await?;
    let known = positions.iter().find_map(|position| Some(position.genesis.as_ref()?.log_id));
    let log_id = target.id.or(known).unwrap_or_else(rand::random);
    let crowd = Crowd::new(&programs, partitions);

    let mut writers = JoinSet::new();
    let mut senders = Vec::new();
    for (partition, position) in (0..).zip(positions) {
        // A partition that no program lies in gets its start all the same, so that all have the log's one id.
        if !crowd.lies_in(partition) && position.genesis.is_some() {
            senders.push(None);
            continue;
        }
        let (sender, batches) = mpsc::channel(WAITING);
        senders.push(Some(sender));
        let writing = Writing {
            log: Arc::clone(target.log),
            place: target.place.to_owned(),
            partition,
            log_id,
            progress: progress.clone(),
        };
        writers.spawn(writing.run(position, batches));
    }
    let halt = stop.child_token();
    let deciding = halt.clone();
    let decided = tokio::task::spawn_blocking(move || decide(crowd, &senders, &deciding));

    let (mut written, mut failed) = (Written::default(), None);
    while let Some(ended) = writers.join_next().await {
        match ended.unwrap_or(Err(GenerateError::Panicked)) {
            Ok(tally) => written.tally.merge(&tally),
            Err(error) => {
                failed.get_or_insert(error);
                halt.cancel();
            }
        }
    }
    written.refused = decided.await.unwrap_or(Err(GenerateError::Panicked))?;
    if let Some(error) = failed {
        return Err(error);
    }
    if stop.is_cancelled() {
        return Err(GenerateError::Interrupted { records: written.tally.records, place: target.place.to_owned() });
    }
    Ok(written)
}

/// Lets everything happen, and hands the records over. Gives what was refused on the way.
fn decide(
    mut crowd: Crowd,
    senders: &[Option<mpsc::Sender<Vec<Bytes>>>],
    halt: &CancellationToken,
) -> Result<u64, GenerateError> {
    let mut out = Vec::new();
    let mut batches: Vec<Vec<Bytes>> = senders.iter().map(|_| Vec::new()).collect();
    let send = |partition: usize, batch: &mut Vec<Bytes>| {
        let batch = std::mem::replace(batch, Vec::with_capacity(BATCH));
        // A writer that is gone has failed, and says so itself.
        let sent = senders[partition].as_ref().is_none_or(|sender| sender.blocking_send(batch).is_ok());
        sent && !halt.is_cancelled()
    };
    while let Some(partition) = crowd.step(&mut out)? {
        let batch = &mut batches[partition as usize];
        batch.append(&mut out);
        if batch.len() >= BATCH && !send(partition as usize, batch) {
            return Ok(crowd.refused());
        }
    }
    for (partition, batch) in batches.iter_mut().enumerate().filter(|(_, batch)| !batch.is_empty()) {
        send(partition, batch);
    }
    Ok(crowd.refused())
}

/// One partition's part.
struct Writing {
    log: Arc<dyn Log>,
    place: String,
    partition: Partition,
    log_id: u128,
    progress: Progress,
}

impl Writing {
    async fn run(self, position: Position, mut batches: mpsc::Receiver<Vec<Bytes>>) -> Result<Tally, GenerateError> {
        let failed = |source| GenerateError::Write { place: self.place.clone(), source };
        let log_id = position.genesis.as_ref().map_or(self.log_id, |genesis| genesis.log_id);
        let options = BulkOptions { owner: OWNER.to_owned(), log_id, ..BulkOptions::default() };
        let mut writer = BulkWriter::open(&self.log, self.partition, position, options).await.map_err(failed)?;
        let mut tally = Tally::default();
        while let Some(batch) = batches.recv().await {
            let before = tally.events;
            for body in batch {
                tally.add(&body).map_err(GenerateError::Made)?;
                writer.append(body).await.map_err(failed)?;
            }
            self.progress.add(tally.events - before);
        }
        writer.flush().await.map_err(failed)?;
        Ok(tally)
    }
}
