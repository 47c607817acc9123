//! The command role: ownership, decide loop, timers and gRPC writes.
