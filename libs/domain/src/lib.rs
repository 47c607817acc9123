//! The partner program's rules, pure: time, identifiers and the caller come in with the command, and nothing here does I/O.
//!
//! One folder an aggregate ([`program`], [`partner`], [`deal`], [`opportunity`]), each with its events, its state and its
//! decisions. [`model`] holds a program's aggregates together with the indexes that rules over several of them need, and is
//! the one place where a command is decided and an event is folded.

pub mod account;
pub mod actor;
pub mod command;
pub mod deal;
pub mod event;
pub mod model;
pub mod money;
pub mod opportunity;
pub mod partner;
pub mod policy;
pub mod program;
pub mod rejection;
pub mod time;

pub use pactum_ids as ids;
