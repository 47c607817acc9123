//! What is in the target already, and what the source is: found out before anything is written.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use pactum_ids::ProgramId;
use pactum_journal::{Follower, Position};
use pactum_log::Offset;
use tokio_util::sync::CancellationToken;

use super::error::LogCopyError;
use super::location::Opened;
use super::partitions::each;
use super::progress::Progress;
use super::reading::Reading;

/// What the claims of a copy say, so that the next run knows its own: what the target is a copy of.
const MARK: &str = "copy of log ";

/// What a copy's claims say of their owner.
pub(super) fn mark(source: u128) -> String {
    format!("{MARK}{source:032x}")
}

fn copied_log(owner: &str) -> Option<u128> {
    u128::from_str_radix(owner.strip_prefix(MARK)?, 16).ok()
}

/// The ends of all partitions, now.
pub(super) async fn ends(opened: &Opened) -> Result<Vec<Offset>, LogCopyError> {
    let mut ends = Vec::new();
    for partition in 0..opened.partitions() {
        let end = opened.log().end(partition).await;
        ends.push(end.map_err(|source| LogCopyError::End { place: opened.to_string(), partition, source })?);
    }
    Ok(ends)
}

/// The ids that a log's partitions give it, that of the first one in front.
pub(super) async fn ids(opened: &Opened, ends: &[Offset]) -> Result<Vec<u128>, LogCopyError> {
    let mut ids = Vec::new();
    for (partition, &end) in (0..).zip(ends).filter(|(_, end)| **end > 0) {
        let failed = |source| LogCopyError::Read { place: opened.to_string(), source };
        let mut follower =
            Follower::open(Arc::clone(opened.log()), partition, Position::default()).await.map_err(failed)?;
        while follower.position().genesis.is_none() && follower.position().offset < end {
            follower.next(1).await.map_err(failed)?;
        }
        ids.extend(follower.position().genesis.map(|genesis| genesis.log_id).filter(|id| !ids.contains(id)));
    }
    Ok(ids)
}

/// What is in the target already.
#[derive(Debug)]
pub(super) struct Survey {
    /// By partition, how far it was read: to its end.
    pub(super) positions: Vec<Position>,
    /// How many of each program's records are there, from its first on.
    pub(super) records: HashMap<ProgramId, u64>,
}

impl Survey {
    /// Reads the target, which must be empty or a copy of the log that has `source` ids.
    pub(super) async fn read(
        to: &Opened,
        source: &[u128],
        stop: &CancellationToken,
        progress: &Progress,
    ) -> Result<Self, LogCopyError> {
        let ends = ends(to).await?;
        progress.begin("looking at the target", ends.iter().sum());
        let surveyed = each(to.partitions(), |partition| {
            let (to, stop, progress) = (to.clone(), stop.clone(), progress.clone());
            let end = ends[partition as usize];
            async move {
                let mut reading = Reading::open(&to, partition, end, &stop).await?;
                while let Some(records) = reading.next().await? {
                    progress.add(records.len() as u64);
                }
                let position = reading.position().clone();
                if position.offset > end {
                    return Err(LogCopyError::NotQuiet { place: to.to_string() });
                }
                Ok((position, reading.into_tallies()))
            }
        })
        .await?;
        if stop.is_cancelled() {
            return Err(LogCopyError::Interrupted { copied: 0 });
        }
        let mut survey = Self { positions: Vec::new(), records: HashMap::new() };
        for (position, tallies) in surveyed {
            survey.records.extend(tallies.into_iter().map(|(program, tally)| (program, tally.records)));
            survey.positions.push(position);
        }
        survey.check(to, source)?;
        Ok(survey)
    }

    fn check(&self, to: &Opened, source: &[u128]) -> Result<(), LogCopyError> {
        let place = || to.to_string();
        let ours: BTreeSet<_> = self.positions.iter().filter_map(|position| Some(position.genesis?.log_id)).collect();
        if source.iter().any(|id| ours.contains(id)) {
            return Err(LogCopyError::SameLog { place: place() });
        }
        // Whose claim is in force says all: a copy takes over only from none, or from a copy of the same log.
        for owner in self.positions.iter().filter_map(|position| position.owner.as_deref()) {
            match copied_log(owner) {
                Some(found) if source.contains(&found) => {}
                Some(found) => return Err(LogCopyError::OtherSource { place: place(), found }),
                None => return Err(LogCopyError::NotEmpty { place: place(), owner: owner.to_owned() }),
            }
        }
        Ok(())
    }

    /// The id of the target, if it has one.
    pub(super) fn id(&self) -> Option<u128> {
        self.positions.iter().find_map(|position| Some(position.genesis?.log_id))
    }
}
