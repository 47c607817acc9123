//! The program's rules, from outside: a row for each refusal, a row for each transition, and laws over random histories.

#![expect(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod claims;
mod deal_matrix;
mod deal_refusals;
mod deal_transitions;
mod generator;
mod history;
mod laws;
mod opportunities;
mod partners;
mod programs;
mod protection;
mod register_refusals;
mod support;
