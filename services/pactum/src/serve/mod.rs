//! `pactum serve`, `pactum command`, `pactum projector`: roles in one process, over either log.
//!
//! - [`system`]: starting, being ready, stopping.
//! - [`assemble`]: the roles and the gRPC listener in front of them.
//! - [`embedded`] and [`kafka`]: opening the log.
//! - [`peering`]: the other instances of the command role.
//! - [`watch`]: what is told about health.
//!
//! Timers are no process of their own: whoever owns a partition decides what falls due in it.

mod assemble;
mod embedded;
mod kafka;
mod peering;
mod system;
mod watch;

pub(crate) use assemble::Roles;
pub(crate) use embedded::{open_log, shared};
pub(crate) use system::{start, start_roles};

use crate::cli::ServeArgs;
use crate::output;

/// Runs roles until they are told to stop.
pub(crate) async fn run(arguments: ServeArgs, roles: Roles) -> anyhow::Result<()> {
    let settings = arguments.settings.load()?;
    if arguments.settings.print_config {
        return output::text(&settings.to_toml());
    }
    // Told to stop before there was anything to stop.
    let Some(system) = system::start_as(&settings, roles).await? else { return Ok(()) };
    tracing::info!(grpc = %system.grpc, http = %system.http, data = %settings.data.display(), "listening");
    system.finish().await
}
