//! A clean stop: say so, let others take the partitions while this instance goes on deciding, then halt.

use std::time::{Duration, Instant};

use pactum_journal::{Role, Status};
use tokio::sync::watch;

/// Waits until none of the partitions is owned here any more, at most so long. The stop was announced before.
pub(crate) async fn hand_over(partitions: &[watch::Receiver<Status>], patience: Duration) {
    let started = Instant::now();
    let owned = partitions.iter().filter(|status| status.borrow().role == Role::Owner).count();
    if owned == 0 {
        return;
    }
    let all = async {
        for status in partitions {
            // A journal that has ended owns nothing either.
            let _ = status.clone().wait_for(|status| status.role != Role::Owner).await;
        }
    };
    let complete = tokio::time::timeout(patience, all).await.is_ok();
    let took = started.elapsed();
    metrics::histogram!("pactum_command_handover_seconds").record(took);
    if complete {
        tracing::info!(partitions = owned, ?took, "others took over");
    } else {
        tracing::warn!(
            partitions = owned,
            ?took,
            "not all partitions were taken over; they will be when this process has ended"
        );
    }
}
