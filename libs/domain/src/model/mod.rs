//! A program's aggregates together, with the indexes that rules over several of them need.
//!
//! [`Model::decide`] turns a command into events without changing anything; [`Model::evolve`] folds an event and returns
//! what takes it back. Both are pure and deterministic.

use pactum_ids::ProgramId;

/// A program's whole write-side state.
#[derive(Clone, Debug)]
pub struct Model {
    id: ProgramId,
}
