//! The other instances of the command role, from Kafka's consumer group: who there is, and who should own what.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use pactum_command::{Detection, Peers};
use pactum_log::kafka::{Group, KafkaError};
use pactum_runtime::config::{Ownership, Settings};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic_health::server::HealthReporter;

/// Nobody else could connect.
#[derive(Debug, thiserror::Error)]
#[error(
    "grpc.listen is {0}, every address of this machine, so the other instances do not know where this one is; set \
     command.advertise to HOST:PORT as they reach it"
)]
pub(super) struct NowhereToBeReached(SocketAddr);

/// Where the other instances reach this one.
pub(super) fn address(settings: &Settings, listening: SocketAddr) -> Result<String, NowhereToBeReached> {
    match &settings.command.advertise {
        Some(address) => Ok(address.clone()),
        None if listening.ip().is_unspecified() => Err(NowhereToBeReached(listening)),
        None => Ok(listening.to_string()),
    }
}

/// A membership in the group.
pub(super) struct Membership {
    group: Group,
    addresses: watch::Sender<Vec<String>>,
}

impl Membership {
    /// Joins, and gives what the role is to know of it.
    pub(super) fn join(
        settings: &Settings,
        address: &str,
        health: HealthReporter,
    ) -> Result<(Self, Peers), KafkaError> {
        let group = Group::join(&settings.kafka, &settings.command.group, address)?;
        let addresses = watch::Sender::new(Vec::new());
        let peers = Peers {
            assigned: group.assigned(),
            members: addresses.subscribe(),
            health,
            detection: detection(&settings.ownership),
        };
        Ok((Self { group, addresses }, peers))
    }

    /// Keeps the addresses as the group has them, until the halt; then leaves, so that the others share out what is left.
    pub(super) async fn keep(self, halt: CancellationToken) -> Result<(), Infallible> {
        let mut members = self.group.members();
        loop {
            let addresses = members.borrow_and_update().iter().map(|member| member.address.clone()).collect();
            self.addresses.send_replace(addresses);
            tokio::select! {
                () = halt.cancelled() => break,
                changed = members.changed() => if changed.is_err() {
                    halt.cancelled().await;
                    break;
                },
            }
        }
        self.group.leave().await;
        Ok(())
    }
}

fn detection(settings: &Ownership) -> Detection {
    let millis = Duration::from_millis;
    Detection {
        ping_interval: millis(settings.ping_interval_ms),
        ping_timeout: millis(settings.ping_timeout_ms),
        broken: millis(settings.broken_ms),
        silence: millis(settings.silence_ms),
        rank_delay: millis(settings.rank_delay_ms),
        handover: millis(settings.handover_ms),
        away: settings.away,
        ..Detection::default()
    }
}
