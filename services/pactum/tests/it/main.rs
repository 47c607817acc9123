//! The product as its users have it: the built binary, real files, real sockets.

#![expect(clippy::unwrap_used, reason = "tests")]

mod alerts;
mod architecture;
mod as_of;
mod competing;
mod crash;
mod crm;
mod crm_killed;
mod docs;
mod full_disk;
mod generate;
mod log_copy;
mod operations;
mod several;
mod system;
mod views;
