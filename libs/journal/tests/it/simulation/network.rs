//! One partition behind a network that delays, loses, doubles and reorders what is sent to it.

use bytes::Bytes;
use pactum_log::Offset;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// An entry and what is known about who sent it; the writers under test do not see that.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) bytes: Bytes,
    /// The sender's run: a restarted writer is another one.
    pub(crate) run: u128,
    /// Which writer that is.
    pub(crate) writer: usize,
    /// The term in force as the sender had read it when it sent this.
    pub(crate) term: Option<Offset>,
}

#[derive(Default)]
pub(crate) struct Network {
    pub(crate) log: Vec<(Offset, Sent)>,
    pub(crate) under_way: Vec<Sent>,
    next_offset: Offset,
}

impl Network {
    /// The offset after the last entry.
    pub(crate) fn end(&self) -> Offset {
        self.log.last().map_or(0, |(offset, _)| offset + 1)
    }

    pub(crate) fn send(&mut self, sent: Sent) {
        self.under_way.push(sent);
    }

    /// Puts what was sent `index`th among what is under way into the log.
    pub(crate) fn deliver(&mut self, index: usize, keep: bool, rng: &mut ChaCha8Rng) -> (Offset, Sent) {
        let sent = if keep { self.under_way[index].clone() } else { self.under_way.remove(index) };
        // Offsets grow, that is all that is promised.
        self.next_offset += if rng.random_bool(0.1) { rng.random_range(1..4) } else { 0 };
        let offset = self.next_offset;
        self.next_offset += 1;
        self.log.push((offset, sent.clone()));
        (offset, sent)
    }

    pub(crate) fn lose(&mut self, index: usize) -> Sent {
        self.under_way.remove(index)
    }
}
