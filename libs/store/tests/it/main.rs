//! The store, run for real: on a disk, through crashes and damage.
#![expect(clippy::unwrap_used, reason = "tests")]

mod crash;
mod damage;
mod lifecycle;
mod rows;
mod support;
