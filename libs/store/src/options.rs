//! How a database is opened, and what that means in RocksDB's terms.

use crate::keyspace::Kind;
use crate::{KeyspaceSpec, Shared};
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, DBCompressionType, DBRecoveryMode, LogLevel, WriteBufferManager,
};

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory shared with the other databases of the process.
    pub shared: Shared,
    /// Its content can be made again from elsewhere: writes may leave out the write-ahead log.
    pub rebuildable: bool,
    /// Make the database if there is none.
    pub create: bool,
    /// Only read it: nothing of it is changed, and nothing runs in the background. Takes a [rebuildable](Self::rebuildable)
    /// one that is there.
    pub read_only: bool,
    /// Its files are removed once it is closed: nothing more is brought to the disk then. For a
    /// [rebuildable](Self::rebuildable) one.
    pub throwaway: bool,
    /// Open it although acknowledged writes are missing from its end, and forget that they were there. An operator's
    /// decision, when there is no backup.
    pub accept_loss: bool,
    /// Rows written and not yet in files, at most, in bytes. Over this it flushes; the bound is soft while it does.
    pub write_buffer_bytes: usize,
    /// Files kept open at once, at most.
    pub max_open_files: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shared: Shared::default(),
            rebuildable: false,
            create: true,
            read_only: false,
            throwaway: false,
            accept_loss: false,
            write_buffer_bytes: 32 * 1024 * 1024,
            max_open_files: 256,
        }
    }
}

impl Options {
    pub(crate) fn database(&self, create: bool) -> rocksdb::Options {
        let mut options = rocksdb::Options::default();
        options.create_if_missing(create);
        options.create_missing_column_families(true);

        // Damage is found when files are opened, read and compacted, and it stops writes instead of spreading.
        options.set_paranoid_checks(true);
        // An incomplete record at the very end is what a crash in the middle of a write leaves, and was never acknowledged.
        // Anything else that is wrong in the write-ahead log refuses to open. The mode that is the default elsewhere would
        // stop at the first damaged record and quietly drop every good one after it.
        options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        options.set_track_and_verify_wals_in_manifest(true);
        // Without a write-ahead log, keyspaces flushed one by one would come back from a crash at different points.
        options.set_atomic_flush(self.rebuildable);

        // No stalls at the bound: a writer that waits for a flush would hold up the log.
        let write_buffers = WriteBufferManager::new_write_buffer_manager(self.write_buffer_bytes, false);
        options.set_write_buffer_manager(&write_buffers);
        options.set_max_open_files(i32::from(self.max_open_files));
        options.set_max_background_jobs(2);
        // The write-ahead log of a keyspace that is seldom written is not kept for its few rows.
        options.set_max_total_wal_size(4 * self.write_buffer_bytes as u64);
        options.set_max_manifest_file_size(4 * 1024 * 1024);
        options.set_skip_stats_update_on_db_open(true);
        // Readers that let go of the last use of a file leave its deletion to the background.
        options.set_avoid_unnecessary_blocking_io(true);

        // RocksDB's own text log: warnings only, two files of at most a megabyte.
        options.set_log_level(LogLevel::Warn);
        options.set_max_log_file_size(1024 * 1024);
        options.set_keep_log_file_num(2);
        options.set_stats_dump_period_sec(0);
        options.set_stats_persist_period_sec(0);
        if self.throwaway {
            // The library has no setter for it. Without it closing takes longer, and is right all the same.
            return options.get_options_from_string("avoid_flush_during_shutdown=true").unwrap_or(options);
        }
        options
    }

    pub(crate) fn keyspace(&self, spec: &KeyspaceSpec) -> rocksdb::Options {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(&self.shared.cache);
        // Indexes and filters count against the cache's bound too; outside it they grow with the number of files.
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
        // Whole, those of a file are hundreds of kilobytes, and where files are many every read would bring them in anew.
        blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
        blocks.set_partition_filters(true);
        blocks.set_metadata_block_size(4 * 1024);
        match spec.kind {
            Kind::AppendOnly => blocks.set_block_size(32 * 1024),
            Kind::Index => blocks.set_block_size(8 * 1024),
            Kind::Rows => {
                blocks.set_block_size(8 * 1024);
                blocks.set_bloom_filter(10.0, false);
            }
        }
        let mut options = rocksdb::Options::default();
        options.set_block_based_table_factory(&blocks);
        options.set_compression_type(DBCompressionType::Lz4);
        if spec.kind != Kind::AppendOnly {
            // The first level is written again soon, so that compressing it does not pay.
            let mut levels = [DBCompressionType::Lz4; 7];
            levels[0] = DBCompressionType::None;
            options.set_compression_per_level(&levels);
        }
        // The next level is written again with each of its compactions, and holds most of what there is: they have to be few.
        // Keys of an index are not looked up, so that more files cost only those who scan.
        options.set_level_zero_file_num_compaction_trigger(match spec.kind {
            Kind::AppendOnly => 4,
            Kind::Rows => 8,
            Kind::Index => 12,
        });
        options.set_level_zero_slowdown_writes_trigger(36);
        options.set_level_zero_stop_writes_trigger(48);
        options.set_write_buffer_size(self.write_buffer_bytes / 2);
        options.set_max_write_buffer_number(3);
        // Growing keys never overlap, so files move down the levels without being written again.
        options.set_level_compaction_dynamic_level_bytes(true);
        options
    }
}
