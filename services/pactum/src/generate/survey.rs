//! What is in the log already.

use std::collections::BTreeMap;
use std::sync::Arc;

use pactum_domain::time::Timestamp;
use pactum_events::{decode, program_of};
use pactum_ids::ProgramId;
use pactum_journal::{Follower, Position};
use pactum_log::{Log, Partition};

use super::error::GenerateError;

/// Entries read at once.
const BATCH: usize = 4096;

/// Reads the partitions to their ends, and gives how far that is; refuses where one of the programs is there.
pub(super) async fn look(
    log: &Arc<dyn Log>,
    place: &str,
    programs: &[ProgramId],
) -> Result<Vec<Position>, GenerateError> {
    let mut found: BTreeMap<&str, (u64, Timestamp)> = BTreeMap::new();
    let mut positions = Vec::new();
    for partition in 0..log.partitions() {
        positions.push(read(log, place, partition, programs, &mut found).await?);
    }
    match programs.iter().find_map(|program| Some((program, found.get(program.as_str())?))) {
        Some((program, &(events, last))) => {
            Err(GenerateError::Exists { program: program.clone(), place: place.to_owned(), events, last })
        }
        None => Ok(positions),
    }
}

async fn read<'a>(
    log: &Arc<dyn Log>,
    place: &str,
    partition: Partition,
    programs: &'a [ProgramId],
    found: &mut BTreeMap<&'a str, (u64, Timestamp)>,
) -> Result<Position, GenerateError> {
    let failed = |source| GenerateError::Read { place: place.to_owned(), source };
    let end = log.end(partition).await;
    let end = end.map_err(|source| GenerateError::End { place: place.to_owned(), partition, source })?;
    let mut follower = Follower::open(Arc::clone(log), partition, Position::default()).await.map_err(failed)?;
    while follower.position().offset < end {
        for valid in follower.next(BATCH).await.map_err(failed)?.records {
            let failed =
                |source| GenerateError::Record { place: place.to_owned(), partition, offset: valid.offset, source };
            let name = program_of(&valid.body).map_err(failed)?;
            if let Some(program) = programs.iter().find(|program| program.as_str() == name) {
                let record = decode(&valid.body).map_err(failed)?;
                let seen = found.entry(program.as_str()).or_insert((0, record.recorded_at));
                *seen = (seen.0 + record.events.len() as u64, record.recorded_at);
            }
        }
    }
    Ok(follower.position().clone())
}
