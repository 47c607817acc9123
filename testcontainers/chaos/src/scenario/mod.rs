//! Fault runs: a cluster of real processes, a load on it, and a list of steps that breaks things; then the checker.

mod catalogue;
mod run;
mod step;
mod world;

pub use catalogue::{all, named, short};
pub use run::run;
pub use step::{Action, Cluster, Step, Target};

/// A fault run by name.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// What it runs on.
    pub cluster: Cluster,
    /// What is done, in order.
    pub steps: Vec<Step>,
}
