//! The checker on true and on falsified histories, and a selection of the fault runs.

#![expect(clippy::unwrap_used, reason = "tests")]

mod brokers;
mod case;
mod contest;
mod local;
mod mutations;
mod processes;
