//! The time machine: views as they were at any moment of a program's history.
//!
//! - `checkpoints`: while a view is folded, copies of it are put aside now and then; `shelf` keeps those of a view, `shelves`
//!   those of all, and `schedule` says when one is due and which goes when there are too many.
//! - `moment`: a sequence or a time becomes a place in the log: right behind the last record that counts.
//! - `scratch`: the nearest earlier copy, folded forward to exactly there.
//! - `machines`: scratches by moment, made once for all who ask, a few at a time, the latest kept.
//!
//! A moment of a program is a place behind one of its own records. A scratch for it serves that program alone, so records of
//! others are passed over unread.

mod checkpoints;
mod error;
mod machines;
mod meters;
mod moment;
mod options;
mod schedule;
mod scratch;
mod shelf;
mod shelves;

pub(crate) use checkpoints::Checkpointer;
pub(crate) use error::{MachineError, MomentError};
pub(crate) use machines::{Machines, Wanted};
pub(crate) use moment::Moments;
pub use options::AsOfOptions;
pub(crate) use scratch::Scratch;
pub(crate) use shelves::Shelves;
