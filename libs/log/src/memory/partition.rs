//! A partition behind a bad network, as a pure model: nothing happens but by [`FaultyPartition::step`], and the same calls
//! with the same random numbers give the same log.

use super::Faults;
use crate::{Entry, LogError, Offset};
use bytes::Bytes;
use rand::{Rng, RngExt};
use std::collections::{BTreeMap, VecDeque};

/// A writer's name, chosen by the caller.
pub type WriterId = u64;

/// A reader's name, chosen by the caller.
pub type ReaderId = u64;

#[derive(Debug, Default)]
struct Connection {
    under_way: VecDeque<Bytes>,
    stalled: u32,
    failures: u64,
}

/// One partition, the connections to it and what each reader sees of it.
///
/// Whatever the faults do, two things hold, as they do for every log: the entries only grow at the end, and a reader sees a
/// growing prefix of them that never exceeds [`end`](Self::end).
#[derive(Debug)]
pub struct FaultyPartition {
    faults: Faults,
    entries: Vec<Entry>,
    connections: BTreeMap<WriterId, Connection>,
    wandering: Vec<Bytes>,
    readers: BTreeMap<ReaderId, Offset>,
}

impl FaultyPartition {
    /// An empty partition.
    #[must_use]
    pub fn new(faults: Faults) -> Self {
        Self {
            faults,
            entries: Vec::new(),
            connections: BTreeMap::new(),
            wandering: Vec::new(),
            readers: BTreeMap::new(),
        }
    }

    /// What goes wrong now.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults
    }

    /// Changes what goes wrong from the next step on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
        if faults.stall == 0.0 {
            for connection in self.connections.values_mut() {
                connection.stalled = 0;
            }
        }
    }

    /// Puts an entry on a writer's connection.
    pub fn submit(&mut self, writer: WriterId, bytes: Bytes) {
        self.connections.entry(writer).or_default().under_way.push_back(bytes);
    }

    /// Lets the network do something: deliver, lose, duplicate, reorder or hold back what is under way, and let readers see
    /// more.
    pub fn step(&mut self, rng: &mut impl Rng) {
        self.deliver_wanderers(rng);
        let writers: Vec<WriterId> = self.connections.keys().copied().collect();
        for writer in writers {
            self.deliver_from(writer, rng);
        }
        self.connections.retain(|_, connection| !connection.is_idle());
        let end = self.end();
        for seen in self.readers.values_mut() {
            *seen = if rng.random_bool(self.faults.lag) { rng.random_range(*seen..=end) } else { end };
        }
    }

    /// Cuts a writer's connection, as when its process dies: of what is under way, each message is lost or arrives later.
    pub fn crash(&mut self, writer: WriterId, rng: &mut impl Rng) {
        let Some(connection) = self.connections.remove(&writer) else { return };
        for bytes in connection.under_way {
            if rng.random_bool(0.5) {
                self.wandering.push(bytes);
            }
        }
    }

    /// Holds back everything on a writer's connection for a number of steps.
    pub fn stall(&mut self, writer: WriterId, steps: u32) {
        self.connections.entry(writer).or_default().stalled = steps;
    }

    /// How many of a writer's entries it was told are lost, since it was last asked.
    pub fn take_failures(&mut self, writer: WriterId) -> u64 {
        self.connections.get_mut(&writer).map_or(0, |connection| std::mem::take(&mut connection.failures))
    }

    /// Everything appended so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The offset after the last entry.
    #[must_use]
    pub fn end(&self) -> Offset {
        self.entries.len() as Offset
    }

    /// How far a reader sees: the offset after the last entry it may be given. A reader unknown so far starts at 0.
    pub fn visible(&mut self, reader: ReaderId) -> Offset {
        *self.readers.entry(reader).or_insert(0)
    }

    /// What a reader may be given from `from` on: at most `max` entries, none if it sees no further.
    pub fn read(&mut self, reader: ReaderId, from: Offset, max: usize) -> &[Entry] {
        let visible = index(self.visible(reader));
        let from = index(from).min(visible);
        &self.entries[from..from.saturating_add(max).min(visible)]
    }

    /// Forgets a reader.
    pub fn leave(&mut self, reader: ReaderId) {
        self.readers.remove(&reader);
    }

    /// Whether nothing is under way: no later step can change the entries.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.wandering.is_empty() && self.connections.values().all(|connection| connection.under_way.is_empty())
    }

    /// The error a writer gets for entries that were lost.
    #[must_use]
    pub fn lost(count: u64) -> LogError {
        LogError::Unavailable(format!("{count} entries were lost on the way"))
    }

    fn deliver_wanderers(&mut self, rng: &mut impl Rng) {
        let mut staying = Vec::new();
        let mut arriving = Vec::new();
        for bytes in self.wandering.drain(..) {
            if rng.random_bool(self.faults.arrive) {
                arriving.push(bytes);
            } else {
                staying.push(bytes);
            }
        }
        self.wandering = staying;
        // They left in some order, they come in any.
        while !arriving.is_empty() {
            let next = arriving.swap_remove(rng.random_range(0..arriving.len()));
            self.push(next);
        }
    }

    fn deliver_from(&mut self, writer: WriterId, rng: &mut impl Rng) {
        let faults = self.faults;
        let Some(mut connection) = self.connections.remove(&writer) else { return };
        if connection.stalled == 0 && faults.stall_steps > 0 && rng.random_bool(faults.stall) {
            connection.stalled = rng.random_range(1..=faults.stall_steps);
        }
        if connection.stalled > 0 {
            connection.stalled -= 1;
        } else {
            while !connection.under_way.is_empty() && !rng.random_bool(faults.delay) {
                let overtakes = rng.random_bool(faults.reorder);
                let place = if overtakes { rng.random_range(0..connection.under_way.len()) } else { 0 };
                let Some(bytes) = connection.under_way.remove(place) else { break };
                if rng.random_bool(faults.lose) {
                    connection.failures += u64::from(rng.random_bool(faults.report));
                } else if rng.random_bool(faults.wander) {
                    self.wandering.push(bytes);
                } else {
                    if rng.random_bool(faults.duplicate) {
                        self.wandering.push(bytes.clone());
                    }
                    self.push(bytes);
                }
            }
        }
        self.connections.insert(writer, connection);
    }

    fn push(&mut self, bytes: Bytes) {
        let offset = self.end();
        self.entries.push(Entry { offset, bytes });
    }
}

