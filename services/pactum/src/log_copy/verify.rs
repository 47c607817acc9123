//! Reading a log whole, and comparing it with another.

use tokio_util::sync::CancellationToken;

use super::digest::Digests;
use super::error::LogCopyError;
use super::location::Opened;
use super::partitions::each;
use super::progress::Progress;
use super::reading::Reading;
use super::survey::ends;

/// Differences that are told; there may be one for each program.
const TOLD: usize = 5;

/// Reads a log to its end.
pub(super) async fn digests(
    opened: &Opened,
    stop: &CancellationToken,
    progress: &Progress,
    doing: &'static str,
) -> Result<Digests, LogCopyError> {
    let ends = ends(opened).await?;
    progress.begin(doing, ends.iter().sum());
    let read = each(opened.partitions(), |partition| {
        let (opened, stop, progress) = (opened.clone(), stop.clone(), progress.clone());
        let end = ends[partition as usize];
        async move {
            let mut reading = Reading::open(&opened, partition, end, &stop).await?;
            while let Some(records) = reading.next().await? {
                progress.add(records.len() as u64);
            }
            let skipped = reading.skipped();
            Ok((reading.into_tallies(), skipped))
        }
    })
    .await?;
    if stop.is_cancelled() {
        return Err(LogCopyError::Interrupted { copied: 0 });
    }
    let mut digests = Digests::default();
    for (tallies, skipped) in read {
        digests.add(tallies, skipped);
    }
    Ok(digests)
}

/// Whether the target holds what the source holds.
pub(super) fn compare(source: &Digests, target: &Digests, to: &Opened) -> Result<(), LogCopyError> {
    let found = source.differences(target);
    if found.is_empty() {
        return Ok(());
    }
    let mut differences = found[..found.len().min(TOLD)].join("; ");
    if found.len() > TOLD {
        differences += &format!("; and {} more", found.len() - TOLD);
    }
    Err(LogCopyError::Differs { place: to.to_string(), differences })
}
