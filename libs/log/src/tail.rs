//! The newest entries of a partition, in memory, and whoever waits for more.
//!
//! Publishing and reading take one short lock. A reader that finds nothing leaves its waker; a publisher takes all wakers at
//! once. So a reader is woken once per quiet spell, not once per entry, and reads everything that came meanwhile.

use crate::sync::lock;
use crate::{Entry, LogError, Offset};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

/// Entries handed to a reader under one lock, so that a reader far behind does not hold up the publisher.
const MOST_AT_ONCE: usize = 1024;

/// How much a tail keeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl Limits {
    /// Keeps everything: for a log that lives in memory only.
    pub(crate) const NONE: Self = Self { entries: usize::MAX, bytes: usize::MAX };
}

/// What a reader got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// At least one entry, contiguous from where it asked.
    Entries(Vec<Entry>),
    /// What it asks for is older than what is kept: the kept entries start at this offset.
    Behind(Offset),
}

#[derive(Debug)]
struct State {
    first: Offset,
    entries: VecDeque<Bytes>,
    bytes: usize,
    waiting: Vec<(u64, Waker)>,
    stopped: Option<LogError>,
}

impl State {
    /// Keeps nothing, and goes on from `first`.
    fn restart(&mut self, first: Offset) {
        self.entries.clear();
        self.bytes = 0;
        self.first = first;
    }
}

/// The end of one partition.
#[derive(Debug)]
pub(crate) struct Tail {
    limits: Limits,
    end: AtomicU64,
    readers: AtomicU64,
    state: Mutex<State>,
}

impl Tail {
    /// A tail whose next entry gets offset `end`.
    pub(crate) fn new(end: Offset, limits: Limits) -> Self {
        Self {
            limits,
            end: AtomicU64::new(end),
            readers: AtomicU64::new(0),
            state: Mutex::new(State {
                first: end,
                entries: VecDeque::new(),
                bytes: 0,
                waiting: Vec::new(),
                stopped: None,
            }),
        }
    }

    /// The offset after the last published entry.
    pub(crate) fn end(&self) -> Offset {
        self.end.load(Ordering::Acquire)
    }

    /// The offset of the oldest entry that is kept.
    pub(crate) fn first(&self) -> Offset {
        lock(&self.state).first
    }

    /// A name for a reader, to know its waker by.
    pub(crate) fn register(&self) -> u64 {
        self.readers.fetch_add(1, Ordering::Relaxed)
    }

    /// Forgets a reader's waker.
    pub(crate) fn leave(&self, reader: u64) {
        lock(&self.state).waiting.retain(|(id, _)| *id != reader);
    }

    /// Makes one entry readable.
    pub(crate) fn publish_one(&self, entry: Bytes) -> Result<(), LogError> {
        let waiting = {
            let mut state = lock(&self.state);
            if let Some(error) = &state.stopped {
                return Err(error.clone());
            }
            self.push(&mut state, entry);
            self.end.store(state.first + state.entries.len() as u64, Ordering::Release);
            std::mem::take(&mut state.waiting)
        };
        wake(waiting);
        Ok(())
    }

    /// Makes an entry readable whose offset is known. What lies between the end and it is readable elsewhere, and what is kept
    /// begins anew behind such a gap. One below the end says nothing new.
    pub(crate) fn publish_at(&self, offset: Offset, entry: Bytes) {
        let waiting = {
            let mut state = lock(&self.state);
            let end = self.end();
            if offset < end {
                return;
            }
            if offset > end {
                state.restart(offset);
            }
            self.push(&mut state, entry);
            self.end.store(offset + 1, Ordering::Release);
            std::mem::take(&mut state.waiting)
        };
        wake(waiting);
    }

    /// Makes entries readable, all at once.
    pub(crate) fn publish(&self, entries: impl Iterator<Item = Bytes>) {
        let waiting = {
            let mut state = lock(&self.state);
            for entry in entries {
                self.push(&mut state, entry);
            }
            self.end.store(state.first + state.entries.len() as u64, Ordering::Release);
            std::mem::take(&mut state.waiting)
        };
        wake(waiting);
    }

    /// Moves the end forward over entries that are readable elsewhere but were never published here.
    pub(crate) fn skip_to(&self, end: Offset) {
        let waiting = {
            let mut state = lock(&self.state);
            if end <= self.end() {
                return;
            }
            state.restart(end);
            self.end.store(end, Ordering::Release);
            std::mem::take(&mut state.waiting)
        };
        wake(waiting);
    }

    /// Ends the tail: readers get what is there, then `error`.
    pub(crate) fn stop(&self, error: LogError) {
        let waiting = {
            let mut state = lock(&self.state);
            state.stopped.get_or_insert(error);
            std::mem::take(&mut state.waiting)
        };
        wake(waiting);
    }

