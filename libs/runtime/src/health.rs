//! How each part of the process is doing, in one place for probes, `doctor` and the gRPC health service.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

/// How a part is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum Condition {
    /// Not there yet; says what it waits for.
    Starting(String),
    /// Works.
    Ready,
    /// Works, but something needs a look.
    Degraded(String),
    /// Does not work; says why and what to do.
    Failed(String),
}

impl Condition {
    /// Whether requests can be served.
    #[must_use]
    pub fn serves(&self) -> bool {
        matches!(self, Self::Ready | Self::Degraded(_))
    }
}

/// The register of parts and their conditions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Health {
    parts: Arc<watch::Sender<BTreeMap<String, Condition>>>,
}

impl Default for Health {
    fn default() -> Self {
        Self { parts: Arc::new(watch::Sender::new(BTreeMap::new())) }
    }
}

impl Health {
    /// Says how a part is doing.
    pub fn set(&self, part: &str, condition: Condition) {
        self.parts.send_if_modified(|parts| {
            if parts.get(part) == Some(&condition) {
                return false;
            }
            parts.insert(part.to_owned(), condition);
            true
        });
    }

    /// All parts as they are now.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<String, Condition> {
        self.parts.borrow().clone()
    }

    /// Whether every part serves. False while no part has said anything.
    #[must_use]
    pub fn ready(&self) -> bool {
        let parts = self.parts.borrow();
        !parts.is_empty() && parts.values().all(Condition::serves)
    }

    /// Follows every change.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<BTreeMap<String, Condition>> {
        self.parts.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_every_part() {
        let health = Health::default();
        assert!(!health.ready());
        health.set("log", Condition::Ready);
        health.set("views", Condition::Starting("catching up".into()));
        assert!(!health.ready());
        health.set("views", Condition::Degraded("slow".into()));
        assert!(health.ready());
        health.set("log", Condition::Failed("disk".into()));
        assert!(!health.ready());
    }
}
