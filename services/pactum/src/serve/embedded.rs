//! Opening the embedded log.

use pactum_log::embedded::{EmbeddedLog, EmbeddedOptions, Identity, OpenError};
use pactum_runtime::config::Settings;
use pactum_store::{Shared, SharedOptions};

/// RocksDB's cache, shared by all databases of the process.
pub(crate) fn shared(settings: &Settings) -> Shared {
    Shared::new(SharedOptions { block_cache_bytes: settings.memory.block_cache_mib << 20 })
}

/// Opens the embedded log below the data directory. A log that is there keeps its number of partitions.
pub(crate) fn open_log(settings: &Settings, shared: &Shared, create: bool) -> Result<EmbeddedLog, OpenError> {
    let path = settings.data.join("log");
    let kept = Identity::read(&path)?.map(|identity| identity.partitions);
    let options = EmbeddedOptions {
        partitions: kept.unwrap_or(settings.log.partitions),
        create,
        reserve_bytes: settings.log.reserve_mib << 20,
        shared: shared.clone(),
        ..EmbeddedOptions::default()
    };
    EmbeddedLog::open(path, options)
}
