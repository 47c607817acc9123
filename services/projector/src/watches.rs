//! Programs whose rows somebody holds in memory, and what was written of them since.
//!
//! A batch is announced before it is written, with its offset. Whoever holds a program's rows takes what was announced up to
//! the offset that the store holds: so it never misses a batch that was written, and never has one that was not. Nothing here
//! waits for the disk, and nothing costs the fold anything while nobody holds a program of the view.
//!
//! What waits to be taken is bounded. A watch that outgrows its room, or may have missed something, ends: what is held is then
//! to be read anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pactum_ids::ProgramId;
use pactum_views::changes::Write;
use pactum_views::key::Key;
use pactum_views::pipeline::Columns;

/// Bytes that a write takes besides key and row.
const OVERHEAD: usize = 96;

/// The watches over a view's rows.
#[derive(Default)]
pub(crate) struct Watches(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// The offset of the batch that was announced last.
    announced: Option<u64>,
    last_ticket: u64,
    /// By what the program's keys begin with.
    watches: HashMap<Vec<u8>, Watch>,
}

struct Watch {
    ticket: u64,
    room: usize,
    bytes: usize,
    /// With the offset of their batch, in its order.
    writes: Vec<(u64, Write)>,
}

/// A watch that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watching {
    pub(crate) ticket: u64,
    /// Rows that are held have to be of this offset, or of a later one: batches before it were not noted.
    pub(crate) from: u64,
}

/// What a batch writes of the programs that were watched when it began.
#[derive(Default)]
pub(crate) struct Noted(HashMap<Vec<u8>, Vec<Write>>);

impl Noted {
    /// Notes a write, if its program is watched.
    pub(crate) fn note(&mut self, keyspace: &'static str, key: &[u8], row: Option<&[u8]>) {
        if self.0.is_empty() || !Columns::KEYSPACES.contains(&keyspace) {
            return;
        }
        let Some(end) = key.iter().position(|byte| *byte == 0) else { return };
        if let Some(writes) = self.0.get_mut(&key[..=end]) {
            writes.push(Write { keyspace, key: key.to_vec(), row: row.map(<[u8]>::to_vec) });
        }
    }
}

impl Watches {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a batch that begins: what of it is to be noted.
    pub(crate) fn noted(&self) -> Noted {
        Noted(self.inner().watches.keys().map(|program| (program.clone(), Vec::new())).collect())
    }

    /// Announces a batch that is about to be written, up to the offset `to`. `held` tells the offset that the store holds; it
    /// is asked only where somebody watches. A batch may be announced again until it is written.
    pub(crate) fn announce(&self, to: u64, mut noted: Noted, held: impl FnOnce() -> Option<u64>) {
        let mut inner = self.inner();
        let Inner { announced, watches, .. } = &mut *inner;
        if *announced == Some(to) {
            return;
        }
        let before = announced.replace(to);
        if watches.is_empty() {
            return;
        }
        // One that was announced and never written would be taken for written now.
        if before.is_some_and(|before| held() != Some(before)) {
            return watches.clear();
        }
        watches.retain(|program, watch| {
            // One that began after the batch did has missed some of it.
            let Some(writes) = noted.0.remove(program) else { return false };
            watch.bytes += writes.iter().map(size).sum::<usize>();
            watch.writes.extend(writes.into_iter().map(|write| (to, write)));
            watch.bytes <= watch.room
        });
    }

    /// Begins to watch a program in place of who did before; up to `room` bytes may wait to be taken.
    pub(crate) fn watch(&self, program: &ProgramId, room: usize) -> Watching {
        let mut inner = self.inner();
        inner.last_ticket += 1;
        let ticket = inner.last_ticket;
        inner.watches.insert(Key::of(program).bytes(), Watch { ticket, room, bytes: 0, writes: Vec::new() });
        Watching { ticket, from: inner.announced.unwrap_or(0) }
    }

    /// Takes what was written up to an offset that the store holds. `None`: the watch has ended.
    pub(crate) fn take(&self, program: &ProgramId, ticket: u64, held: u64) -> Option<Vec<Write>> {
        let mut inner = self.inner();
        let watch = inner.watches.get_mut(Key::of(program).as_slice()).filter(|watch| watch.ticket == ticket)?;
        let until = watch.writes.partition_point(|(offset, _)| *offset <= held);
        let taken: Vec<_> = watch.writes.drain(..until).map(|(_, write)| write).collect();
        watch.bytes -= taken.iter().map(size).sum::<usize>();
        Some(taken)
    }

