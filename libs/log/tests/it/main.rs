//! The log's implementations, run for real: on a disk, through crashes, damage and a full filesystem.
#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(clippy::print_stdout, reason = "tests tell what they saw")]

mod conformance;
mod damage;
mod embedded;
mod full;
mod kafka_acknowledged;
mod kafka_conformance;
mod kafka_connect;
mod kafka_damage;
mod kafka_faults;
mod kafka_group;
mod kafka_security;
mod kafka_support;
mod kafka_topics;
mod killed;
mod support;
