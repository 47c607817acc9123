//! The journal from outside: simulated over a hostile log, and run for real over the logs there are.

mod bank;
mod simulation;
