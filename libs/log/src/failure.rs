//! How an appender learns that something it handed over failed.

use crate::LogError;
use crate::sync::lock;
use std::sync::Mutex;
use tokio::sync::Notify;

/// The failures of one appender: kept until asked for, so that none is missed by a caller who was busy elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    unreported: Mutex<Option<LogError>>,
    changed: Notify,
}

impl Failure {
    /// Records a failure. The first since the last report is the one told: what follows is usually its consequence.
    pub(crate) fn report(&self, error: LogError) {
        lock(&self.unreported).get_or_insert(error);
        self.changed.notify_waiters();
    }

    /// Waits for a failure and takes it.
    pub(crate) async fn wait(&self) -> LogError {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that a report between the look and the wait still wakes us.
            changed.as_mut().enable();
            if let Some(error) = lock(&self.unreported).take() {
                return error;
            }
            changed.await;
        }
    }
}
