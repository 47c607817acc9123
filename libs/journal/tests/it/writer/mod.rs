//! The writer, one input at a time: what it wants done, and what it answers.

mod deadlines;
mod faults;
mod harness;
mod refusals;
mod stopping;
mod terms;
mod timers;
