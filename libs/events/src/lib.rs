//! What the log holds of a program: records and their events, as bytes.
//!
//! One [`Record`] is one command's whole effect. [`encode`] and [`decode`] turn it into the body of a journal entry and
//! back. Stored bytes live as long as the log does, so the form of an event that ever shipped is never edited: a changed
//! event gets a new stored variant, and the old one is turned into it on reading (see `docs/adding-an-event.md`). The
//! golden files in `golden/` keep one example of each.

mod codec;
mod json;
mod name;
mod partition;
mod record;
mod stored;

pub use codec::{DecodeError, decode, encode, program_of};
pub use json::{data, json, resource_name};
pub use name::{event_type, event_version};
pub use partition::partition_of;
pub use record::{Record, Recorded, Request};
