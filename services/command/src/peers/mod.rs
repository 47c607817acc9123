//! Being one of several: who should own which partition, who does, and whether it is still there.
//!
//! Nothing here is needed for correctness, which is the log's. All of it may be wrong at any time: two instances may both
//! believe that they should own a partition, or none. Only progress and speed rest on it.
//!
//! - [`ownership`]: tells each partition's journal to own it or to let it go.
//! - [`probe`]: watches the owner named in the claim in force through its health service.
//! - [`health`]: tells the others, in the same way, which partitions this instance decides on.
//! - [`rank`]: who claims first when an owner is gone.
//! - [`pool`]: connections to the others.
//! - [`handover`]: what a clean stop does before anything is shut down.

pub(crate) mod handover;
pub(crate) mod health;
mod options;
pub(crate) mod ownership;
pub(crate) mod pool;
mod probe;
mod rank;

pub use options::{Detection, Peers};
