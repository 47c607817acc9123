//! One partition, and what its entries mean to someone who sees everything.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use pactum_journal::validity::Rule;
use pactum_journal::{Entry, Position, Skip, Verdict};
use pactum_log::Offset;

use super::laws::{Broken, Law};
use super::machine::Effect;

/// From one entry to the next. Offsets grow, that is all that is promised.
const STRIDE: Offset = 2;

/// An entry and what is known about who sent it; the writers do not see that.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) bytes: Bytes,
    pub(super) entry: Entry,
    /// The sender's run: a restarted writer is another one.
    pub(super) run: u8,
    /// The term in force as the sender had read it.
    seen: Option<Offset>,
    pub(super) digest: u64,
}

impl Sent {
    /// Claims of one run on one term are the same to everyone: their ids tell runs apart and no more.
    pub(super) fn new(bytes: Bytes, run: u8, seen: Option<Offset>) -> Self {
        let entry = Entry::decode(&bytes).expect("a writer writes entries");
        let mut hasher = DefaultHasher::new();
        (run, seen).hash(&mut hasher);
        match &entry {
            Entry::Genesis(_) => 0.hash(&mut hasher),
            Entry::Claim(claim) => (1, claim.after).hash(&mut hasher),
            Entry::Record(record) => (2, record.term, record.n, &record.body).hash(&mut hasher),
        }
        Self { bytes, entry, run, seen, digest: hasher.finish() }
    }

    pub(super) fn effect(&self) -> Option<Effect> {
        match &self.entry {
            Entry::Record(record) => Effect::decode(&record.body),
            Entry::Genesis(_) | Entry::Claim(_) => None,
        }
    }
}

/// What every reader of so many entries must have found.
#[derive(Clone, Copy, Debug)]
struct Mark {
    term: Option<Offset>,
    next: u64,
    effects: usize,
}

/// What the log shows of the faults that it went through.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sights {
    pub(super) taken_over: bool,
    pub(super) duplicate_skipped: bool,
    pub(super) hole_skipped: bool,
    pub(super) deposed_skipped: bool,
    pub(super) late_claim_skipped: bool,
    pub(super) second_genesis_skipped: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    entries: Vec<Arc<Sent>>,
    marks: Vec<Mark>,
    position: Position,
    /// Whose claim is in force.
    pub(super) owner: Option<u8>,
    /// Whose record was the first of the term in force.
    writer: Option<u8>,
    pairs: Vec<(Offset, u64)>,
    effects: Vec<Effect>,
    pub(super) sights: Sights,
    /// All else follows from the entries.
    pub(super) digest: u64,
}

impl Log {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<(Offset, Arc<Sent>)> {
        Some((index as Offset * STRIDE, Arc::clone(self.entries.get(index)?)))
    }

    /// The offset after the last entry.
    pub(super) fn end(&self) -> Offset {
        self.entries.len().checked_sub(1).map_or(0, |last| last as Offset * STRIDE + 1)
    }

    /// What took effect, in order.
    pub(super) fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// An entry is in the log now, for ever: whatever it does is an effect of its sender at this moment.
    pub(super) fn append<R: Rule>(&mut self, sent: &Arc<Sent>, broken: &mut Broken) -> Option<Effect> {
        let offset = self.entries.len() as Offset * STRIDE;
        let before = (self.position.term, self.position.next);
        let verdict = self.position.observe_by::<R>(offset, &sent.entry);
        let mut effect = None;
        match (verdict, &sent.entry) {
            (Verdict::ValidClaim, _) => {
                broken.unless(sent.seen == before.0, Law::LateClaim);
                self.sights.taken_over |= self.owner.is_some_and(|owner| owner != sent.run);
                self.owner = Some(sent.run);
                self.writer = None;
            }
            (Verdict::ValidRecord, Entry::Record(record)) => {
                broken.unless(self.owner == Some(sent.run), Law::Deposed);
                broken.unless(*self.writer.get_or_insert(sent.run) == sent.run, Law::OneWriter);
                broken.unless(before.0 == Some(record.term), Law::NoOlderTerm);
                broken.unless(!self.pairs.contains(&(record.term, record.n)), Law::OncePerTerm);
                self.pairs.push((record.term, record.n));
                effect = sent.effect();
                if let Some(effect) = effect {
                    let next = self.effects.len() + 1;
                    broken.unless(usize::from(effect.sequence) == next, Law::InOrder);
                    let before = self.effects.iter().any(|earlier| earlier.request == effect.request);
                    broken.unless(!before, Law::OnceEver);
                    self.effects.push(effect);
                }
            }
            (Verdict::Skipped(reason), entry) => self.skipped(reason, entry, sent, before.1),
            _ => {}
        }
        let (term, next, effects) = (self.position.term, self.position.next, self.effects.len());
        self.marks.push(Mark { term, next, effects });
        self.entries.push(Arc::clone(sent));
        let mut hasher = DefaultHasher::new();
        (self.digest, sent.digest).hash(&mut hasher);
        self.digest = hasher.finish();
        effect
    }

    fn skipped(&mut self, reason: Skip, entry: &Entry, sent: &Sent, next: u64) {
        let again = self.entries.iter().any(|earlier| earlier.digest == sent.digest);
        let sights = &mut self.sights;
        match (reason, entry) {
            (Skip::OutOfOrder, Entry::Record(record)) if record.n > next => sights.hole_skipped = true,
            (Skip::OutOfOrder, _) => sights.duplicate_skipped |= again,
            (Skip::OtherTerm, _) => sights.deposed_skipped |= !again,
            (Skip::StaleClaim, _) => sights.late_claim_skipped |= !again,
            (Skip::SecondGenesis, _) => sights.second_genesis_skipped |= !again,
            (Skip::BeforeGenesis, _) => {}
        }
    }

    /// Whether a reader of so many entries that found this read them right.
    pub(super) fn agrees(&self, read: usize, position: &Position, effects: &[Effect]) -> bool {
        let Some(last) = read.checked_sub(1) else { return position.term.is_none() && effects.is_empty() };
        let mark = self.marks[last];
        (position.term, position.next) == (mark.term, mark.next) && *effects == self.effects[..mark.effects]
    }
}
