//! Questions about the past.

mod equal;
mod happenings;
mod killed;
mod limits;
mod moments;
mod questions;
mod restart;
