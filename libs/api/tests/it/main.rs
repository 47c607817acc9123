//! The contract's tests: what is checked in is what the contract says.

mod generated;
