//! What a client was last told to be wrong.
//!
//! The client library goes on trying whatever happens, and says why only in passing. What it says is kept here, to give a
//! timeout its reason.

use crate::sync::lock;
use rdkafka::types::RDKafkaErrorCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The same kind of trouble is logged once in this time.
const QUIET: Duration = Duration::from_secs(30);

/// What kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Credentials,
    Tls,
    Other,
}

/// What was last told.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    pub(super) reason: String,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Trouble>,
    /// When each kind was last worth a line; there are only so many kinds.
    logged: Vec<(RDKafkaErrorCode, Instant)>,
}

/// The troubles of the clients of one log.
#[derive(Debug, Default)]
pub(super) struct Troubles(Mutex<State>);

impl Troubles {
    /// Notes a trouble; tells whether it is worth a line in the log.
    pub(super) fn note(&self, code: RDKafkaErrorCode, reason: &str) -> bool {
        let kind = match code {
            RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::UnsupportedSASLMechanism => Kind::Credentials,
            RDKafkaErrorCode::SSL => Kind::Tls,
            // Brokers that refuse our certificate say so when the connection seems to be up.
            _ if reason.contains("SSL alert") => Kind::Tls,
            _ => Kind::Other,
        };
        let mut state = lock(&self.0);
        // That all brokers are down says less than what made the last one go down.
        if code != RDKafkaErrorCode::AllBrokersDown || state.last.is_none() {
            state.last = Some(Trouble { kind, reason: reason.to_owned() });
        }
        let now = Instant::now();
        match state.logged.iter_mut().find(|(logged, _)| *logged == code) {
            Some((_, at)) if now.duration_since(*at) < QUIET => false,
            Some((_, at)) => {
                *at = now;
                true
            }
            None => {
                state.logged.push((code, now));
                true
            }
        }
    }

    /// Everything works: what was wrong is no reason for what comes.
    pub(super) fn clear(&self) {
        lock(&self.0).last = None;
    }

    pub(super) fn last(&self) -> Option<Trouble> {
        lock(&self.0).last.clone()
    }

    /// The reason to give with a failure that says little itself.
    pub(super) fn reason(&self, failure: &dyn std::fmt::Display) -> String {
        match self.last() {
            Some(trouble) => format!("{failure}; last seen: {}", trouble.reason),
            None => failure.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_cause_is_kept_and_the_consequence_is_not() {
        let troubles = Troubles::default();
        assert_eq!(troubles.reason(&"timed out"), "timed out");
        assert!(troubles.note(RDKafkaErrorCode::Authentication, "wrong password"));
        assert!(troubles.note(RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down"));
        for code in [RDKafkaErrorCode::Authentication, RDKafkaErrorCode::AllBrokersDown] {
            assert!(!troubles.note(code, "wrong password"), "told before");
        }
        assert_eq!(troubles.last().unwrap().kind, Kind::Credentials);
        assert_eq!(troubles.reason(&"timed out"), "timed out; last seen: wrong password");
        troubles.clear();
        assert!(troubles.last().is_none());
    }
}