impl Connection {
    fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.stalled == 0 && self.failures == 0
    }
}

fn index(offset: Offset) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;
    use std::collections::BTreeSet;

    fn number(entry: &Entry) -> u64 {
        let bytes = entry.bytes.as_ref().try_into();
        u64::from_le_bytes(bytes.expect("the test writes eight bytes"))
    }

    fn run(faults: Faults, seed: u64, count: u64) -> FaultyPartition {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut partition = FaultyPartition::new(faults);
        let mut seen = 0;
        let mut before: Vec<Entry> = Vec::new();
        for number in 0..count {
            partition.submit(number % 3, Bytes::copy_from_slice(&number.to_le_bytes()));
            partition.step(&mut rng);
            let visible = partition.visible(7);
            assert!(seen <= visible && visible <= partition.end(), "a reader's prefix grows, up to the end");
            assert_eq!(partition.entries()[..before.len()], before, "what is there never changes");
            (seen, before) = (visible, partition.entries().to_vec());
        }
        partition.set_faults(Faults { lose: faults.lose, report: faults.report, ..Faults::NONE });
        while !partition.is_quiet() {
            partition.step(&mut rng);
        }
        partition
    }

    #[test]
    fn without_faults_every_entry_is_there_at_once_in_order() {
        let mut partition = run(Faults::NONE, 1, 100);
        assert_eq!(partition.entries().iter().map(number).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        assert_eq!(partition.visible(7), 100);
        assert_eq!(partition.read(7, 98, 10).len(), 2);
        assert_eq!(partition.read(7, 100, 10).len(), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_log() {
        assert_eq!(run(Faults::MANY, 5, 500).entries(), run(Faults::MANY, 5, 500).entries());
        assert_ne!(run(Faults::MANY, 5, 500).entries(), run(Faults::MANY, 6, 500).entries());
    }

    #[test]
    fn each_fault_shows() {
        let only = |change: fn(&mut Faults)| {
            let mut faults = Faults::NONE;
            change(&mut faults);
            let partition = run(faults, 9, 1000);
            let numbers: Vec<u64> = partition.entries().iter().map(number).collect();
            let distinct = numbers.iter().collect::<BTreeSet<_>>().len();
            let in_order = [0, 1, 2].iter().all(|writer| {
                let mine: Vec<u64> = numbers.iter().copied().filter(|number| number % 3 == *writer).collect();
                mine.is_sorted()
            });
            (numbers.len(), distinct, in_order)
        };
        assert_eq!(only(|f| f.delay = 0.9), (1000, 1000, true));
        assert_eq!(only(|f| (f.stall, f.stall_steps) = (0.2, 20)), (1000, 1000, true));
        let (count, distinct, in_order) = only(|f| f.lose = 0.3);
        assert!(count == distinct && (550..850).contains(&count) && in_order);
        let (count, distinct, _) = only(|f| f.duplicate = 0.3);
        assert!(distinct == 1000 && (1150..1450).contains(&count));
        let (count, distinct, in_order) = only(|f| (f.reorder, f.delay) = (0.3, 0.9));
        assert!(count == 1000 && distinct == 1000 && !in_order);
        let (count, distinct, in_order) = only(|f| (f.wander, f.arrive) = (0.3, 0.05));
        assert!(count == 1000 && distinct == 1000 && !in_order);
    }

    #[test]
    fn losses_are_told_or_not() {
        let told = |report| {
            let mut partition = run(Faults { lose: 1.0, report, ..Faults::NONE }, 3, 90);
            assert_eq!(partition.end(), 0);
            (0..3).map(|writer| partition.take_failures(writer) + partition.take_failures(writer)).sum::<u64>()
        };
        assert_eq!((told(1.0), told(0.0)), (90, 0));
    }

    #[test]
    fn a_crash_loses_some_of_what_is_under_way_and_delays_the_rest() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut partition = FaultyPartition::new(Faults::NONE);
        for number in 0..100u64 {
            partition.submit(1, Bytes::copy_from_slice(&number.to_le_bytes()));
        }
        partition.crash(1, &mut rng);
        assert_eq!(partition.end(), 0);
        partition.step(&mut rng);
        assert!((25..75).contains(&partition.end()), "{}", partition.end());
    }

    #[test]
    fn a_stalled_writer_comes_back_late() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut partition = FaultyPartition::new(Faults { stall: 0.0, ..Faults::NONE });
        partition.submit(1, Bytes::from_static(b"late"));
        partition.stall(1, 3);
        partition.submit(2, Bytes::from_static(b"early"));
        for _ in 0..4 {
            partition.step(&mut rng);
        }
        let order: Vec<&[u8]> = partition.entries().iter().map(|entry| entry.bytes.as_ref()).collect();
        assert_eq!(order, [&b"early"[..], b"late"]);
    }
}
