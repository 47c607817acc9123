//! Between the appenders and the writer.

use crate::failure::Failure;
use crate::sync::lock;
use crate::tail::Limits;
use crate::{LogError, Partition};
use bytes::Bytes;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An entry on its way.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) partition: Partition,
    pub(super) bytes: Bytes,
    pub(super) failure: Arc<Failure>,
}

/// What the writer got.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Entries, the oldest of them queued at this moment.
    Entries(Instant),
    /// Nothing came within the time it was willing to wait.
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

#[derive(Debug)]
struct State {
    entries: Vec<Queued>,
    bytes: usize,
    oldest: Instant,
    writer_sleeps: bool,
    refusing: Option<LogError>,
    closed: bool,
}

/// Bounded, and one for all partitions: one writer, one fsync.
#[derive(Debug)]
pub(super) struct Queue {
    limits: Limits,
    state: Mutex<State>,
    arrived: Condvar,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Self {
        let state = State {
            entries: Vec::new(),
            bytes: 0,
            oldest: Instant::now(),
            writer_sleeps: false,
            refusing: None,
            closed: false,
        };
        Self { limits, state: Mutex::new(state), arrived: Condvar::new() }
    }

    /// Queues an entry, or says why not.
    pub(super) fn push(&self, entry: Queued) -> Result<(), LogError> {
        let wake = {
            let mut state = lock(&self.state);
            if state.closed {
                return Err(LogError::Closed);
            }
            if let Some(error) = &state.refusing {
                return Err(error.clone());
            }
            let bytes = state.bytes + entry.bytes.len();
            if state.entries.len() >= self.limits.entries || bytes > self.limits.bytes {
                return Err(LogError::Busy);
            }
            if state.entries.is_empty() {
                state.oldest = Instant::now();
            }
            state.bytes = bytes;
            state.entries.push(entry);
            std::mem::take(&mut state.writer_sleeps)
        };
        // Only the first entry after a pause costs a system call.
        if wake {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Swaps everything that is queued into `into`, which must be empty; waits for something, at most for `patience`.
    pub(super) fn take(&self, into: &mut Vec<Queued>, patience: Option<Duration>) -> Taken {
        let mut state = lock(&self.state);
        let until = patience.map(|patience| Instant::now() + patience);
        while state.entries.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            state.writer_sleeps = true;
            state = match until {
                None => self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        state.writer_sleeps = false;
                        return Taken::Nothing;
                    }
                    self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        state.writer_sleeps = false;
        state.bytes = 0;
        std::mem::swap(&mut state.entries, into);
        Taken::Entries(state.oldest)
    }

    /// Refuses what comes from now on, or takes it again.
    pub(super) fn refuse(&self, error: Option<LogError>) {
        lock(&self.state).refusing = error;
    }

    /// Why appends are refused now, if they are.
    pub(super) fn refusing(&self) -> Option<LogError> {
        lock(&self.state).refusing.clone()
    }

    /// Refuses what comes from now on; what is queued is still taken.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.arrived.notify_one();
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        lock(&self.state).entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: usize) -> Queued {
        Queued { partition: 0, bytes: vec![0; bytes].into(), failure: Arc::default() }
    }

    #[test]
    fn is_bounded_by_entries_and_by_bytes() {
        let queue = Queue::new(Limits { entries: 3, bytes: 10 });
        assert_eq!(queue.push(entry(10)), Ok(()));
        assert_eq!(queue.push(entry(1)), Err(LogError::Busy));
        assert_eq!(queue.push(entry(0)), Ok(()));
        assert_eq!(queue.push(entry(0)), Ok(()));
        assert_eq!(queue.push(entry(0)), Err(LogError::Busy));
        let mut taken = Vec::new();
        assert!(matches!(queue.take(&mut taken, None), Taken::Entries(_)));
        assert_eq!((taken.len(), queue.len()), (3, 0));
        assert_eq!(queue.push(entry(10)), Ok(()));
    }

    #[test]
    fn refuses_and_takes_again_and_empties_before_it_closes() {
        let queue = Queue::new(Limits { entries: 3, bytes: 10 });
        assert_eq!(queue.push(entry(1)), Ok(()));
        queue.refuse(Some(LogError::Full("disk".into())));
        assert_eq!(queue.push(entry(1)), Err(LogError::Full("disk".into())));
        queue.refuse(None);
        assert_eq!(queue.push(entry(1)), Ok(()));
        queue.close();
        assert_eq!(queue.push(entry(1)), Err(LogError::Closed));
        let mut taken = Vec::new();
        assert!(matches!(queue.take(&mut taken, None), Taken::Entries(_)));
        assert_eq!(taken.len(), 2);
        assert_eq!(queue.take(&mut Vec::new(), None), Taken::Closed);
    }

    #[test]
    fn waits_no_longer_than_asked_and_wakes_when_something_comes() {
        let queue = Arc::new(Queue::new(Limits { entries: 3, bytes: 10 }));
        assert_eq!(queue.take(&mut Vec::new(), Some(Duration::from_millis(1))), Taken::Nothing);
        let other = queue.clone();
        let writer = std::thread::spawn(move || other.take(&mut Vec::new(), None));
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(queue.push(entry(1)), Ok(()));
        let taken = writer.join().expect("the writer's closure does not panic");
        assert!(matches!(taken, Taken::Entries(_)));
    }
}
