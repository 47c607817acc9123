//! Telling the others which partitions this instance decides on, through the standard health service.

use pactum_journal::{Role, Status};
use pactum_log::Partition;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// The health service's name for a partition.
pub(crate) fn service_name(partition: Partition) -> String {
    format!("pactum.command.v1.Partition/{partition}")
}

/// Keeps a partition's health true: it serves while this instance is owner, its log works, and it means to stay. From the
/// announcement of a stop on it does not; after the `halt` those who watch are told that there is nothing more to watch.
pub(crate) async fn tell(
    partition: Partition,
    mut status: watch::Receiver<Status>,
    mut reporter: HealthReporter,
    announced: CancellationToken,
    halt: CancellationToken,
) {
    let name = service_name(partition);
    let mut told = false;
    reporter.set_service_status(&name, ServingStatus::NotServing).await;
    loop {
        let serves = decides(&status.borrow_and_update());
        if serves != told {
            told = serves;
            let state = if serves { ServingStatus::Serving } else { ServingStatus::NotServing };
            reporter.set_service_status(&name, state).await;
        }
        tokio::select! {
            biased;
            () = announced.cancelled() => break,
            changed = status.changed() => if changed.is_err() { break },
        }
    }
    reporter.set_service_status(&name, ServingStatus::NotServing).await;
    halt.cancelled().await;
    reporter.clear_service_status(&name).await;
}

/// Whether a journal decides, as far as it knows.
fn decides(status: &Status) -> bool {
    status.role == Role::Owner && status.told && status.log_error.is_none() && status.read_error.is_none()
}
