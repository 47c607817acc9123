//! What the checker found.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// Counterexamples of a kind kept in words, so that none hides the others; all are counted.
const KEPT: u64 = 10;

/// What was promised and does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An answered command is not in the log, and no state explains its answer.
    Lost,
    /// A request took effect twice.
    Doubled,
    /// A record is not what the program decides for the command it belongs to.
    WrongEffect,
    /// An answer is not what the record says.
    WrongAnswer,
    /// A command that was refused or not taken is in the log.
    TookEffect,
    /// A record that nobody asked for.
    Unasked,
    /// A refusal, or an answer that appended nothing, is right in no state that it could have been given in.
    NotLinearizable,
    /// What was asked after an answer lies before it.
    OutOfOrder,
    /// A read is older than it was asked to be.
    OldRead,
    /// A read shows what the log holds at none of the sequences that it could have been read at.
    WrongRead,
    /// The sequences of a program have a hole, or go back.
    Hole,
    /// A record does not follow from what is before it.
    Unfoldable,
    /// Two deals hold protection on one account and overlapping scope.
    TwoOwners,
    /// Something happened to what had ended for good.
    AfterFinal,
    /// A program's record lies in another program's partition.
    Misplaced,
    /// A status that no client should ever see.
    Unexpected,
    /// A partition took no command again in time.
    NoProgress,
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::WrongEffect => "wrong effect",
            Self::WrongAnswer => "wrong answer",
            Self::TookEffect => "took effect",
            Self::Unasked => "unasked",
            Self::NotLinearizable => "not linearizable",
            Self::OutOfOrder => "out of order",
            Self::OldRead => "old read",
            Self::WrongRead => "wrong read",
            Self::Hole => "hole",
            Self::Unfoldable => "unfoldable",
            Self::TwoOwners => "two owners",
            Self::AfterFinal => "after final",
            Self::Misplaced => "misplaced",
            Self::Unexpected => "unexpected",
            Self::NoProgress => "no progress",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that does not hold, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// What was promised.
    pub kind: Kind,
    /// The counterexample.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.text)
    }
}

/// Everything found in one history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    kept: Vec<Violation>,
    counts: BTreeMap<Kind, u64>,
    /// How many decisions without effect were compared with the program: refusals, dry runs, repeats of what held.
    pub decisions: u64,
    /// How many reads were compared with the log.
    pub reads: u64,
    /// How many events the invariants were looked at after.
    pub events: u64,
    /// Commands with an unknown outcome that turned out to have taken effect.
    pub unknown_effective: u64,
}

impl Findings {
    /// Notes one.
    pub fn add(&mut self, kind: Kind, text: impl Into<String>) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= KEPT {
            self.kept.push(Violation { kind, text: text.into() });
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or(0)
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// The first of each kind, in words.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.kept
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in &self.counts {
            writeln!(f, "{count} × {kind}")?;
        }
        for violation in &self.kept {
            writeln!(f, "- {violation}")?;
        }
        Ok(())
    }
}
