//! What a database uses and what it is doing.

use crate::Keyspace;
use crate::database::Inner;
use metrics::gauge;

/// What one keyspace uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyspaceStatistics {
    /// The keyspace.
    pub name: String,
    /// Rows, about.
    pub rows: u64,
    /// Bytes in files.
    pub file_bytes: u64,
    /// Bytes written and not yet in files.
    pub memory_bytes: u64,
    /// Bytes that compaction has to rewrite.
    pub pending_compaction_bytes: u64,
}

/// What a database uses and what it is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Per keyspace.
    pub keyspaces: Vec<KeyspaceStatistics>,
    /// Use of the block cache, which the process's databases share.
    pub block_cache_bytes: u64,
    /// What open files take outside the block cache.
    pub open_file_bytes: u64,
    /// Flushes under way.
    pub running_flushes: u64,
    /// Compactions under way.
    pub running_compactions: u64,
    /// Background work that failed since the database was opened.
    pub background_errors: u64,
    /// Whether writes are held up because flushes or compactions do not keep pace.
    pub writes_stopped: bool,
}

impl Statistics {
    pub(crate) fn collect(inner: &Inner) -> Self {
        let number = |name: &str| inner.db.property_int_value(name).ok().flatten().unwrap_or(0);
        Self {
            keyspaces: inner.keyspaces.iter().map(|keyspace| of_keyspace(inner, keyspace)).collect(),
            block_cache_bytes: inner.shared.cache.get_usage() as u64,
            open_file_bytes: number("rocksdb.estimate-table-readers-mem"),
            running_flushes: number("rocksdb.num-running-flushes"),
            running_compactions: number("rocksdb.num-running-compactions"),
            background_errors: number("rocksdb.background-errors"),
            writes_stopped: number("rocksdb.is-write-stopped") != 0,
        }
    }

    /// Bytes written and not yet in files, of all keyspaces.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.keyspaces.iter().map(|keyspace| keyspace.memory_bytes).sum()
    }

    /// Bytes in files, of all keyspaces.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.keyspaces.iter().map(|keyspace| keyspace.file_bytes).sum()
    }

    /// Publishes the figures as gauges `pactum_rocksdb_*`, labelled with the database's name.
    #[expect(clippy::cast_precision_loss, reason = "gauges are floats; a byte more or less does not matter")]
    pub fn publish(&self, database: &str) {
        for of in &self.keyspaces {
            let labels = [("database", database.to_owned()), ("keyspace", of.name.clone())];
            gauge!("pactum_rocksdb_rows", &labels).set(of.rows as f64);
            gauge!("pactum_rocksdb_file_bytes", &labels).set(of.file_bytes as f64);
            gauge!("pactum_rocksdb_memory_bytes", &labels).set(of.memory_bytes as f64);
            gauge!("pactum_rocksdb_pending_compaction_bytes", &labels).set(of.pending_compaction_bytes as f64);
        }
        let whole: [(&'static str, u64); 5] = [
            ("pactum_rocksdb_open_file_bytes", self.open_file_bytes),
            ("pactum_rocksdb_running_flushes", self.running_flushes),
            ("pactum_rocksdb_running_compactions", self.running_compactions),
            ("pactum_rocksdb_background_errors", self.background_errors),
            ("pactum_rocksdb_writes_stopped", u64::from(self.writes_stopped)),
        ];
        for (name, value) in whole {
            gauge!(name, "database" => database.to_owned()).set(value as f64);
        }
        // Shared by all databases, so without their names.
        gauge!("pactum_rocksdb_block_cache_bytes").set(self.block_cache_bytes as f64);
    }
}

fn of_keyspace(inner: &Inner, keyspace: &Keyspace) -> KeyspaceStatistics {
    let number = |name: &str| {
        let family = inner.family(keyspace).ok()?;
        inner.db.property_int_value_cf(family, name).ok().flatten()
    };
    KeyspaceStatistics {
        name: keyspace.name().to_owned(),
        rows: number("rocksdb.estimate-num-keys").unwrap_or(0),
        file_bytes: number("rocksdb.total-sst-files-size").unwrap_or(0),
        memory_bytes: number("rocksdb.cur-size-all-mem-tables").unwrap_or(0),
        pending_compaction_bytes: number("rocksdb.estimate-pending-compaction-bytes").unwrap_or(0),
    }
}
