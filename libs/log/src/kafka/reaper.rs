//! Closes clients on a thread of its own.
//!
//! Closing a client waits for its threads and connections to end, which must hold up neither a runtime's thread nor the one
//! who lets go.

use super::KafkaError;
use std::any::Any;
use std::fmt;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Clients of this process that are being closed. One count for all logs, because what asks for it is the end of the process.
static CLOSING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// Waits until every client that was let go of is closed, for at most so long. What ends a process calls it last: OpenSSL cleans
/// up when a process exits, and a client that still speaks TLS then crashes it, after everything was done.
pub fn wait_until_closed(at_most: Duration) {
    let (count, changed) = &CLOSING;
    let closing = count.lock().unwrap_or_else(PoisonError::into_inner);
    drop(changed.wait_timeout_while(closing, at_most, |closing| *closing > 0));
}

/// A client that is being closed; it counts until it is.
struct Closing(Option<Box<dyn Any + Send>>);

impl Closing {
    fn new(client: impl Send + 'static) -> Self {
        *CLOSING.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Some(Box::new(client)))
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.take();
        *CLOSING.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        CLOSING.1.notify_all();
    }
}

/// Takes clients that are to be closed. The thread ends with the last clone, once all are closed.
#[derive(Clone)]
pub(super) struct Reaper(Sender<Closing>);

impl Reaper {
    pub(super) fn start() -> Result<Self, KafkaError> {
        let (sender, clients) = channel::<Closing>();
        let thread = std::thread::Builder::new().name("kafka-closer".into());
        let run = move || clients.into_iter().for_each(drop);
        thread.spawn(run).map_err(|error| KafkaError::Client { reason: format!("start a thread: {error}") })?;
        Ok(Self(sender))
    }

    pub(super) fn close(&self, client: impl Send + 'static) {
        // The thread cannot be gone while we hold a sender; were it, the client would be closed here.
        drop(self.0.send(Closing::new(client)));
    }
}

impl fmt::Debug for Reaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reaper")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn whoever_ends_the_process_waits_for_clients_that_are_being_closed() {
        struct Slow(Sender<()>);
        impl Drop for Slow {
            fn drop(&mut self) {
                std::thread::sleep(Duration::from_millis(50));
                self.0.send(()).unwrap();
            }
        }
        let (told, closed) = channel();
        let reaper = Reaper::start().unwrap();
        reaper.close(Slow(told));
        drop(reaper);
        wait_until_closed(Duration::from_secs(60));
        assert_eq!(closed.try_recv(), Ok(()));
    }
}
