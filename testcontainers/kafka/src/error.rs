//! What may keep a test from its brokers.

use std::path::PathBuf;

/// Why there is no broker, or why it did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing that could run a broker is here.
    #[error(
        "no Kafka to test with: {looked_for}; `scripts/setup test` installs what is needed (docs/testing.md says how to use another)"
    )]
    NoKafka {
        /// What was looked for, and where.
        looked_for: String,
    },
    /// The options ask for what there is not.
    #[error("{0}")]
    Options(String),
    /// The operating system refused.
    #[error("{what}")]
    System {
        /// What was tried, and what to look at.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A broker ended by itself, or never came up.
    #[error("{what}; the end of its log, {}:\n{tail}", log.display())]
    Failed {
        /// What happened.
        what: String,
        /// Where the whole log is while the cluster lives.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A broker that should run does not, or the other way round.
    #[error("broker {id} {state}")]
    State {
        /// Which broker, from 1.
        id: u32,
        /// What it is, and what to call first.
        state: &'static str,
    },
}

/// Gives an I/O error the sentence it lacks.
pub(crate) trait Explain<T> {
    fn explain(self, what: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T> Explain<T> for std::io::Result<T> {
    fn explain(self, what: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|source| Error::System { what: what(), source })
    }
}
