//! Closes clients on a thread of its own.
//!
//! Closing a client waits for its threads and connections to end, which must hold up neither a runtime's thread nor the one
//! who lets go.

use super::KafkaError;
use std::any::Any;
use std::fmt;
use std::sync::mpsc::{Sender, channel};

/// Takes clients that are to be closed. The thread ends with the last clone, once all are closed.
#[derive(Clone)]
pub(super) struct Reaper(Sender<Box<dyn Any + Send>>);

impl Reaper {
    pub(super) fn start() -> Result<Self, KafkaError> {
        let (sender, clients) = channel::<Box<dyn Any + Send>>();
        let thread = std::thread::Builder::new().name("kafka-closer".into());
        let run = move || clients.into_iter().for_each(drop);
        thread.spawn(run).map_err(|error| KafkaError::Client { reason: format!("start a thread: {error}") })?;
        Ok(Self(sender))
    }

    pub(super) fn close(&self, client: impl Send + 'static) {
        // The thread cannot be gone while we hold a sender; were it, the client would be closed here.
        drop(self.0.send(Box::new(client)));
    }
}

impl fmt::Debug for Reaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reaper")
    }
}
