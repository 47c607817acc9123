//! What is wrong with a topic.

use std::fmt;

/// Whether to go on in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, and less well or less safely than it could.
    Warn,
    /// What was acknowledged can be lost, or nothing can be written: do not start.
    Refuse,
}

/// A setting that is not what a log needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name, as the brokers call it.
    pub setting: String,
    /// What it is.
    pub found: String,
    /// What it should be.
    pub expected: String,
    /// Whether to go on in spite of it.
    pub severity: Severity,
    /// What can happen.
    pub why: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, found, expected, why, fix, .. } = self;
        write!(f, "{setting} is {found}, and should be {expected}: {why}; {fix}")
    }
}
