//! RocksDB: keyspaces, batches, checkpoints; its only user.
