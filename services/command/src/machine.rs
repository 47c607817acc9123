//! The state machine of one partition: the programs that lie in it.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use bytes::Bytes;
use pactum_domain::time::Timestamp;
use pactum_events::{decode, encode};
use pactum_ids::ProgramId;
use pactum_journal::{Decision, FoldError, Machine};
use rustc_hash::FxHashMap;

use crate::answer::Answer;
use crate::envelope::Envelope;
use crate::slot::{Effect, Slot, Verdict};

/// The programs of one partition. The same log gives the same state, whether the records were decided here or read.
#[derive(Clone, Debug, Default)]
pub struct ProgramsMachine {
    programs: FxHashMap<ProgramId, Slot>,
    /// Every program in which something will fall due, by when: a function of the slots, so that looking costs nothing
    /// while nothing is due.
    due: BTreeSet<(Timestamp, ProgramId)>,
    due_of: FxHashMap<ProgramId, Timestamp>,
}

/// Takes the effect of one record in flight back.
#[derive(Debug)]
pub struct Undo {
    program: ProgramId,
    /// The program exists because of this effect.
    created: bool,
    effect: Effect,
}

impl ProgramsMachine {
    /// How many programs there are.
    #[must_use]
    pub fn programs(&self) -> usize {
        self.programs.len()
    }

    /// The sequence of a program's last event; `None` where the program does not exist.
    #[must_use]
    pub fn sequence(&self, program: &ProgramId) -> Option<u64> {
        self.programs.get(program).map(|slot| slot.sequence)
    }

    fn schedule(&mut self, program: &ProgramId) {
        let next = self.programs.get(program).and_then(|slot| slot.model.next_due());
        if self.due_of.get(program).copied() == next {
            return;
        }
        let previous = match next {
            Some(next) => {
                self.due.insert((next, program.clone()));
                self.due_of.insert(program.clone(), next)
            }
            None => self.due_of.remove(program),
        };
        if let Some(previous) = previous {
            self.due.remove(&(previous, program.clone()));
        }
    }
}

/// Equal where every later command would be decided and answered alike.
impl PartialEq for ProgramsMachine {
    fn eq(&self, other: &Self) -> bool {
        self.programs == other.programs && self.due == other.due
    }
}

impl Machine for ProgramsMachine {
    // Boxed: it passes through the queue and the writer, and is far larger than a pointer.
    type Command = Box<Envelope>;
    type Answer = Answer;
    type Undo = Undo;

    fn decide(&mut self, envelope: &Box<Envelope>, now: i64) -> Decision<Answer, Undo> {
        let now = Timestamp(now);
        // A program that does not exist is decided on an empty one, and kept only if that made it exist: callers must not
        // be able to fill the memory with names.
        let (verdict, created) = match self.programs.get_mut(&envelope.program) {
            Some(slot) => (slot.decide(envelope, now), false),
            None => {
                let mut slot = Slot::new(envelope.program.clone());
                let verdict = slot.decide(envelope, now);
                if matches!(verdict, Verdict::Append { .. }) {
                    self.programs.insert(envelope.program.clone(), slot);
                }
                (verdict, true)
            }
        };
        match verdict {
            Verdict::Answer(answer) => Decision::Answer(answer),
            Verdict::Append { record, done, effect } => {
                self.schedule(&envelope.program);
                let undo = Undo { program: envelope.program.clone(), created, effect };
                Decision::Append { body: encode(&record), answer: Ok(done), undo }
            }
        }
    }

    fn fold(&mut self, body: &Bytes) -> Result<(), FoldError> {
        let record = decode(body).map_err(|error| FoldError::new(error.to_string()))?;
        let (program, sequence) = (record.program.clone(), record.sequence);
        let folded = match self.programs.entry(program.clone()) {
            Entry::Occupied(slot) => slot.into_mut().fold(record),
            Entry::Vacant(place) => {
                let mut slot = Slot::new(program.clone());
                slot.fold(record).map(|()| {
                    place.insert(slot);
                })
            }
        };
        folded.map_err(|why| FoldError::new(format!("programs/{program}, record at sequence {sequence}: {why}")))?;
        self.schedule(&program);
        Ok(())
    }

    fn undo(&mut self, undo: Undo) {
        if undo.created {
            self.programs.remove(&undo.program);
        } else if let Some(slot) = self.programs.get_mut(&undo.program) {
            slot.undo(undo.effect);
        }
        self.schedule(&undo.program);
    }

    fn due(&mut self, now: i64, limit: usize) -> Vec<Box<Envelope>> {
        let now = Timestamp(now);
        let mut commands = Vec::new();
        for (_, program) in self.due.iter().take_while(|(next, _)| *next <= now) {
            let Some(slot) = self.programs.get(program) else { continue };
            let room = limit - commands.len();
            let due = slot.model.due(now, room);
            commands.extend(due.into_iter().map(|command| Box::new(Envelope::timer(program.clone(), command))));
            if commands.len() >= limit {
                break;
            }
        }
        commands
    }
}
