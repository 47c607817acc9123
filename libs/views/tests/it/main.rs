//! The read models over histories made by the domain's own decisions.
#![expect(clippy::unwrap_used, reason = "tests")]

mod agree;
mod columns;
mod lists;
mod ownership;
mod pipeline;
mod random;
mod world;
