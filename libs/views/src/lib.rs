//! Read models: what queries read, folded from the log.
//!
//! A read model is a pure function of a program's records. Each has a file (or folder) of its own with the rows it keeps,
//! their keys, the fold and the query:
//!
//! - [`programs`]: programs, their policies, and where in the log their records lie
//! - [`partners`]: one row a partner
//! - [`deals`]: one row a deal, in several orders, with filters
//! - [`pipeline`]: counts and amounts by stage, partner, territory and the like
//! - [`ownership`]: every claim on an account, in order
//!
//! Nothing here does I/O: a view reads [`Rows`] and writes [`Changes`]. The projector brings both from its store, tests
//! from memory. [`view::ALL`] is the list of read models; `docs/adding-a-read-model.md` says how to add one.

pub mod changes;
pub mod clock;
pub mod deals;
mod entries;
pub mod event_filter;
pub mod filter;
mod kept;
pub mod key;
pub mod ownership;
pub mod page;
pub mod partners;
pub mod pipeline;
pub mod programs;
pub mod rows;
pub mod table;
pub mod view;

pub use changes::Changes;
pub use rows::{KeyRange, MemoryRows, Order, RowError, Rows, Visit};
pub use table::{Row, Table};
pub use view::{FoldError, Folded, Place, View, fold};
