//! Records made elsewhere, straight into a partition: for copies of a log and for generated histories.
//!
//! A [`BulkWriter`] is a writer like any other. It claims the partition, numbers its records, counts one as written only
//! when it has read it back valid, and stops as soon as anybody else's claim is valid. What it does not do is decide: the
//! bodies are given, and their order is all that matters. So it needs no state machine, and a window of thousands of
//! records costs it nothing.

mod error;
mod options;
mod writer;

pub use error::BulkError;
pub use options::BulkOptions;
pub use writer::BulkWriter;
