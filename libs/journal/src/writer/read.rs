//! Reading: every entry goes through the rule, and what it says happens to the machine and to whoever waits.

use bytes::Bytes;
use pactum_log::{LogError, Offset};

use super::{Now, Phase, Writer};
use crate::entry::{Entry, Record};
use crate::error::{Fault, check_genesis, is_final};
use crate::machine::Machine;
use crate::validity::{Rule, Skip, Verdict};

impl<M: Machine, C, R: Rule> Writer<M, C, R> {
    /// An entry was read. Entries come in the log's order; one that was read before is ignored.
    pub fn read(&mut self, offset: Offset, bytes: &Bytes, now: Now) {
        if !self.reads() || offset < self.position.offset {
            return;
        }
        self.read_error = None;
        let entry = match Entry::decode(bytes) {
            Ok(entry) => entry,
            Err(source) => return self.fail(Fault::Entry { offset, source }),
        };
        match (self.position.observe_by::<R>(offset, &entry), entry) {
            (Verdict::Skipped(reason), entry) => self.skipped(reason, &entry, now),
            (_, Entry::Genesis(genesis)) => {
                match check_genesis(&genesis, self.settings.partitions, self.settings.log_id) {
                    Ok(()) => self.genesis_read(),
                    Err(error) => return self.fail(error.into()),
                }
            }
            (_, Entry::Claim(claim)) => self.claimed(offset, &claim, now),
            (_, Entry::Record(record)) => self.recorded(offset, &record),
        }
        self.finish_catching_up();
    }

    /// The log could not be read, or its end not be told.
    pub fn read_failed(&mut self, error: LogError) {
        if is_final(&error) {
            self.fail(Fault::Log(error));
        } else {
            self.read_error = Some(error);
        }
    }

    fn recorded(&mut self, offset: Offset, record: &Record) {
        match self.phase {
            Phase::Owner { term, .. } if self.position.term == Some(term) => self.confirm(offset, record),
            _ => self.fold_settling(offset, record),
        }
    }

    /// A valid record of the term we are in: only we write there, so it is the oldest in flight.
    fn confirm(&mut self, offset: Offset, record: &Record) {
        match self.in_flight.pop_front() {
            Some(own) if own.n == record.n && own.body == record.body => {
                self.machine.confirmed(&record.body);
                self.out.confirmed(own.appended);
                self.out.answer(own.command.caller, Ok(own.answer));
            }
            own => {
                self.in_flight.extend(own);
                self.fail(Fault::NotOurs { offset });
            }
        }
    }

    /// A valid record of a term we are not in (any more). If it is our own, late, it takes effect all the same.
    fn fold_settling(&mut self, offset: Offset, record: &Record) {
        let own = self.unsettled.front().is_some_and(|own| own.term == record.term);
        if own && self.unsettled.front().is_some_and(|own| own.n != record.n || own.body != record.body) {
            return self.fail(Fault::NotOurs { offset });
        }
        // Its effect was taken back when the term ended, so it is folded like anyone's.
        if let Err(source) = self.machine.fold(&record.body) {
            return self.fail(Fault::Fold { offset, source });
        }
        if own && let Some(own) = self.unsettled.pop_front() {
            self.out.answer(own.command.caller, Ok(own.answer));
        }
    }

    fn skipped(&mut self, reason: Skip, entry: &Entry, now: Now) {
        self.skipped.count(reason);
        // A record of ours that overtook another, or came after one that was lost, is lost itself, and all after it.
        // (One below the next is a mere duplicate.)
        if let (Phase::Owner { term, .. }, Entry::Record(record)) = (&self.phase, entry)
            && record.term == *term
            && record.n > self.position.next
        {
            self.end_term(now);
        }
    }

    pub(super) fn finish_catching_up(&mut self) {
        if let Phase::CatchingUp { to: Some(to) } = self.phase
            && self.position.offset >= to
        {
            self.phase = Phase::Standby;
        }
    }
}