    /// Says how much may wait from now on.
    pub(crate) fn limit(&self, program: &ProgramId, ticket: u64, room: usize) {
        let mut inner = self.inner();
        let watch = inner.watches.get_mut(Key::of(program).as_slice()).filter(|watch| watch.ticket == ticket);
        if let Some(watch) = watch {
            watch.room = room;
        }
    }

    /// Ends a watch.
    pub(crate) fn end(&self, program: &ProgramId, ticket: u64) {
        let mut inner = self.inner();
        if inner.watches.get(Key::of(program).as_slice()).is_some_and(|watch| watch.ticket == ticket) {
            inner.watches.remove(Key::of(program).as_slice());
        }
    }
}

fn size(write: &Write) -> usize {
    write.key.len() + write.row.as_ref().map_or(0, Vec::len) + OVERHEAD
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const CELLS: &str = Columns::KEYSPACES[0];

    fn program(id: &str) -> ProgramId {
        ProgramId::new(id).unwrap()
    }

    /// Announces a batch with a row of each program.
    fn batch(watches: &Watches, programs: &[&str], from: u64, to: u64) {
        let mut noted = watches.noted();
        for id in programs {
            noted.note(CELLS, &Key::of(&program(id)).number(to).bytes(), Some(b"row"));
            noted.note("elsewhere", &Key::of(&program(id)).number(to).bytes(), Some(b"row"));
        }
        watches.announce(to, noted, || Some(from));
    }

    fn taken(watches: &Watches, id: &str, ticket: u64, held: u64) -> Option<Vec<u64>> {
        let writes = watches.take(&program(id), ticket, held)?;
        let number = |write: &Write| u64::from_be_bytes(write.key[id.len() + 1..].try_into().unwrap());
        assert!(writes.iter().all(|write| write.keyspace == CELLS));
        Some(writes.iter().map(number).collect())
    }

    #[test]
    fn what_is_not_written_yet_waits() {
        let watches = Watches::default();
        batch(&watches, &["acme"], 0, 5);
        let Watching { ticket, from } = watches.watch(&program("acme"), 10_000);
        assert_eq!(from, 5);
        batch(&watches, &["acme", "acme-2"], 5, 7);
        batch(&watches, &["acme-2"], 7, 8);
        batch(&watches, &["acme"], 8, 9);
        assert_eq!(taken(&watches, "acme", ticket, 5), Some(vec![]));
        assert_eq!(taken(&watches, "acme", ticket, 8), Some(vec![7]));
        assert_eq!(taken(&watches, "acme", ticket, 9), Some(vec![9]));
        watches.end(&program("acme"), ticket);
        assert_eq!(taken(&watches, "acme", ticket, 9), None);
    }

    #[test]
    fn a_batch_that_is_tried_again_counts_once() {
        let watches = Watches::default();
        let ticket = watches.watch(&program("acme"), 10_000).ticket;
        batch(&watches, &["acme"], 0, 5);
        batch(&watches, &["acme"], 0, 5);
        assert_eq!(taken(&watches, "acme", ticket, 5), Some(vec![5]));
    }

    #[test]
    fn who_may_have_missed_something_reads_anew() {
        let watches = Watches::default();
        let mut noted = watches.noted();
        let ticket = watches.watch(&program("acme"), 10_000).ticket;
        noted.note(CELLS, &Key::of(&program("acme")).bytes(), None);
        watches.announce(5, noted, || Some(0));
        assert_eq!(taken(&watches, "acme", ticket, 5), None, "it began after the batch did");

        let ticket = watches.watch(&program("acme"), 10_000).ticket;
        batch(&watches, &["acme"], 5, 6);
        batch(&watches, &["acme"], 5, 7);
        assert_eq!(taken(&watches, "acme", ticket, 7), None, "6 was announced and never written");

        let ticket = watches.watch(&program("acme"), 10_000).ticket;
        let other = watches.watch(&program("acme"), 10_000).ticket;
        batch(&watches, &["acme"], 7, 8);
        assert_eq!(taken(&watches, "acme", ticket, 8), None, "another one watches");
        assert_eq!(taken(&watches, "acme", other, 8), Some(vec![8]));
    }

    #[test]
    fn what_waits_is_bounded() {
        let watches = Watches::default();
        let ticket = watches.watch(&program("acme"), 1_000).ticket;
        for to in 1..=1_000 {
            batch(&watches, &["acme"], to - 1, to);
            if to % 5 == 0 {
                assert_eq!(taken(&watches, "acme", ticket, to).unwrap().len(), 5);
            }
        }
        watches.limit(&program("acme"), ticket, 100);
        batch(&watches, &["acme"], 1_000, 1_001);
        assert_eq!(taken(&watches, "acme", ticket, 1_001), None);
    }
}
