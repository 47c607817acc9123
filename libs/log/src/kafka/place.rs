//! What to do when the brokers do not have the offset that a reader asks for.

use super::ends::Ends;
use crate::{LogError, Offset, Partition};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a partition may seem to end before what was read from it. A new leader may be behind for a moment; longer than
/// this, and it is not coming back.
const PATIENCE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// Waits until `from` can be read from: it lies at the log's end or below. `was_read`: what lies below it was read from here
/// before, so the log must get there soon.
pub(super) async fn until_there(
    ends: &Arc<Ends>,
    partition: Partition,
    from: Offset,
    was_read: bool,
) -> Result<(), LogError> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let start = ends.start(partition).await?;
        if from < start {
            return Err(LogError::Corrupt(format!(
                "partition {partition} starts at {start}: the entries from {from} on were deleted by retention; set retention.ms \
                 and retention.bytes of the topic to -1, and restore what is missing from a copy of the log"
            )));
        }
        let end = ends.end(partition).await?;
        if from <= end {
            return Ok(());
        }
        if was_read && started.elapsed() >= PATIENCE {
            return Err(LogError::Corrupt(format!(
                "partition {partition} ends at {end}, and entries up to {from} were read from it: the brokers lost what they had \
                 acknowledged; look for an unclean leader election or a lost disk, and restore the log from a copy"
            )));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
