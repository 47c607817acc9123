//! What real time says about a program's order: what had been answered when something was asked, and what was asked only
//! after something had been answered.

use crate::history::Time;

/// Who saw or asked for a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Witness {
    Command(usize),
    Read(usize),
}

/// A sequence and who it rests on; nobody where it is the log's own bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) sequence: u64,
    pub(super) witness: Option<Witness>,
}

/// The bounds of one program.
pub(super) struct Bounds {
    /// By time of return: the highest sequence answered up to then.
    seen: Vec<(Time, Bound)>,
    /// By time of the first asking: the lowest sequence of a record asked for from then on.
    asked: Vec<(Time, Bound)>,
    last: u64,
}

impl Bounds {
    /// `seen`: when a sequence was answered. `asked`: when a record was first asked for, with its first sequence. `last`: of
    /// the program.
    pub(super) fn new(mut seen: Vec<(Time, u64, Witness)>, mut asked: Vec<(Time, u64, Witness)>, last: u64) -> Self {
        seen.sort_unstable_by_key(|(time, ..)| *time);
        asked.sort_unstable_by_key(|(time, ..)| *time);
        let mut floor = Bound { sequence: 0, witness: None };
        let seen = seen.into_iter().map(|(time, sequence, witness)| {
            if sequence > floor.sequence {
                floor = Bound { sequence, witness: Some(witness) };
            }
            (time, floor)
        });
        let seen = seen.collect();
        let mut ceiling = Bound { sequence: u64::MAX, witness: None };
        let mut asked: Vec<_> = asked
            .into_iter()
            .rev()
            .map(|(time, sequence, witness)| {
                if sequence < ceiling.sequence {
                    ceiling = Bound { sequence, witness: Some(witness) };
                }
                (time, ceiling)
            })
            .collect();
        asked.reverse();
        Self { seen, asked, last }
    }

    /// The highest sequence that had been answered before `time`: what is decided or read later knows it.
    pub(super) fn floor(&self, time: Time) -> Bound {
        let before = self.seen.partition_point(|(returned, _)| *returned < time);
        before.checked_sub(1).map_or(Bound { sequence: 0, witness: None }, |last| self.seen[last].1)
    }

    /// The last sequence that can have been in the log at `time`: everything asked for only later lies behind it.
    pub(super) fn ceiling(&self, time: Time) -> Bound {
        let after = self.asked.partition_point(|(asked, _)| *asked <= time);
        match self.asked.get(after) {
            Some((_, first)) => Bound { sequence: first.sequence - 1, ..*first },
            None => Bound { sequence: self.last, witness: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_past_is_known_and_the_future_is_not() {
        let seen = vec![(30, 7, Witness::Command(1)), (10, 9, Witness::Command(0)), (40, 12, Witness::Read(0))];
        let asked = vec![(35, 11, Witness::Command(3)), (5, 8, Witness::Command(0)), (36, 10, Witness::Command(2))];
        let bounds = Bounds::new(seen, asked, 14);
        let floor = |time| bounds.floor(time).sequence;
        assert_eq!([floor(10), floor(11), floor(31), floor(41)], [0, 9, 9, 12]);
        assert_eq!(bounds.floor(31).witness, Some(Witness::Command(0)));
        let ceiling = |time| bounds.ceiling(time).sequence;
        assert_eq!([ceiling(4), ceiling(5), ceiling(35), ceiling(36)], [7, 9, 9, 14]);
        assert_eq!(bounds.ceiling(20).witness, Some(Witness::Command(2)));
    }
}
