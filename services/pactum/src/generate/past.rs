//! What was before the program: brought in from another system on its first day.

use bytes::Bytes;
use pactum_command::{Done, Resource};
use pactum_domain::command::{Command, DealCommand, HistoryTerms, ProgramCommand};
use pactum_domain::time::{DAY, Timestamp};
use pactum_ids::ImportId;

use super::deals::Case;
use super::error::GenerateError;
use super::names::LOSSES;
use super::shape;
use super::simulation::{PACE, Simulation, Step};

/// How far back it goes.
const DAYS: f64 = 300.0;

/// Something that happened there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Happened {
    at: i64,
    number: usize,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Registered,
    Won,
    Lost,
}

/// What is brought in.
pub(super) struct Past {
    count: u64,
    /// The next last.
    happened: Vec<Happened>,
    /// The deals that are not closed.
    open: Vec<Option<(Box<Case>, std::sync::Arc<pactum_domain::deal::Deal>)>>,
}

impl Past {
    pub(super) fn new(count: u64) -> Self {
        Self { count, happened: Vec::new(), open: Vec::new() }
    }
}

fn import() -> ImportId {
    ImportId::new("previous-system").expect("words with a dash are an id")
}

impl Simulation {
    /// Looks through what there was, and begins to bring it in.
    pub(super) fn begin_past(&mut self, now: Timestamp, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let source = "The system used before".to_owned();
        let start = ProgramCommand::StartHistoryImport { import: import(), source };
        self.connector(now, None, Command::Program(start), out)?;
        for number in 0..self.past.count as usize {
            let at = now.0 - self.chance.days(1.0, DAYS);
            self.past.happened.push(Happened { at, number, what: What::Registered });
            let won = self.chance.happens(shape::WON / (shape::WON + shape::LOST));
            let days = if won { &shape::DAYS_TO_WIN } else { &shape::DAYS_TO_LOSS };
            let closed = at + (self.chance.quantile(days) * DAY as f64) as i64;
            if closed < now.0 {
                let what = if won { What::Won } else { What::Lost };
                self.past.happened.push(Happened { at: closed, number, what });
            }
        }
        self.past.happened.sort_by_key(|happened| std::cmp::Reverse(*happened));
        self.past.open.resize_with(self.past.count as usize, || None);
        self.later(now.0 + PACE, Step::Past);
        Ok(())
    }

    /// Brings in the next; after the last, the sales that are open go on here.
    pub(super) fn past_step(&mut self, now: Timestamp, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let Some(Happened { at, number, what }) = self.past.happened.pop() else { return self.end_past(now, out) };
        let occurred = Some(Timestamp(at));
        match what {
            What::Registered => {
                let member = self.seller();
                let account = self.prospect(member);
                let mut case = self.case(member, account);
                let customer = self.market.looked_up(account);
                let terms = HistoryTerms { protection_days: 90 };
                let submission = self.submission(Timestamp(at), &case, customer, Some(terms));
                let command = Command::Deal(case.deal.clone(), DealCommand::Register(submission));
                if let Some(Done { resource: Resource::Deal(deal), sequence, .. }) =
                    self.connector(now, occurred, command, out)?
                {
                    (case.registered, case.sequence) = (at, deal.registered_sequence.unwrap_or(sequence));
                    self.past.open[number] = Some((case, deal));
                }
            }
            What::Won | What::Lost => {
                let Some((case, _)) = self.past.open[number].take() else { return Ok(()) };
                let command = if what == What::Won {
                    DealCommand::Win { amount: case.amount, closed_on: None }
                } else {
                    DealCommand::Lose { reason: LOSSES[0].to_owned(), closed_on: None }
                };
                self.connector(now, occurred, Command::Deal(case.deal, command), out)?;
            }
        }
        self.later(now.0 + PACE, Step::Past);
        Ok(())
    }

    fn end_past(&mut self, now: Timestamp, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let complete = ProgramCommand::CompleteHistoryImport { import: import() };
        self.connector(now, None, Command::Program(complete), out)?;
        for (case, deal) in std::mem::take(&mut self.past.open).into_iter().flatten() {
            self.sell(now, case, &deal);
        }
        self.later(now.0 + PACE, Step::Timer);
        self.open();
        Ok(())
    }
}