    /// Reads from `from`, or leaves the reader's waker.
    pub(crate) fn poll_read(
        &self,
        reader: u64,
        from: Offset,
        max: usize,
        context: &Context<'_>,
    ) -> Poll<Result<Read, LogError>> {
        let mut state = lock(&self.state);
        if from < state.first {
            return Poll::Ready(Ok(Read::Behind(state.first)));
        }
        let skip = usize::try_from(from - state.first).unwrap_or(usize::MAX);
        if skip < state.entries.len() {
            let count = (state.entries.len() - skip).min(max.clamp(1, MOST_AT_ONCE));
            let entries = state
                .entries
                .range(skip..skip + count)
                .zip(from..)
                .map(|(bytes, offset)| Entry { offset, bytes: bytes.clone() })
                .collect();
            return Poll::Ready(Ok(Read::Entries(entries)));
        }
        if let Some(error) = &state.stopped {
            return Poll::Ready(Err(error.clone()));
        }
        match state.waiting.iter_mut().find(|(id, _)| *id == reader) {
            Some((_, waker)) => waker.clone_from(context.waker()),
            None => state.waiting.push((reader, context.waker().clone())),
        }
        Poll::Pending
    }

    fn push(&self, state: &mut State, entry: Bytes) {
        state.bytes = state.bytes.saturating_add(entry.len());
        state.entries.push_back(entry);
        while state.entries.len() > self.limits.entries || state.bytes > self.limits.bytes {
            let Some(oldest) = state.entries.pop_front() else { break };
            state.bytes = state.bytes.saturating_sub(oldest.len());
            state.first += 1;
        }
    }
}

fn wake(waiting: Vec<(u64, Waker)>) {
    for (_, waker) in waiting {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn offsets(read: Poll<Result<Read, LogError>>) -> Vec<Offset> {
        match read {
            Poll::Ready(Ok(Read::Entries(entries))) => entries.iter().map(|e| e.offset).collect(),
            other => panic!("no entries: {other:?}"),
        }
    }

    #[test]
    fn keeps_the_newest_within_both_limits() {
        let tail = Tail::new(10, Limits { entries: 3, bytes: 10 });
        let context = Context::from_waker(Waker::noop());
        tail.publish((0..5u8).map(|n| Bytes::from(vec![n; 2])));
        assert_eq!(tail.end(), 15);
        assert_eq!(tail.poll_read(0, 11, 9, &context), Poll::Ready(Ok(Read::Behind(12))));
        assert_eq!(offsets(tail.poll_read(0, 12, 9, &context)), [12, 13, 14]);
        tail.publish([Bytes::from(vec![0; 9])].into_iter());
        assert_eq!(offsets(tail.poll_read(0, 15, 9, &context)), [15]);
        assert_eq!(tail.poll_read(0, 14, 9, &context), Poll::Ready(Ok(Read::Behind(15))));
        // Larger than the whole limit: readable from the disk only, and the end still moves over it.
        tail.publish([Bytes::from(vec![0; 11])].into_iter());
        assert_eq!((tail.end(), lock(&tail.state).bytes), (17, 0));
        assert_eq!(tail.poll_read(0, 16, 9, &context), Poll::Ready(Ok(Read::Behind(17))));
    }

    #[test]
    fn a_waiting_reader_is_woken_once_and_a_left_one_never() {
        let tail = Tail::new(0, Limits::NONE);
        let (stays, leaves) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
        for (reader, wakes) in [(0, &stays), (1, &leaves)] {
            let waker = Waker::from(wakes.clone());
            for _ in 0..3 {
                assert!(tail.poll_read(reader, 0, 1, &Context::from_waker(&waker)).is_pending());
            }
        }
        assert_eq!(lock(&tail.state).waiting.len(), 2, "polling again replaces the waker");
        tail.leave(1);
        tail.publish((0..9u8).map(|n| Bytes::from(vec![n])));
        tail.publish((0..9u8).map(|n| Bytes::from(vec![n])));
        assert_eq!(stays.0.load(Ordering::Relaxed), 1);
        assert_eq!(leaves.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_gap_is_read_elsewhere_and_what_comes_again_is_nothing_new() {
        let tail = Tail::new(0, Limits::NONE);
        let context = Context::from_waker(Waker::noop());
        tail.publish_at(5, Bytes::from_static(b"a"));
        tail.publish_at(6, Bytes::from_static(b"b"));
        assert_eq!(tail.poll_read(0, 4, 9, &context), Poll::Ready(Ok(Read::Behind(5))));
        assert_eq!(offsets(tail.poll_read(0, 5, 9, &context)), [5, 6]);
        tail.publish_at(6, Bytes::from_static(b"c"));
        assert_eq!(offsets(tail.poll_read(0, 5, 9, &context)), [5, 6]);
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        assert!(tail.poll_read(0, 7, 9, &Context::from_waker(&waker)).is_pending());
        tail.publish_at(8, Bytes::from_static(b"d"));
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1, "whoever waits in front of a gap has to look elsewhere");
        assert_eq!(tail.poll_read(0, 7, 9, &context), Poll::Ready(Ok(Read::Behind(8))));
        assert_eq!(tail.end(), 9);
    }

    #[test]
    fn a_stopped_tail_gives_what_it_has_and_then_the_reason() {
        let tail = Tail::new(0, Limits::NONE);
        let context = Context::from_waker(Waker::noop());
        assert_eq!(tail.publish_one(Bytes::from_static(b"a")), Ok(()));
        tail.stop(LogError::Closed);
        assert_eq!(tail.publish_one(Bytes::from_static(b"b")), Err(LogError::Closed));
        assert_eq!(offsets(tail.poll_read(0, 0, 9, &context)), [0]);
        assert_eq!(tail.poll_read(0, 1, 9, &context), Poll::Ready(Err(LogError::Closed)));
    }
}
