//! The writer's own code, two or three of it, over one partition of a log that may delay, lose, double and reorder, in every
//! state that they can get into within bounds: what the simulation draws at random, here none is left out.
//!
//! Reading is by [`Position::observe_by`](pactum_journal::Position), deciding, claiming and settling by
//! [`Writer`](pactum_journal::writer::Writer), as in production. Modelled are the log, the clients, crashes, and time: it
//! stands still, and what waits for time to pass is told that it did, or not.
//!
//! `PACTUM_MODEL=deep` goes further, in minutes instead of seconds. `--nocapture` shows what was covered.

mod bounds;
mod laws;
mod log;
mod machine;
mod mutants;
mod node;
mod partition;
mod peace;
mod runs;
mod sameness;
mod sights;
mod state;
mod steps;
