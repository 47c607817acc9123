//! Memory for rows kept from batch to batch, divided among the views that are at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory of a process for rows kept from batch to batch.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    bytes: usize,
    at_work: Arc<AtomicUsize>,
}

/// A view's share, while it is at work.
#[derive(Debug)]
pub(crate) struct Share(Room);

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { bytes, at_work: Arc::default() }
    }

    /// A share for a view that begins to work.
    pub(crate) fn share(&self) -> Share {
        self.at_work.fetch_add(1, Ordering::Relaxed);
        Share(self.clone())
    }
}

impl Share {
    /// How many bytes it has now: fewer as more views are at work.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes / self.0.at_work.load(Ordering::Relaxed).max(1)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_add_up_to_more_than_there_is() {
        let room = Room::new(100);
        let one = room.share();
        assert_eq!(one.bytes(), 100);
        let others: Vec<_> = (0..3).map(|_| room.share()).collect();
        assert_eq!(others.iter().chain([&one]).map(Share::bytes).sum::<usize>(), 100);
        drop(others);
        assert_eq!(one.bytes(), 100);
    }
}
