//! Whether the owner of a partition is still there: its health service is watched, which says so at once when it stops
//! cleanly, breaks when the process dies, and goes silent when it is stalled.

use std::time::Duration;

use pactum_log::Partition;
use tokio::time::Instant;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Detection;
use super::health::service_name;
use super::pool::{Pool, Purpose};

/// Between two attempts to reach an owner.
const PAUSE: Duration = Duration::from_millis(50);

/// How an owner was found to be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// It said so itself.
    Announced,
    /// Its connection broke or was refused, and it did not come back.
    Broken,
    /// It never said that it decides on the partition.
    Silent,
    /// Nobody holds the claim in force, or a former run of this instance does.
    Nobody,
}

impl Gone {
    /// As a metric's label has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Broken => "broken",
            Self::Silent => "silent",
            Self::Nobody => "nobody",
        }
    }
}

/// How one look at an owner ended.
enum Look {
    /// It decided on the partition and said that it does so no more.
    Stopped,
    /// The connection broke, or was none. Whether it was seen serving before.
    Broke { served: bool },
}

/// Watches an owner until it is gone.
pub(crate) async fn gone(pool: &Pool, address: &str, partition: Partition, detection: &Detection) -> Gone {
    let mut until = Instant::now() + detection.silence;
    let mut broke = false;
    loop {
        match look(pool, address, partition, until).await {
            None => return if broke { Gone::Broken } else { Gone::Silent },
            Some(Look::Stopped) => return Gone::Announced,
            Some(Look::Broke { served }) => {
                let patience = Instant::now() + detection.broken;
                // The first time only: an owner that refuses every connection must not be waited for again each time.
                if served {
                    until = patience;
                } else if !broke {
                    until = until.min(patience);
                }
                broke = true;
            }
        }
        tokio::time::sleep_until((Instant::now() + PAUSE).min(until)).await;
    }
}

/// One connection's worth of watching; `None` where the owner does not say that it serves by `until`.
async fn look(pool: &Pool, address: &str, partition: Partition, until: Instant) -> Option<Look> {
    let mut served = false;
    let broke = |served| Some(Look::Broke { served });
    let Ok(channel) = pool.channel(address, Purpose::Probe) else { return broke(false) };
    let request = HealthCheckRequest { service: service_name(partition) };
    let mut client = HealthClient::new(channel);
    let mut states = match tokio::time::timeout_at(until, client.watch(request)).await.ok()? {
        Ok(states) => states.into_inner(),
        Err(_) => return broke(served),
    };
    loop {
        let state = if served {
            states.message().await
        } else {
            tokio::time::timeout_at(until, states.message()).await.ok()?
        };
        match state {
            Ok(Some(state)) if state.status() == ServingStatus::Serving => served = true,
            Ok(Some(_)) if served => return Some(Look::Stopped),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return broke(served),
        }
    }
}
