//! The fixture, with real brokers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod disk;
mod launchers;
mod network;
mod orphans;
mod security;
mod speech;
