//! How far it is, for a person who watches.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{msg} {wide_bar} {pos}/{len} entries {per_sec} {eta} left";

/// A bar on a terminal, else nothing.
#[derive(Clone, Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::no_length().with_style(style))
    }

    /// Begins anew.
    pub(super) fn begin(&self, doing: &'static str, entries: u64) {
        self.0.reset();
        self.0.set_message(doing);
        self.0.set_length(entries);
    }

    pub(super) fn add(&self, entries: u64) {
        self.0.inc(entries);
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_valid() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
    }
}
