//! The request ids of a program, remembered for the policy's window, so that repeating a request is safe.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use pactum_domain::time::{DAY, Timestamp};
use pactum_ids::{PartnerId, RequestId};

use crate::answer::Done;

/// Whose request id it is. Callers of one partner share their ids, and so do the vendor's; two partners that both count
/// from 1 must neither meet each other nor learn of each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) party: Option<PartnerId>,
    pub(crate) id: RequestId,
}

/// The first answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) content_hash: [u8; 16],
    pub(crate) answer: Done,
    pub(crate) recorded_at: Timestamp,
}

/// Requests and their first answers, and the order in which they run out.
///
/// The ids come from callers, so this is a map whose hash they cannot aim at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    answers: HashMap<Key, Remembered>,
    // Oldest first: within a program `recorded_at` never goes back.
    order: VecDeque<Key>,
}

/// Takes one [`Memory::remember`] back.
#[derive(Debug, Default)]
pub(crate) struct Forgotten {
    added: Option<Key>,
    // Oldest first.
    dropped: Vec<(Key, Remembered)>,
}

fn over(recorded_at: Timestamp, window_days: u32, now: Timestamp) -> bool {
    recorded_at.0.saturating_add(i64::from(window_days).saturating_mul(DAY)) <= now.0
}

impl Memory {
    /// The first answer to this request, if the window from then still covers `now`.
    pub(crate) fn find(&self, key: &Key, window_days: u32, now: Timestamp) -> Option<&Remembered> {
        self.answers.get(key).filter(|first| !over(first.recorded_at, window_days, now))
    }

    /// Drops what has run out by `now`, and remembers a request where there is one.
    pub(crate) fn remember(
        &mut self,
        request: Option<(Key, Remembered)>,
        window_days: u32,
        now: Timestamp,
    ) -> Forgotten {
        let mut dropped = Vec::new();
        while let Some((key, first)) = self.order.front().and_then(|key| self.answers.get_key_value(key)) {
            if !over(first.recorded_at, window_days, now) {
                break;
            }
            let key = key.clone();
            self.order.pop_front();
            if let Some(first) = self.answers.remove(&key) {
                dropped.push((key, first));
            }
        }
        let added = request.and_then(|(key, first)| match self.answers.entry(key) {
            // Decide never makes such a record, so another writer has a bug; the first answer stays the answer.
            Entry::Occupied(_) => None,
            Entry::Vacant(place) => {
                let key = place.key().clone();
                place.insert(first);
                self.order.push_back(key.clone());
                Some(key)
            }
        });
        Forgotten { added, dropped }
    }

    /// Takes the newest [`Memory::remember`] back.
    pub(crate) fn undo(&mut self, forgotten: Forgotten) {
        if let Some(key) = forgotten.added {
            self.order.pop_back();
            self.answers.remove(&key);
        }
        for (key, first) in forgotten.dropped.into_iter().rev() {
            self.order.push_front(key.clone());
            self.answers.insert(key, first);
        }
    }

    /// How many requests are remembered.
    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }

    /// Everything remembered, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Remembered)> {
        self.order.iter().filter_map(|key| self.answers.get_key_value(key))
    }
}

impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}
