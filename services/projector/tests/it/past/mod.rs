//! Questions about the past.

mod equal;
pub(crate) mod happenings;
mod killed;
mod limits;
mod moments;
pub(crate) mod questions;
mod restart;

use std::path::Path;
use std::time::Duration;

use pactum_projector::{AsOfOptions, ProjectorOptions};

/// A projector whose callers wait long: the machine may be busy with other things.
pub(crate) fn patient(data: &Path, as_of: AsOfOptions) -> ProjectorOptions {
    ProjectorOptions { as_of, default_deadline: Duration::from_secs(60), ..crate::system::options(data) }
}
