//! One writer's process.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use pactum_journal::JournalOptions;
use pactum_journal::validity::Rule;
use pactum_journal::writer::{Now, Settings, Ticket, Writer};
use pactum_log::Offset;

use super::machine::Ledger;

/// Time stands still. What waits no time is over, what waits any is not, until the model says that it [`LATER`] is.
pub(super) const NOW: Now = Now { wall: 0, moment: 0 };

/// When every wait is over.
pub(super) const LATER: Now = Now { wall: 0, moment: 2 };

/// A deadline out of reach: a client that does not want to wait asks again, here or elsewhere.
pub(super) const DEADLINE: u64 = 1_000;

pub(super) struct Node<R: Rule> {
    pub(super) writer: Writer<Ledger, u8, R>,
    pub(super) run: u8,
    /// How many entries of the log were read.
    pub(super) read: usize,
    /// The question for the log's end on its way, and what it will be answered. The end is that of the moment of asking:
    /// a later one would only be waited for longer.
    pub(super) question: Option<(Ticket, Offset)>,
    pub(super) digest: u64,
}

impl<R: Rule> Clone for Node<R> {
    fn clone(&self) -> Self {
        Self { writer: self.writer.clone(), ..*self }
    }
}

impl<R: Rule> Node<R> {
    /// A process starts with nothing but its configuration.
    pub(super) fn start(index: usize, incarnation: u8, told: bool, window: usize) -> Self {
        let run = incarnation * 8 + index as u8;
        let options = JournalOptions {
            owner: format!("w{index}"),
            log_id: Some(1),
            own: told,
            window,
            // Over when the model says so: nothing but a tick looks at it.
            read_back_timeout: Duration::ZERO,
            claim_backoff: Duration::ZERO,
            claim_backoff_max: Duration::ZERO,
            contest_delay: Duration::from_micros(LATER.moment),
            grace: Duration::from_micros(LATER.moment),
            ..JournalOptions::default()
        };
        let instance = u128::from(run + 1) << 64;
        let writer = Writer::new(Ledger::default(), Settings::new(&options, 1, instance));
        Self { writer, run, read: 0, question: None, digest: 0 }
    }

    pub(super) fn incarnation(&self) -> u8 {
        self.run / 8
    }

    pub(super) fn note_digest(&mut self) {
        let mut hasher = DefaultHasher::new();
        self.writer.hash_at(NOW.moment, &mut hasher);
        (self.run, self.read, self.question.map(|(_, end)| end)).hash(&mut hasher);
        self.digest = hasher.finish();
    }
}
