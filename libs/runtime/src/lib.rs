//! What every role needs to run: configuration, telemetry, health, sign-in of callers, supervision of tasks and a clean stop.

pub mod access;
pub mod config;
pub mod encoded;
pub mod health;
pub mod http;
pub mod io;
pub mod refine;
pub mod supervise;
pub mod telemetry;
pub mod token;
