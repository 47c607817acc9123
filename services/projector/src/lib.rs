//! The projector role: fold into RocksDB views and gRPC queries.
