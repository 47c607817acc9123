//! The topic that is a log: made as a log needs it, and checked for it.
//!
//! What was acknowledged stays only as long as the brokers keep it. These settings of the topic decide that; a client cannot
//! make up for them.

mod admin;
mod check;
mod ensure;
mod finding;
mod remove;
mod requirements;

pub use check::{Topic, check, describe};
pub use ensure::{Ensured, TopicSpec, ensure};
pub use finding::{Finding, Severity};
pub use remove::remove;
