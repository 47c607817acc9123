//! Questions about the past.

mod equal;
mod happenings;
mod killed;
mod limits;
mod moments;
mod questions;
mod restart;

use std::path::Path;
use std::time::Duration;

use pactum_projector::{AsOfOptions, ProjectorOptions};

/// A projector whose callers wait long: the machine may be busy with other things.
fn patient(data: &Path, as_of: AsOfOptions) -> ProjectorOptions {
    ProjectorOptions { as_of, default_deadline: Duration::from_secs(60), ..crate::system::options(data) }
}
