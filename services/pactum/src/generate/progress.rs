//! How far it is, for a person who watches.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "generating {wide_bar} {human_pos}/{human_len} events {per_sec} {eta} left";

/// A bar on a terminal, else nothing.
#[derive(Clone, Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of about so many events.
    pub(crate) fn new(events: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::new(events).with_style(style))
    }

    pub(super) fn add(&self, events: u64) {
        self.0.inc(events);
    }

    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
