//! What falls due: the timer's work.

use pactum_ids::DealId;

use super::Model;
use crate::command::{Command, DealCommand};
use crate::deal::Basis;
use crate::program::ProgramState;
use crate::time::Timestamp;

impl Model {
    /// The commands that have fallen due by `now`, earliest first, at most `limit`: the protections that lapse. Windows that
    /// run on the world's clock do not fall due while an import is under way: their closings may still be to come.
    #[must_use]
    pub fn due(&self, now: Timestamp, limit: usize) -> Vec<Command> {
        let due = self.ends().take_while(|(until, _)| *until <= now).take(limit);
        due.map(|(_, deal)| Command::Deal(deal.clone(), DealCommand::ExpireProtection)).collect()
    }

    /// When the next thing falls due; `None` where nothing will.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.ends().next().map(|(until, _)| *until)
    }

    /// The ends of the windows that may lapse now, earliest first, ties by deal.
    fn ends(&self) -> impl Iterator<Item = &(Timestamp, DealId)> {
        let program = self.program.as_deref().filter(|program| program.state != ProgramState::Archived);
        let recorded = program.map(|_| self.index.due(Basis::Recorded));
        let occurred = program.filter(|program| !program.is_importing()).map(|_| self.index.due(Basis::Occurred));
        let mut recorded = recorded.into_iter().flatten().peekable();
        let mut occurred = occurred.into_iter().flatten().peekable();
        std::iter::from_fn(move || match (recorded.peek(), occurred.peek()) {
            (Some(a), Some(b)) if b < a => occurred.next(),
            (Some(_), _) => recorded.next(),
            (None, _) => occurred.next(),
        })
    }
}
