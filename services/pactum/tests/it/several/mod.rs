//! Roles as processes of their own over a broker.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "say how long takeovers took, and what processes wrote that a test failed with"
)]

mod faults;
mod process;
mod readme;
mod topics;
