//! A log that something else than a copy writes to.

use std::sync::Arc;

use pactum_log::Log;
use pactum_log::kafka::KafkaOptions;
use pactum_runtime::config::{LogKind, Settings};

use super::error::LogCopyError;
use super::location::{Access, Location, Opened, Place};

/// A log that is open to be written, made where it can be made here.
pub(crate) struct Destination(Opened);

impl Destination {
    /// Opens it; where it is made, with so many partitions.
    pub(crate) async fn open(location: &Location, partitions: u32) -> Result<Self, LogCopyError> {
        Ok(Self(Place::resolve(location)?.open(Access::Create { partitions }).await?))
    }

    /// Opens the log of a system with these settings.
    pub(crate) async fn of(settings: &Settings) -> Result<Self, LogCopyError> {
        let place = match settings.log.kind {
            LogKind::Embedded => {
                Place::Embedded { data: settings.data.clone(), reserve_bytes: settings.log.reserve_mib << 20 }
            }
            LogKind::Kafka => Place::Kafka(Box::new(settings.kafka.clone())),
        };
        Ok(Self(place.open(Access::Create { partitions: settings.log.partitions }).await?))
    }

    /// How a log is reached that is a topic; `None` where it is none.
    pub(crate) fn topic(location: &Location) -> Result<Option<KafkaOptions>, LogCopyError> {
        Ok(match Place::resolve(location)? {
            Place::Kafka(options) => Some(*options),
            Place::Embedded { .. } => None,
        })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> Arc<str> {
        self.0.name()
    }

    pub(crate) fn log(&self) -> &Arc<dyn Log> {
        self.0.log()
    }

    /// The id that the log has by itself; a topic gets one with the first genesis in it.
    pub(crate) fn id(&self) -> Option<u128> {
        self.0.id()
    }

    /// Lets go of it.
    pub(crate) async fn close(self) {
        self.0.close().await;
    }
}
