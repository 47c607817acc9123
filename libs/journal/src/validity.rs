//! The rule: what an entry means, given all before it.
//!
//! A reader holds a [`Position`] and shows it every entry in order. A claim is valid if it names the term in force; a
//! record is valid if its `(term, n)` is the next of the term in force; anything else is skipped. That is the whole
//! protocol on the reading side: owner, standby, projector, exporter and verifier all use this one function, so any two
//! of them at the same offset agree.

use std::sync::Arc;

use pactum_log::Offset;
use serde::{Deserialize, Serialize};

use crate::entry::{Entry, Genesis};

/// How far a partition has been read, and what is in force there. Stored beside whatever was folded up to it, so that
/// reading goes on from the middle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The offset to read from next.
    pub offset: Offset,
    /// The partition's genesis, once read.
    pub genesis: Option<Genesis>,
    /// The term in force: the offset of the last valid claim.
    pub term: Option<Offset>,
    /// The `n` of the next valid record of that term.
    pub next: u64,
    /// The address of that term's owner.
    pub owner: Option<Arc<str>>,
}

/// What an entry means where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The partition starts here.
    Genesis,
    /// A new term starts here.
    ValidClaim,
    /// The record takes effect here.
    ValidRecord,
    /// The entry has no effect.
    Skipped(Skip),
}

/// Why an entry has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// A claim or record in front of the genesis.
    BeforeGenesis,
    /// A genesis after the first: two writers found the partition empty.
    SecondGenesis,
    /// A claim on a term that is no longer in force: another claim came first.
    StaleClaim,
    /// A record of a term that is not in force.
    OtherTerm,
    /// A record of the term in force that is not the next one: a duplicate, or one that overtook another.
    OutOfOrder,
}

impl Skip {
    /// All reasons, in the order of [`Skipped`]'s counts.
    pub const ALL: [Self; 5] =
        [Self::BeforeGenesis, Self::SecondGenesis, Self::StaleClaim, Self::OtherTerm, Self::OutOfOrder];

    /// The reason as a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::BeforeGenesis => "before_genesis",
            Self::SecondGenesis => "second_genesis",
            Self::StaleClaim => "stale_claim",
            Self::OtherTerm => "other_term",
            Self::OutOfOrder => "out_of_order",
        }
    }
}

/// How many entries were skipped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped([u64; Skip::ALL.len()]);

impl Skipped {
    /// Counts one.
    pub fn count(&mut self, reason: Skip) {
        self.0[reason as usize] += 1;
    }

    /// How many for one reason.
    pub fn of(&self, reason: Skip) -> u64 {
        self.0[reason as usize]
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl Position {
    /// Reads one entry. Entries are shown in the log's order, each once.
    pub fn observe(&mut self, offset: Offset, entry: &Entry) -> Verdict {
        self.observe_by::<Protocol>(offset, entry)
    }

    /// [`observe`](Self::observe) under a rule that may leave something out.
    #[doc(hidden)]
    pub fn observe_by<R: Rule>(&mut self, offset: Offset, entry: &Entry) -> Verdict {
        self.offset = offset + 1;
        match entry {
            Entry::Genesis(_) if self.genesis.is_some() => Verdict::Skipped(Skip::SecondGenesis),
            Entry::Genesis(genesis) => {
                self.genesis = Some(*genesis);
                Verdict::Genesis
            }
            _ if self.genesis.is_none() => Verdict::Skipped(Skip::BeforeGenesis),
            Entry::Claim(claim) => {
                if R::CHECK_AFTER && claim.after != self.term {
                    return Verdict::Skipped(Skip::StaleClaim);
                }
                self.term = Some(offset);
                self.next = 0;
                self.owner = Some(claim.owner.as_str().into());
                Verdict::ValidClaim
            }
            Entry::Record(record) => {
                // Even without the check a record needs some term: before the first claim there is none to be in.
                if self.term.is_none() || (R::CHECK_TERM && self.term != Some(record.term)) {
                    return Verdict::Skipped(Skip::OtherTerm);
                }
                if R::CHECK_N && record.n != self.next {
                    return Verdict::Skipped(Skip::OutOfOrder);
                }
                self.next += 1;
                Verdict::ValidRecord
            }
        }
    }
}

/// Which parts of the protocol are in force. All of them, outside of the tests that leave one out to show that it is
/// needed and that the simulation would notice.
#[doc(hidden)]
pub trait Rule: Send + 'static {
    /// A claim is valid only if it names the term in force.
    const CHECK_AFTER: bool = true;
    /// A record is valid only in its own term.
    const CHECK_TERM: bool = true;
    /// A record is valid only as the next of its term.
    const CHECK_N: bool = true;
    /// What appends nothing is answered only when the records it was decided on are confirmed.
    const AWAIT_FLIGHT: bool = true;
    /// What appends nothing is answered only when the log's end, asked for afterwards, was read to.
    const AWAIT_END: bool = true;
    /// What is in flight when a term ends may still take effect until the next valid claim.
    const AWAIT_SETTLEMENT: bool = true;
}

/// The protocol, whole.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Protocol {}

impl Rule for Protocol {}

#[cfg(test)]
#[path = "validity_tests.rs"]
mod tests;
